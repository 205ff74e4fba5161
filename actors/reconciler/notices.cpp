#include <fmt/format.h>

#include "actors/reconciler/envoy/hardened.hpp"
#include "actors/reconciler/validate.hpp"

namespace egress::reconciler {
namespace {

using kube::external_service_spec;

std::string joined(const std::vector<std::string>& items) {
  return fmt::format("{}", fmt::join(items, ", "));
}

std::vector<std::string> own_fields(const external_service_spec& spec) {
  std::vector<std::string> set;
  if (spec.tls_sni == "Enforce") set.emplace_back("spec.tls.sni");
  if (spec.config_delivery == "Reload") set.emplace_back("spec.configDelivery");
  if (spec.allow_private) set.emplace_back("spec.allowPrivate");
  return set;
}

std::vector<std::string> udp_ports(const external_service_spec& spec, bool unchecked_only) {
  std::vector<std::string> ports;
  for (const auto& port : spec.ports)
    if (port.protocol == "UDP" && !(unchecked_only && envoy::override_is_checked(spec, port)))
      ports.push_back(std::to_string(port.port));
  return ports;
}

// It scales by the share of what was asked for; Kubernetes takes a limit for a request that is missing.
bool autoscaler_has_no_measure(const external_service_spec& spec) {
  return spec.resources && !spec.resources->requests.contains("cpu") &&
         !spec.resources->limits.contains("cpu");
}

}  // namespace

std::vector<notice> notices(const external_service_spec& spec, gateway_profile profile) {
  std::vector<notice> made;
  if (autoscaler_has_no_measure(spec))
    made.push_back({"AutoscalerWithoutCPU",
                    "spec.resources names no CPU, and takes the place of the default as a whole: the "
                    "HorizontalPodAutoscaler cannot scale without requests.cpu or limits.cpu"});
  if (profile == gateway_profile::compatible) {
    if (const auto fields = own_fields(spec); !fields.empty())
      made.push_back(
          {"FieldsWithoutEffect", fmt::format("{} without effect: the compatible profile does not know "
                                              "it; use --gateway-profile=hardened",
                                              joined(fields))});
    if (const auto ports = udp_ports(spec, false); !ports.empty())
      made.push_back(
          {"EnvoyRejectsUDP", fmt::format("Envoy refuses UDP listeners as the compatible profile renders "
                                          "them (port {}): use --gateway-profile=hardened",
                                          joined(ports))});
    return made;
  }
  if (const auto ports = udp_ports(spec, false); spec.tls_sni == "Enforce" && !ports.empty())
    made.push_back(
        {"SNINotChecked", fmt::format("UDP port {} lets all pass: spec.tls.sni looks into TLS over "
                                      "TCP only, and QUIC may name any host of the same address",
                                      joined(ports))});
  if (spec.ip_override.empty()) return made;
  if (const auto ports = udp_ports(spec, true); !ports.empty())
    made.push_back(
        {"OverrideNotChecked",
         fmt::format("UDP port {} sends to spec.ipOverride unchecked and without falling back to DNS: health "
                     "checks need TCP on the same port number in spec.ports",
                     joined(ports))});
  return made;
}

}  // namespace egress::reconciler
