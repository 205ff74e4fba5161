#pragma once
// With configDelivery Reload, pods get a listener some time after it is in their ConfigMap: up to two
// minutes, each at its own time. A Service that sent there before would lose connections, so that it gets a
// new port only when its ready pods report the listener. Pure.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actors/gateways/listeners.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/settings.hpp"
#include "runtime/kube/json.hpp"
#include "runtime/kube/object.hpp"

namespace egress::reconciler {

using ports = std::vector<kube::service_port>;

// Whether new ports of this child wait: then there are none that pods have reported so far.
std::optional<ports> waits_for_reports(kube::kind of, const kube::object& external_service,
                                       gateway_profile profile);

struct held_service {
  json::object service;
  ports held;  // wanted, and left out
};
// What the Service may be now: without the ports that neither the live one has nor pods have reported. A
// Service cannot be without ports: when none is left, it keeps those it has.
held_service hold_back(json::object wanted, const json::object& live, const ports& reported);

// Where the API server tells the pods of a Service.
std::string endpoint_slices_path(std::string_view name_space, std::string_view service);
// Its pods, from that list.
struct gateway_pods {
  std::vector<std::string>
      ready;  // their addresses: IPv4 where there are any, else IPv6; in order, each once
  // That have an address, are not ready yet and not on their way out: they may have begun with the
  // configuration of before, and are given connections as soon as they are ready.
  std::size_t coming = 0;
  friend bool operator==(const gateway_pods&, const gateway_pods&) = default;
};
result<gateway_pods> pods_of(std::string_view endpoint_slices);

struct listener_report {
  ports reported;   // every ready pod has their listeners
  std::string why;  // what the others wait for, one line; "" when there are none
};
// `gateway` is the ExternalService's name, `pods` what its ready pods answered, `held` is not empty.
listener_report report_of(std::string_view gateway, const ports& held,
                          std::span<const gateways::pod_answer> pods);
// The same when nobody could be asked.
listener_report no_report(const ports& held, std::string_view why);

// The listeners of these ports, by name.
std::vector<std::string> listeners_of(std::string_view gateway, const ports& of);

}  // namespace egress::reconciler
