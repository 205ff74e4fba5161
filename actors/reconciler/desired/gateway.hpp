#pragma once
// What an ExternalService should have in the cluster: its six children, rendered. Pure.

#include <string_view>

#include "actors/reconciler/effective.hpp"
#include "actors/reconciler/envoy/configuration.hpp"
#include "runtime/base/settings.hpp"
#include "runtime/kube/json.hpp"
#include "runtime/kube/object.hpp"

namespace egress::desired {

// One ExternalService, all that its children are made of. Refers to the object and the settings it was made
// from: they must outlive it.
struct gateway {
  std::string_view name;
  std::string_view uid;  // "" leaves out the ownerReference
  const kube::external_service_spec& spec;
  const gateway_settings& settings;
  envoy::configuration config;
  json::storage_ptr in{};  // where its children are made

  bool hardened() const { return settings.profile == gateway_profile::hardened; }
  // Its pods stay when ports, names and addresses change: nothing of theirs is made of those.
  bool reloads() const { return reconciler::reloads(spec, settings.profile); }
};

// The object must have passed validate(). ipv6: its Service has an IPv6 ClusterIP.
gateway make_gateway(const kube::object& external_service, const gateway_settings& settings,
                     bool ipv6 = false, json::storage_ptr in = {});

// A child as its profile renders it, apiVersion and kind included; no status, no replicas. hijack is the
// Service's label (hijack_state.hpp) and used for that kind only.
json::object render_child(kube::kind of, const gateway& from, std::string_view hijack);

// The children in the order of kube::child_kinds, without the PodDisruptionBudget where it is switched off.
bool wanted(kube::kind of, const gateway_settings& settings);

}  // namespace egress::desired
