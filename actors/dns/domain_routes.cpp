#include "actors/dns/domain_routes.hpp"

#include <algorithm>

namespace egress::dns {
namespace {

bool before(bytes a, bytes b) {
  return std::ranges::lexicographical_compare(a, b);
}

}  // namespace

domain_routes::domain_routes(const std::vector<wire_name>& domains) {
  for (const auto& domain : domains) {
    sizes_.set(domain.size);
    routes_.push_back({domain, routes_.size()});
  }
  std::ranges::sort(routes_, [](const route& a, const route& b) {
    return same_name(a.domain, b.domain) ? a.position < b.position : before(a.domain.view(), b.domain.view());
  });
}

std::optional<std::size_t> domain_routes::find(const wire_name& name) const {
  if (routes_.empty()) return std::nullopt;
  for (bytes suffix = name.view();; suffix = suffix.subspan(suffix[0] + 1u)) {
    if (sizes_.test(suffix.size())) {
      const auto found = std::ranges::lower_bound(routes_, suffix, before,
                                                  [](const route& one) { return one.domain.view(); });
      if (found != routes_.end() && std::ranges::equal(found->domain.view(), suffix)) return found->position;
    }
    if (suffix[0] == 0) return std::nullopt;
  }
}

}  // namespace egress::dns
