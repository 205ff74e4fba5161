#include "actors/reconciler/desired/metadata.hpp"

#include <utility>

#include "runtime/kube/keys.hpp"

namespace egress::desired {
namespace {

json::object owner_reference(const gateway& from) {
  const auto& owner = kube::info(kube::kind::external_service);
  return json::object({{"apiVersion", owner.api_version},
                       {"kind", owner.name},
                       {"name", from.name},
                       {"uid", from.uid},
                       {"controller", true},
                       {"blockOwnerDeletion", true}},
                      from.in);
}

}  // namespace

json::object labels(const gateway& from) {
  return json::object({{kube::keys::app, kube::keys::app_value}, {kube::keys::gateway, from.name}}, from.in);
}

json::object annotations(const gateway& from) {
  json::object made({{kube::keys::dns_name, from.spec.dns_name}}, from.in);
  const auto& mode = from.spec.service_topology_mode;
  if (from.settings.service_topology_mode)
    made[kube::keys::topology_mode] = mode.empty() ? std::string_view("Auto") : std::string_view(mode);
  return made;
}

json::object selector(const gateway& from) {
  return json::object({{"matchLabels", {{kube::keys::gateway, from.name}}}}, from.in);
}

// Room for the members that not all have: ownerReferences, spec or data.
constexpr std::size_t most_members = 5;

json::object new_child(kube::kind of, const gateway& from) {
  json::object metadata({{"name", from.name},
                         {"namespace", from.settings.name_space},
                         {"labels", labels(from)},
                         {"annotations", annotations(from)}},
                        most_members, from.in);
  if (!from.uid.empty()) metadata["ownerReferences"] = json::array({owner_reference(from)}, from.in);
  const auto& kind = kube::info(of);
  return json::object(
      {{"apiVersion", kind.api_version}, {"kind", kind.name}, {"metadata", std::move(metadata)}},
      most_members, from.in);
}

}  // namespace egress::desired
