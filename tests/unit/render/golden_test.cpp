// The `compatible` profile against what the program we replace renders (tests/golden): a cluster is taken
// over without one gateway restarting.

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "actors/reconciler/desired/gateway.hpp"
#include "actors/reconciler/desired/hijack_state.hpp"
#include "tests/unit/render/samples.hpp"

namespace egress {
namespace {

// Go writes two things that mean "absent": a null creationTimestamp, and a status of zeros.
void drop_go_artefacts(json::value& in) {
  if (in.is_array())
    for (auto& item : in.get_array()) drop_go_artefacts(item);
  if (!in.is_object()) return;
  auto& members = in.get_object();
  if (const auto* made = members.if_contains("creationTimestamp"); made && made->is_null())
    members.erase("creationTimestamp");
  for (auto& member : members) drop_go_artefacts(member.value());
}

class golden : public testing::TestWithParam<const char*> {
 protected:
  const gateway_settings settings_ = samples::compatible();
  const kube::object external_service_ = samples::golden(GetParam());
  const json::object expected_ = samples::file_json(std::string("tests/golden/") + GetParam() + ".json");

  // The golden child, with the apiVersion and kind that Go leaves out.
  json::object expected(kube::kind of, std::string_view key) const {
    json::value child = expected_.at(key);
    drop_go_artefacts(child);
    child.as_object().erase("status");
    child.as_object()["apiVersion"] = kube::info(of).api_version;
    child.as_object()["kind"] = kube::info(of).name;
    return child.as_object();
  }
};

TEST_P(golden, envoy_yaml_is_equal_to_the_byte) {
  const auto gateway = desired::make_gateway(external_service_, settings_);
  EXPECT_EQ(gateway.config.text,
            samples::file_text(std::string("tests/golden/") + GetParam() + ".envoy.yaml"));
  EXPECT_EQ(gateway.config.hash, std::string_view(expected_.at("configHash").as_string()));
}

TEST_P(golden, every_child_is_equal_field_by_field) {
  const auto gateway = desired::make_gateway(external_service_, settings_);
  const auto waiting = desired::next_hijack_label(gateway.spec.hijack_dns, false, "");
  for (const auto kind : kube::child_kinds)
    EXPECT_EQ(desired::render_child(kind, gateway, waiting), expected(kind, kube::info(kind).name))
        << boost::json::serialize(desired::render_child(kind, gateway, waiting));
}

TEST_P(golden, the_service_of_ready_pods_is_equal_field_by_field) {
  const auto gateway = desired::make_gateway(external_service_, settings_);
  const auto hijacked = desired::next_hijack_label(gateway.spec.hijack_dns, true, "waiting-for-pods");
  EXPECT_EQ(desired::render_child(kube::kind::service, gateway, hijacked),
            expected(kube::kind::service, "ServiceReady"));
}

INSTANTIATE_TEST_SUITE_P(files, golden,
                         testing::Values("minimal", "readme-google", "udp-and-tcp", "override",
                                         "json-logs-debug"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace egress
