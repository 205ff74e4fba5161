#include "actors/reconciler/search_domains.hpp"

#include <algorithm>

#include "actors/reconciler/dns_name.hpp"

namespace egress::reconciler {
namespace {

// The first word, which `line` then begins behind; "" when there is none.
std::string_view next_word(std::string_view& line) {
  constexpr std::string_view blank = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(blank), line.size()));
  const auto word = line.substr(0, line.find_first_of(blank));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

std::vector<std::string> search_domains_of(std::string_view resolv_conf) {
  std::vector<std::string> domains;
  while (!resolv_conf.empty()) {
    const auto end = std::min(resolv_conf.find('\n'), resolv_conf.size());
    auto line = resolv_conf.substr(0, end);
    resolv_conf.remove_prefix(std::min(end + 1, resolv_conf.size()));
    const auto keyword = next_word(line);
    if (keyword != "search" && keyword != "domain") continue;
    domains.clear();
    for (auto word = next_word(line); !word.empty(); word = next_word(line))
      if (auto key = dns_name_key(word); !key.empty()) domains.push_back(std::move(key));
  }
  return domains;
}

std::string_view covered_search_domain(std::string_view dns_name, std::span<const std::string> domains) {
  if (!dns_name.starts_with("*.")) return {};
  const auto suffix = dns_name.substr(2);
  const auto covered =
      std::ranges::find_if(domains, [&](std::string_view domain) { return is_at_or_below(domain, suffix); });
  return covered == domains.end() ? std::string_view{} : *covered;
}

}  // namespace egress::reconciler
