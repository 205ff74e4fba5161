// Which ports a Service has while its pods' listeners are on their way.

#include "actors/reconciler/service_ports.hpp"

#include <gmock/gmock.h>

#include "tests/unit/reconciler/fixtures.hpp"

namespace egress::reconciler {
namespace {

using gateways::pod_answer;
using kube::service_port;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const service_port https{443, "TCP"}, alt{8443, "TCP"}, dns{53, "UDP"};

json::object a_service(const ports& all) {
  json::array listed;
  for (const auto& one : all)
    listed.push_back(json::object{{"port", one.port}, {"protocol", one.protocol}, {"targetPort", one.port}});
  json::object spec{{"type", "ClusterIP"}};
  spec["ports"] = std::move(listed);
  json::object made;
  made["spec"] = std::move(spec);
  return made;
}

TEST(hold_back, leaves_out_what_neither_is_there_nor_reported) {
  const auto made = hold_back(a_service({https, alt, dns}), a_service({https}), {dns});
  EXPECT_EQ(made.service, a_service({https, dns}));
  EXPECT_THAT(made.held, ElementsAre(alt));
}

TEST(hold_back, tells_protocols_apart) {
  const auto made = hold_back(a_service({{53, "TCP"}, {53, "UDP"}}), a_service({{53, "UDP"}}), {});
  EXPECT_THAT(made.held, ElementsAre(service_port{53, "TCP"}));
}

TEST(hold_back, lets_a_removal_through_at_once) {
  const auto made = hold_back(a_service({https}), a_service({https, alt}), {});
  EXPECT_EQ(made.service, a_service({https}));
  EXPECT_THAT(made.held, IsEmpty());
}

TEST(hold_back, never_leaves_a_service_without_ports) {
  const auto made = hold_back(a_service({alt}), a_service({https}), {});
  EXPECT_EQ(made.service, a_service({https}));
  EXPECT_THAT(made.held, ElementsAre(alt));
  EXPECT_EQ(hold_back(a_service({alt}), a_service({https}), {alt}).service, a_service({alt}));
}

TEST(waits_for_reports, only_services_of_gateways_that_reload) {
  kube::external_service_spec spec;
  spec.config_delivery = "Reload";
  const auto reloading = testing::an_external_service(spec), plain = testing::an_external_service();
  using enum gateway_profile;
  EXPECT_EQ(waits_for_reports(kube::kind::service, *reloading, hardened), ports{});
  EXPECT_EQ(waits_for_reports(kube::kind::service, *reloading, compatible), std::nullopt);
  EXPECT_EQ(waits_for_reports(kube::kind::service, *plain, hardened), std::nullopt);
  EXPECT_EQ(waits_for_reports(kube::kind::deployment, *reloading, hardened), std::nullopt);
}

TEST(endpoint_slices, are_those_of_the_service) {
  EXPECT_EQ(endpoint_slices_path("gateways", "web"),
            "/apis/discovery.k8s.io/v1/namespaces/gateways/endpointslices"
            "?labelSelector=kubernetes.io%2Fservice-name%3Dweb");
}

gateway_pods pods_in(std::string_view items) {
  auto made = pods_of(R"({"kind":"EndpointSliceList","items":[)" + std::string(items) + "]}");
  return made ? *made : gateway_pods{{made.error().message}, 99};
}

TEST(pods, are_the_first_address_of_each_endpoint_once) {
  const auto found = pods_in(R"({"addressType":"IPv4","endpoints":[
                          {"addresses":["10.0.0.2","10.9.9.9"],"conditions":{"ready":true}},
                          {"addresses":["10.0.0.3"],"conditions":{"ready":false,"terminating":false}},
                          {"addresses":["10.0.0.4"],"conditions":{"ready":false,"terminating":true}},
                          {"addresses":["10.0.0.5"],"conditions":{"ready":false}},
                          {"addresses":["10.0.0.1"],"conditions":{}}]},
                       {"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.2"]}]},
                       {"addressType":"IPv6","endpoints":[{"addresses":["fd00::1"],"conditions":{"ready":true}}]})");
  EXPECT_THAT(found.ready, ElementsAre("10.0.0.1", "10.0.0.2"));
  EXPECT_EQ(found.coming, 2u) << "neither ready nor on their way out";
}

TEST(pods, are_of_ipv6_where_there_is_nothing_else) {
  EXPECT_EQ(pods_in(R"({"addressType":"IPv6","endpoints":[{"addresses":["fd00::1"]},
                                                   {"addresses":["fd00::2"],"conditions":{"ready":false}}]},
                       {"addressType":"IPv4","endpoints":null},
                       {"addressType":"FQDN","endpoints":[{"addresses":["a.example"]}]})"),
            (gateway_pods{{"fd00::1"}, 1}));
}

TEST(pods, may_be_none_and_must_be_readable) {
  EXPECT_EQ(pods_in(""), gateway_pods{});
  EXPECT_EQ(
      pods_in(
          R"(7,{"endpoints":7},{"addressType":"IPv4","endpoints":[7,{"addresses":[]},{"addresses":[7]}]})"),
      gateway_pods{});
  for (const auto* text : {"", "[]", "{}", R"({"items":7})"}) EXPECT_FALSE(pods_of(text)) << text;
}

TEST(report, has_the_ports_that_every_pod_listens_on) {
  const std::vector<pod_answer> pods{{{"admin", "web_TCP_8443", "web_UDP_53"}}, {{"admin", "web_TCP_8443"}}};
  const auto made = report_of("web", {alt, dns}, pods);
  EXPECT_THAT(made.reported, ElementsAre(alt));
  EXPECT_THAT(made.why, HasSubstr("53/UDP"));
  EXPECT_THAT(made.why, HasSubstr("1 of 2 ready pods"));
  EXPECT_EQ(report_of("web", {alt}, pods).why, "");
}

TEST(report, names_a_pod_that_cannot_be_asked) {
  const std::vector<pod_answer> pods{{{"web_TCP_8443"}}, {{}, "10.0.0.2: connection refused"}};
  const auto made = report_of("web", {alt}, pods);
  EXPECT_THAT(made.reported, IsEmpty());
  EXPECT_THAT(made.why, HasSubstr("10.0.0.2: connection refused"));
}

TEST(report, needs_a_ready_pod) {
  const auto made = report_of("web", {alt}, {});
  EXPECT_THAT(made.reported, IsEmpty());
  EXPECT_THAT(made.why, HasSubstr("no pod is ready"));
}

TEST(listeners, have_the_names_that_envoy_knows_them_by) {
  EXPECT_THAT(listeners_of("web", {alt, dns}), ElementsAre("web_TCP_8443", "web_UDP_53"));
}

}  // namespace
}  // namespace egress::reconciler
