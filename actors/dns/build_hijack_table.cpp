// From Services and ExternalServices to the records of the table.
#include <algorithm>
#include <limits>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "actors/dns/hijack_table.hpp"
#include "actors/dns/table_fields.hpp"

namespace egress::dns {
namespace {

// In the order of the snapshot, which keeps them alive.
using object_list = std::vector<const kube::object*>;
object_list objects_of(const kube::snapshot& all) {
  object_list list;
  list.reserve(all.size());
  all.for_each([&](const kube::object_ptr& object) { list.push_back(object.get()); });
  return list;
}

// Objects are scattered in memory, and waiting for it would be most of the work of a build: those soon to be
// read are asked for ahead, then what they point to.
void fetch_ahead(const object_list& list, std::size_t at) {
  constexpr std::size_t cache_line = 64, object_distance = 16, parts_distance = 6;
  if (at + object_distance < list.size()) {
    const auto* object = reinterpret_cast<const char*>(list[at + object_distance]);
    for (std::size_t i = 0; i < sizeof(kube::object); i += cache_line) __builtin_prefetch(object + i);
    __builtin_prefetch(object + sizeof(kube::object) - 1);  // it need not begin with a line
  }
  if (at + parts_distance >= list.size()) return;
  const auto& parts = *list[at + parts_distance];
  if (const auto* child = std::get_if<kube::child>(&parts.body)) {
    __builtin_prefetch(child->cluster_ips.data());
    __builtin_prefetch(child->dns_name.data());
  } else {
    __builtin_prefetch(parts.as_external_service().spec.ports.data());
  }
}

// The Service of an earlier ExternalService of this name stays until it is collected: what it hijacks, nobody
// asks for any more.
bool is_its_own(const kube::object& service, const kube::object& external_service) {
  const auto& controller = service.as_child().controller;
  return !controller || controller->uid == external_service.meta.uid;
}

// A dnsName, of a spec or of an annotation.
struct asked_name {
  bool wildcard = false;
  result<wire_name> name;  // without the "*."
};
asked_name read_asked(std::string_view text) {
  const bool wildcard = text.starts_with("*.");
  if (wildcard) text.remove_prefix(2);
  return {wildcard, parse_name(text)};
}

std::optional<wire_name> name_of(std::string_view text) {
  auto name = parse_name(text);
  return name ? std::optional(*name) : std::nullopt;
}

// As much for each Service as in the last table and a little more; where that had few of them, the usual,
// which is three records.
std::size_t expected_bytes(const kube::snapshot& services, const hijack_table* previous) {
  if (!previous || previous->service_count() <= services.size() / 2) return services.size() * 160;
  return (previous->record_bytes() / previous->service_count() + 3) * services.size();
}

class builder {
 public:
  builder(const kube::snapshot& services, const kube::snapshot& external_services,
          const hijack_table* previous, const table_options& options)
      : services_(services),
        external_services_(external_services),
        previous_(previous),
        suffix_(parse_name(fmt::format("{}.svc.{}", options.name_space, options.cluster_domain))),
        cluster_(name_of(options.cluster_domain)) {
    claims_.reserve(services.size() * 3);
    done_.reserve(services.size());
    records_.reserve(expected_bytes(services, previous));
  }

  void add_external_service(const kube::object& object) {
    const auto& external = object.as_external_service();
    // A spec that cannot be decoded says nothing about hijackDns: the last answer stays.
    const bool readable = external.undecodable.empty();
    if (object.meta.deleting || (!external.spec.hijack_dns && readable)) return;
    // What its Service says is complained about even then. All of it is read now: objects are scattered in
    // memory, and to come back for the rest is the larger part of the work.
    const auto service = services_.find(object.meta.name);
    const auto clients = clients_of(object);
    if (service) {
      const auto addresses = read_addresses(service->as_child().cluster_ips);
      add_in_cluster(*service, addresses, &external);
      done_.push_back(service.get());
      const bool wanted = readable && is_its_own(*service, object);
      if (add_hijacked(object.meta, service->as_child(), addresses, clients, wanted)) {
        if (service->as_child().dns_name != external.spec.dns_name) keep_asked_name(object, clients);
        return;
      }
    }
    keep_last_answer(object, clients);
  }

  // The Services that no ExternalService led to. Both snapshots are in the same order, so those that are done
  // come as they were done; one taken twice would only claim its own names again.
  void add_service(const kube::object& service) {
    if (next_done_ < done_.size() && done_[next_done_] == &service) {
      ++next_done_;
      return;
    }
    const auto owner = external_services_.find(service.meta.name);
    add_in_cluster(service, read_addresses(service.as_child().cluster_ips),
                   owner ? &owner->as_external_service() : nullptr);
  }

  built_table finish() {
    object_list{}.swap(done_);
    if (records_.capacity() - records_.size() > records_.size() / 8) records_.shrink_to_fit();
    auto table = std::make_shared<const hijack_table>(std::move(records_), claims_, cluster_);
    if (table->entry_count() < claims_.size()) complain_of_taken(*table);
    return {std::move(table), std::move(complaints_)};
  }

 private:
  void keep_last_answer(const kube::object& object, bytes clients) {
    const auto& external = object.as_external_service();
    const auto asked = read_asked(external.spec.dns_name);
    // A spec without a name that could be says nothing.
    const auto kept = external.undecodable.empty() && asked.name ? last_answer(object.meta.name, asked)
                                                                 : last_answer(object.meta.name);
    if (!kept) return keep_answer_of_status(object, asked, clients);
    auto entry = *kept;
    entry.extra = clients;
    claim(entry, object.meta.creation_time);
  }

  // A process without a table of an earlier one knows the last answer from the status, if it is of this spec:
  // else the first table would let a name go whose Service is just then missing. (Who writes an
  // ExternalService decides where its name leads, anyhow: spec.ipOverride.)
  void keep_answer_of_status(const kube::object& object, const asked_name& asked, bytes clients) {
    const auto& external = object.as_external_service();
    const auto& status = external.status;
    if (!external.undecodable.empty() || !asked.name || status.observed_generation != object.meta.generation)
      return;
    const auto hijacked = status.conditions.find("DNSHijacked");
    if (!hijacked || hijacked->status != "True") return;
    const auto addresses = read_addresses({status.cluster_ip});
    if (addresses.empty()) return;
    claim({.kind = entry_kind::hijacked,
           .wildcard = asked.wildcard,
           .name = asked.name->view(),
           .owner = object.meta.name,
           .v4 = addresses.v4(),
           .v6 = addresses.v6(),
           .extra = clients},
          object.meta.creation_time);
  }

  // Its Service says another name: by hand, or by a write that was decided before the spec got its old name
  // again, and came late. Until that is repaired the name that was hijacked leads where it led, and not to
  // the Service: one at another address was made for the other name, and its gateway leads there.
  void keep_asked_name(const kube::object& object, bytes clients) {
    const auto asked = read_asked(object.as_external_service().spec.dns_name);
    auto kept = asked.name ? last_answer(object.meta.name, asked) : std::nullopt;
    if (!kept) return keep_answer_of_status(object, asked, clients);
    kept->extra = clients;
    claim(*kept, object.meta.creation_time);
  }

  // Who is answered with a hijacked name, packed; empty: everybody. Where that cannot be read the last list
  // stays, and without one everybody is: rather a gateway for too many than a real address that leaks.
  bytes clients_of(const kube::object& object) {
    const auto& [spec, status, undecodable] = object.as_external_service();
    if (spec.dns_clients.empty() && undecodable.empty()) return {};
    auto packed = pack_clients(spec.dns_clients);
    if (packed && undecodable.empty()) {
      clients_ = std::move(*packed);
      return clients_;
    }
    if (!packed)
      complaints_.push_back(
          fmt::format("ExternalService {}: spec.dnsClients: {}", object.meta.name, packed.error().message));
    const auto kept = last_answer(object.meta.name);
    return kept ? kept->clients() : bytes{};
  }

  // The Service's own name and the reverse names of its addresses. Its ports are those of its ExternalService
  // (null when it has none).
  void add_in_cluster(const kube::object& service, const address_pair& addresses,
                      const kube::external_service* owner) {
    if (addresses.empty() || service.meta.deleting || service.as_child().ours_cannot_be) return;
    const auto name = in_cluster_name(service.meta.name);
    if (!name) return;
    ports_.clear();
    if (owner) pack_ports(owner->spec, ports_);
    const auto target = claim({.kind = entry_kind::in_cluster,
                               .wildcard = false,
                               .name = name->view(),
                               .owner = service.meta.name,
                               .v4 = addresses.v4(),
                               .v6 = addresses.v6(),
                               .extra = ports_},
                              service.meta.creation_time);
    add_reverse(addresses.v4(), target);
    add_reverse(addresses.v6(), target);
  }

  record_place claim(const table_entry& entry, std::int64_t created, record_place target = 0) {
    // The cluster's own names are nobody's to hijack: whatever a Service is labelled, or a table before had.
    if (entry.kind == entry_kind::hijacked && cluster_ && is_at_or_below(entry.name, *cluster_)) return 0;
    const auto place = write_record(records_, entry, target);
    constexpr std::int64_t latest = std::numeric_limits<std::uint32_t>::max();
    claims_.push_back({place, static_cast<std::uint32_t>(std::clamp<std::int64_t>(created, 0, latest))});
    return place;
  }

  template <std::size_t Size>
  void add_reverse(const address_list<Size>& addresses, record_place target) {
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      const auto name = reverse_name(addresses.at(i));
      claim({.kind = entry_kind::reverse,
             .wildcard = false,
             .name = name.view(),
             .owner = {},
             .v4 = {},
             .v6 = {},
             .extra = {}},
            0, target);
    }
  }

  // Claims what the Service of this owner says to hijack; false when it is unlabelled or not usable, or when
  // it is not `wanted`.
  bool add_hijacked(const kube::object_meta& owner, const kube::child& child, const address_pair& addresses,
                    bytes clients, bool wanted) {
    if (child.hijack_label != "true") return false;
    const auto [wildcard, name] = read_asked(child.dns_name);
    if (!name) {
      complaints_.push_back(fmt::format("Service {}: annotation egress.monzo.com/dns-name: {}", owner.name,
                                        name.error().message));
      return false;
    }
    if (addresses.empty() || !wanted) return false;
    claim({.kind = entry_kind::hijacked,
           .wildcard = wildcard,
           .name = name->view(),
           .owner = owner.name,
           .v4 = addresses.v4(),
           .v6 = addresses.v6(),
           .extra = clients},
          owner.creation_time);
    return true;
  }

  std::optional<wire_name> in_cluster_name(std::string_view service) const {
    auto name = parse_name(service);
    if (!suffix_ || !name || service.ends_with('.')) return std::nullopt;
    const std::size_t head = name->size - 1u;  // without the root
    if (head + suffix_->size > max_name_size) return std::nullopt;
    std::ranges::copy(suffix_->view(), name->data.begin() + static_cast<std::ptrdiff_t>(head));
    name->size = static_cast<std::uint8_t>(head + suffix_->size);
    name->labels = static_cast<std::uint8_t>(name->labels + suffix_->labels);
    return *name;
  }

  // Most builds need none of the last answers: they are listed with the first that does.
  std::optional<table_entry> last_answer(std::string_view owner) {
    if (previous_ && !std::exchange(listed_, true))
      previous_->for_each([&](const table_entry& entry) {
        if (entry.kind == entry_kind::hijacked) last_answers_.emplace(entry.owner, entry);
      });
    const auto found = last_answers_.find(owner);
    if (found == last_answers_.end()) return std::nullopt;
    return found->second;
  }
  std::optional<table_entry> last_answer(std::string_view owner, const asked_name& asked) const {
    if (!previous_) return std::nullopt;
    auto found = previous_->find_only(asked.name->view(), asked.wildcard);
    if (found && (found->kind != entry_kind::hijacked || found->owner != owner)) found.reset();
    return found;
  }

  // In the order of the names, then as they lost.
  void complain_of_taken(const hijack_table& table) {
    struct loser {
      table_entry entry;
      std::uint32_t created;
      std::string_view winner;
    };
    std::vector<loser> losers;
    for (const auto& one : claims_) {
      const auto entry = table.entry_at(one.record);
      if (entry.kind != entry_kind::hijacked) continue;
      const auto winner = table.find_only(entry.name, entry.wildcard);
      if (winner->owner != entry.owner) losers.push_back({entry, one.created, winner->owner});
    }
    std::ranges::sort(losers, [](const loser& a, const loser& b) {
      const auto left = a.entry.name, right = b.entry.name;
      if (!std::ranges::equal(left, right)) return std::ranges::lexicographical_compare(left, right);
      return std::tie(a.entry.wildcard, a.created, a.entry.owner) <
             std::tie(b.entry.wildcard, b.created, b.entry.owner);
    });
    for (const auto& [entry, created, winner] : losers)
      complaints_.push_back(fmt::format("ExternalService {}: the name {}{} is taken by the older {}",
                                        entry.owner, entry.wildcard ? "*." : "", to_text(entry.name),
                                        winner));
  }

  const kube::snapshot &services_, &external_services_;
  const hijack_table* previous_;            // null for none
  const result<wire_name> suffix_;          // of the names of Services of gateways
  const std::optional<wire_name> cluster_;  // the cluster's domain
  std::unordered_map<std::string_view, table_entry> last_answers_;
  bool listed_ = false;  // there
  record_arena records_;
  std::vector<table_claim> claims_;
  std::vector<std::uint8_t> ports_, clients_;  // packed, of the object in hand
  object_list done_;                           // Services
  std::size_t next_done_ = 0;
  std::vector<std::string> complaints_;
};

}  // namespace

built_table build_hijack_table(const kube::snapshot& services, const kube::snapshot& external_services,
                               const hijack_table* previous, const table_options& options) {
  builder table(services, external_services, previous, options);
  {
    const auto externals = objects_of(external_services), children = objects_of(services);
    for (std::size_t i = 0; i < externals.size(); ++i) {
      // Both are in the same order: about there is the Service that will be looked up.
      fetch_ahead(externals, i);
      fetch_ahead(children, i * children.size() / externals.size());
      table.add_external_service(*externals[i]);
    }
    for (const auto* service : children) table.add_service(*service);
  }
  return table.finish();
}

}  // namespace egress::dns
