#pragma once
// One function a kind of child; render_child (gateway.hpp) chooses. Pure.

#include <string_view>

#include "actors/reconciler/desired/gateway.hpp"

namespace egress::desired {

json::object config_map(const gateway& from);
json::object deployment(const gateway& from);
json::object horizontal_pod_autoscaler(const gateway& from);
json::object service(const gateway& from, std::string_view hijack);
json::object network_policy(const gateway& from);
json::object pod_disruption_budget(const gateway& from);

}  // namespace egress::desired
