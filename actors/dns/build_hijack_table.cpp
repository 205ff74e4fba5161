// From Services and ExternalServices to the entries of the table.
#include <arpa/inet.h>

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "actors/dns/hijack_table.hpp"

namespace egress::dns {
namespace {

// Reads the ClusterIPs into the entry; what is no address ("None") is left out.
void set_addresses(table_entry& entry, const std::vector<std::string>& addresses) {
  for (const auto& text : addresses) {
    std::array<std::uint8_t, 4> v4{};
    std::array<std::uint8_t, 16> v6{};
    if (inet_pton(AF_INET, text.c_str(), v4.data()) == 1) {
      if (entry.v4.size() < max_addresses) entry.v4.push_back(v4);
    } else if (inet_pton(AF_INET6, text.c_str(), v6.data()) == 1) {
      if (entry.v6.size() < max_addresses) entry.v6.push_back(v6);
    }
  }
}

bool has_address(const table_entry& entry) {
  return !entry.v4.empty() || !entry.v6.empty();
}

// "4.3.2.1.in-addr.arpa", or 32 nibbles below ip6.arpa.
template <std::size_t Size>
std::string reverse_name(const std::array<std::uint8_t, Size>& address) {
  std::string text;
  for (std::size_t i = Size; i-- > 0;)
    text += Size == 4 ? fmt::format("{}.", address[i])
                      : fmt::format("{:x}.{:x}.", address[i] & 15, address[i] >> 4);
  return text + (Size == 4 ? "in-addr.arpa" : "ip6.arpa");
}

// Owner's age, for who wins a name; an entry, or the reason why there is none.
struct claim {
  table_entry entry;
  std::int64_t created = 0;
};

class builder {
 public:
  builder(const kube::snapshot& services, const hijack_table* previous, const table_options& options)
      : services_(services), options_(options) {
    if (!previous) return;
    for (const auto& entry : previous->entries())
      if (entry.kind == entry_kind::hijacked) previous_.emplace(entry.owner, &entry);
  }

  void add_external_service(const kube::object& object) {
    const auto& external = object.as_external_service();
    // A spec that cannot be decoded says nothing about hijackDns: the last answer stays.
    if (object.meta.deleting || (!external.spec.hijack_dns && external.undecodable.empty())) return;
    if (auto entry = from_service(object.meta.name); entry && external.undecodable.empty())
      claims_.push_back({std::move(*entry), object.meta.creation_time});
    else if (const auto kept = previous_.find(object.meta.name); kept != previous_.end())
      claims_.push_back({*kept->second, object.meta.creation_time});
  }

  // The Service's own name and the reverse names of its addresses.
  void add_in_cluster(const kube::object& service) {
    if (service.meta.deleting || service.as_child().ours_cannot_be) return;
    const auto name = parse_name(
        fmt::format("{}.{}.svc.{}", service.meta.name, options_.name_space, options_.cluster_domain));
    if (!name) return;
    table_entry entry{.kind = entry_kind::in_cluster,
                      .wildcard = false,
                      .name = *name,
                      .owner = service.meta.name,
                      .v4 = {},
                      .v6 = {},
                      .target = {}};
    set_addresses(entry, service.as_child().cluster_ips);
    if (!has_address(entry)) return;
    for (const auto& address : entry.v4) add_reverse(entry, reverse_name(address));
    for (const auto& address : entry.v6) add_reverse(entry, reverse_name(address));
    claims_.push_back({std::move(entry), service.meta.creation_time});
  }

  built_table finish() {
    // A hijacked name goes before one of ours; then the older owner, then the smaller name.
    const auto rank = [](const claim& c) { return std::tie(c.entry.kind, c.created, c.entry.owner); };
    std::ranges::sort(claims_, [&](const claim& a, const claim& b) {
      const auto left = a.entry.name.view(), right = b.entry.name.view();
      if (!std::ranges::equal(left, right)) return std::ranges::lexicographical_compare(left, right);
      if (a.entry.wildcard != b.entry.wildcard) return b.entry.wildcard;
      return rank(a) < rank(b);
    });
    std::vector<table_entry> entries;
    entries.reserve(claims_.size());
    for (auto& next : claims_) {
      if (entries.empty() || !same_name(entries.back(), next.entry)) {
        entries.push_back(std::move(next.entry));
      } else if (next.entry.kind == entry_kind::hijacked) {
        complaints_.push_back(fmt::format("ExternalService {}: the name {}{} is taken by the older {}",
                                          next.entry.owner, next.entry.wildcard ? "*." : "",
                                          to_text(next.entry.name.view()), entries.back().owner));
      }
    }
    return {std::make_shared<const hijack_table>(std::move(entries)), std::move(complaints_)};
  }

 private:
  static bool same_name(const table_entry& a, const table_entry& b) {
    return a.wildcard == b.wildcard && std::ranges::equal(a.name.view(), b.name.view());
  }

  // What the Service of this name says to hijack; nothing when it is missing, unlabelled or not usable.
  std::optional<table_entry> from_service(const std::string& owner) {
    const auto service = services_.find(owner);
    if (!service || service->as_child().hijack_label != "true") return std::nullopt;
    const auto& child = service->as_child();
    std::string_view text = child.dns_name;
    table_entry entry{.kind = entry_kind::hijacked,
                      .wildcard = text.starts_with("*."),
                      .name = {},
                      .owner = owner,
                      .v4 = {},
                      .v6 = {},
                      .target = {}};
    if (entry.wildcard) text.remove_prefix(2);
    const auto name = parse_name(text);
    if (!name) {
      complaints_.push_back(
          fmt::format("Service {}: annotation egress.monzo.com/dns-name: {}", owner, name.error().message));
      return std::nullopt;
    }
    entry.name = *name;
    set_addresses(entry, child.cluster_ips);
    if (!has_address(entry)) return std::nullopt;
    return entry;
  }

  void add_reverse(const table_entry& of, const std::string& text) {
    const auto name = parse_name(text);
    if (!name) return;
    claims_.push_back({table_entry{.kind = entry_kind::reverse,
                                   .wildcard = false,
                                   .name = *name,
                                   .owner = of.owner,
                                   .v4 = {},
                                   .v6 = {},
                                   .target = {of.name.view().begin(), of.name.view().end()}},
                       0});
  }

  const kube::snapshot& services_;
  const table_options& options_;
  std::unordered_map<std::string_view, const table_entry*> previous_;
  std::vector<claim> claims_;
  std::vector<std::string> complaints_;
};

}  // namespace

built_table build_hijack_table(const kube::snapshot& services, const kube::snapshot& external_services,
                               const hijack_table* previous, const table_options& options) {
  builder table(services, previous, options);
  external_services.for_each([&](const kube::object_ptr& object) { table.add_external_service(*object); });
  services.for_each([&](const kube::object_ptr& object) { table.add_in_cluster(*object); });
  return table.finish();
}

}  // namespace egress::dns
