#include "runtime/devserver/endpoint_slices.hpp"

#include <utility>

#include "runtime/devserver/cluster.hpp"
#include "runtime/devserver/tree.hpp"

namespace egress::dev {
namespace {

const resource& slices() {
  static const auto& found = *find_plural("endpointslices");
  return found;
}

// Null without an address, as nobody can be there.
std::optional<json::object> slice_of(const json::object& service, const json::object& deployment) {
  const std::string address{text_at(service, {"spec", "clusterIP"})};
  if (address.empty() || address == "None") return std::nullopt;
  const bool ready = number_at(deployment, {"status", "readyReplicas"}) > 0;
  json::object endpoint{{"addresses", json::array{address}}};
  endpoint["conditions"] = json::object{{"ready", ready}, {"serving", ready}, {"terminating", false}};
  json::object owner{{"apiVersion", "v1"},     {"kind", "Service"},  {"name", name_of(service)},
                     {"uid", uid_of(service)}, {"controller", true}, {"blockOwnerDeletion", true}};
  json::object metadata{{"name", name_of(service)}, {"namespace", namespace_of(service)}};
  metadata["labels"] = json::object{{"kubernetes.io/service-name", name_of(service)}};
  metadata["ownerReferences"] = json::array{std::move(owner)};
  json::object made{{"apiVersion", "discovery.k8s.io/v1"},
                    {"kind", "EndpointSlice"},
                    {"addressType", address.contains(':') ? "IPv6" : "IPv4"}};
  made["metadata"] = std::move(metadata);
  made["endpoints"] = json::array{std::move(endpoint)};
  made["ports"] = json::array();
  return made;
}

// What slice_of() makes of an object that may change.
bool same(const json::object& one, const json::object& other) {
  return *find(one, {"endpoints"}) == *find(other, {"endpoints"}) &&
         *find(one, {"metadata", "ownerReferences"}) == *find(other, {"metadata", "ownerReferences"});
}

}  // namespace

void endpoint_slices::observe(const change& what) {
  if (what.of == &kinds::deployments() || what.of == &kinds::services()) dirty_.insert(what.key);
}

void endpoint_slices::run(wall_time now) {
  for (const auto& key : std::exchange(dirty_, {})) step(key, now);
}

// The garbage collector removes it after its Service.
void endpoint_slices::step(const object_key& key, wall_time now) {
  const auto service = on_.objects().find(kinds::services(), key);
  const auto deployment = on_.objects().find(kinds::deployments(), key);
  if (!service || !deployment) return;
  auto wanted = slice_of(*service, *deployment);
  if (!wanted) return;
  const auto live = on_.objects().find(slices(), key);
  if (live && same(*live, *wanted)) return;
  write_options with;
  with.now = now;
  if (live)
    static_cast<void>(on_.replace(slices(), key, *std::move(wanted), with));
  else
    static_cast<void>(on_.create(slices(), key.name_space, *std::move(wanted), with));
}

}  // namespace egress::dev
