#include "actors/reconciler/desired/gateway.hpp"

#include <stdexcept>
#include <utility>

#include "actors/reconciler/desired/children.hpp"
#include "actors/reconciler/envoy/image.hpp"

namespace egress::desired {

gateway make_gateway(const kube::object& external_service, const gateway_settings& settings, bool ipv6,
                     json::storage_ptr in) {
  const auto& spec = external_service.as_external_service().spec;
  const envoy::surroundings around{.profile = settings.profile,
                                   .ipv6 = ipv6,
                                   .connects_on_data = envoy::image_has(envoy::image(settings), 40),
                                   .private_ranges = settings.private_ranges};
  return {.name = external_service.meta.name,
          .uid = external_service.meta.uid.view(),
          .spec = spec,
          .settings = settings,
          .config = envoy::configure(external_service.meta.name, spec, around),
          .in = std::move(in)};
}

json::object render_child(kube::kind of, const gateway& from, std::string_view hijack) {
  switch (of) {
    case kube::kind::config_map:
      return config_map(from);
    case kube::kind::deployment:
      return deployment(from);
    case kube::kind::horizontal_pod_autoscaler:
      return horizontal_pod_autoscaler(from);
    case kube::kind::service:
      return service(from, hijack);
    case kube::kind::network_policy:
      return network_policy(from);
    case kube::kind::pod_disruption_budget:
      return pod_disruption_budget(from);
    default:
      throw std::logic_error("render_child: not a child's kind");
  }
}

bool wanted(kube::kind of, const gateway_settings& settings) {
  return of != kube::kind::pod_disruption_budget || settings.pod_disruption_budgets;
}

}  // namespace egress::desired
