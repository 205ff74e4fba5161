#include "actors/reconciler/status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/reconciler/happenings.hpp"
#include "tests/unit/reconciler/fixtures.hpp"

namespace egress::reconciler {
namespace {

using namespace testing;
using enum kube::kind;
using ::testing::HasSubstr;
using ::testing::Not;

class Status : public ::testing::Test {
 protected:
  Status() {
    spec.dns_name = "a.com";
    spec.ports = {{8443, "TCP"}, {11000, ""}};
    spec.hijack_dns = true;
    auto gateway = child(deployment);
    body(gateway).ready_replicas = 2;
    body(gateway).replicas = 3;
    body(gateway).observed_generation = 4;
    gateway->meta.generation = 4;
    deployment_ = gateway;
    auto front = child(service);
    body(front).hijack_label = "true";
    body(front).dns_name = "A.com.";
    body(front).cluster_ips = {"10.0.0.4", "fd00::4"};
    service_ = front;
  }

  kube::external_service_status of() {
    const auto es = an_external_service(spec);
    live[kube::child_index(deployment)] = deployment_;
    live[kube::child_index(service)] = service_;
    return status_of({*es, previous, refused, outcomes, live, "cafe", profile, internal_error, now,
                      search_domains, waits_for_listeners});
  }
  void problem(kube::kind at, child_state state, const std::string& message) {
    outcomes[kube::child_index(at)].state = state;
    outcomes[kube::child_index(at)].message = message;
  }
  // "status/reason", or "" when there is none.
  static std::string told(const kube::external_service_status& status, std::string_view type) {
    const auto one = status.conditions.find(type);
    return one ? std::string(one->status).append("/").append(one->reason) : "";
  }
  static std::string message(const kube::external_service_status& status, std::string_view type) {
    const auto one = status.conditions.find(type);
    return std::string(one ? one->message : "");
  }

  kube::external_service_spec spec;
  kube::external_service_status previous;
  std::optional<refusal> refused;
  child_outcomes outcomes;
  live_children live;
  std::shared_ptr<kube::object> deployment_, service_;
  gateway_profile profile = gateway_profile::hardened;
  std::optional<std::string> internal_error;
  std::vector<std::string> search_domains;
  std::string waits_for_listeners;
  wall_time now{std::chrono::sys_days{std::chrono::year{2026} / 1 / 2}};
};

TEST_F(Status, OfAGatewayThatServes) {
  const auto status = of();
  EXPECT_EQ(status.observed_generation, 3);
  EXPECT_EQ(status.ports, "8443/TCP,11000/TCP");
  EXPECT_EQ(status.cluster_ip, "10.0.0.4");
  EXPECT_EQ(status.ready_replicas, 2);
  EXPECT_EQ(status.config_hash, "cafe");
  EXPECT_EQ(told(status, "Accepted"), "True/Accepted");
  EXPECT_EQ(told(status, "GatewayReady"), "True/GatewayReady");
  EXPECT_EQ(told(status, "DNSHijacked"), "True/DNSHijacked");
  EXPECT_EQ(told(status, "Ready"), "True/Ready");
  EXPECT_EQ(told(status, "Stalled"), "");
  EXPECT_EQ(told(status, "Reconciling"), "");
  EXPECT_EQ(message(status, "DNSHijacked"), "a.com is answered with 10.0.0.4, fd00::4");
  for (const auto& one : status.conditions.all()) EXPECT_EQ(one.observed_generation, 3);
}

TEST_F(Status, WithoutHijackIsReadyAndSaysDisabled) {
  spec.hijack_dns = false;
  EXPECT_EQ(told(of(), "DNSHijacked"), "False/Disabled");
  EXPECT_EQ(told(of(), "Ready"), "True/Ready");
}

TEST_F(Status, OfARefusedOneIsStalledAndKeepsWhatItHas) {
  refused = refusal{"InvalidDNSName", "dnsName is empty"};
  previous.config_hash = "beef";
  const auto status = of();
  EXPECT_EQ(told(status, "Accepted"), "False/InvalidDNSName");
  EXPECT_EQ(told(status, "Ready"), "False/InvalidDNSName");
  EXPECT_EQ(told(status, "Stalled"), "True/InvalidDNSName");
  EXPECT_EQ(told(status, "GatewayReady"), "True/GatewayReady");
}

TEST_F(Status, GatewayReadyFollowsTheDeployment) {
  body(deployment_).ready_replicas = 0;
  EXPECT_EQ(told(of(), "GatewayReady"), "False/NoReadyReplicas");
  EXPECT_EQ(told(of(), "Ready"), "False/NoReadyReplicas");
  EXPECT_EQ(told(of(), "Reconciling"), "True/NoReadyReplicas");
  body(deployment_).ready_replicas = 2;
  deployment_->meta.generation = 5;
  EXPECT_EQ(told(of(), "GatewayReady"), "False/RolloutPending");
  body(deployment_).replicas = 0;
  EXPECT_EQ(told(of(), "GatewayReady"), "False/ScaledToZero");
  EXPECT_EQ(told(of(), "Stalled"), "True/ScaledToZero");
  deployment_ = nullptr;
  EXPECT_EQ(told(of(), "GatewayReady"), "False/DeploymentMissing");
  EXPECT_EQ(of().ready_replicas, 0);
}

TEST_F(Status, SaysWhyAnEnvoyOfTheCompatibleProfileDoesNotStart) {
  spec.ports.push_back({53, "UDP"});
  body(deployment_).ready_replicas = 0;
  EXPECT_EQ(told(of(), "GatewayReady"), "False/NoReadyReplicas");
  profile = gateway_profile::compatible;
  EXPECT_EQ(told(of(), "GatewayReady"), "False/EnvoyRejectsUDP");
  EXPECT_THAT(message(of(), "GatewayReady"), HasSubstr("--gateway-profile=hardened")) << "what to do";
  body(deployment_).ready_replicas = 3;
  EXPECT_EQ(told(of(), "GatewayReady"), "False/EnvoyRejectsUDP") << "those are pods without the UDP port";
  EXPECT_EQ(told(of(), "Stalled"), "True/EnvoyRejectsUDP");
  profile = gateway_profile::hardened;
  EXPECT_EQ(told(of(), "GatewayReady"), "True/GatewayReady");
}

TEST_F(Status, DnsHijackedFollowsTheService) {
  body(service_).cluster_ips.clear();
  EXPECT_EQ(told(of(), "DNSHijacked"), "False/NoClusterIP");
  EXPECT_EQ(of().cluster_ip, "");
  body(service_).hijack_label = "waiting-for-pods";
  EXPECT_EQ(told(of(), "DNSHijacked"), "False/WaitingForPods");
  EXPECT_EQ(told(of(), "Ready"), "False/WaitingForPods");
  service_ = nullptr;
  previous.cluster_ip = "10.0.0.9";
  EXPECT_EQ(told(of(), "DNSHijacked"), "False/ServiceMissing");
  EXPECT_EQ(of().cluster_ip, "10.0.0.9");
}

// As DNS does.
TEST_F(Status, DnsHijackedGoesOnAsLongAsTheSpecIsTheSame) {
  previous = of();
  ASSERT_EQ(told(previous, "DNSHijacked"), "True/DNSHijacked");
  const auto front = service_;
  service_ = nullptr;
  EXPECT_EQ(told(of(), "DNSHijacked"), "True/LastAnswer");
  EXPECT_EQ(told(of(), "Ready"), "False/LastAnswer");
  EXPECT_EQ(of().cluster_ip, "10.0.0.4");
  previous = of();
  EXPECT_FALSE(differs(previous, of()));
  service_ = front;
  body(service_).hijack_label = "waiting-for-pods";
  body(service_).cluster_ips = {"10.0.0.5"};
  EXPECT_EQ(told(of(), "DNSHijacked"), "True/LastAnswer");
  EXPECT_EQ(of().cluster_ip, "10.0.0.4") << "what DNS answers";
  for (const std::string why : {"DNSNameTaken", "ClusterName"})
    for (const auto* label : {"waiting-for-pods", "true"}) {
      refused = {why, "it is not its own"};
      body(service_).hijack_label = label;
      EXPECT_EQ(told(of(), "DNSHijacked"), "False/" + why);
      EXPECT_EQ(of().cluster_ip, "10.0.0.5");
    }
  body(service_).hijack_label = "waiting-for-pods";
  refused.reset();
  previous.observed_generation = 2;
  EXPECT_EQ(told(of(), "DNSHijacked"), "False/WaitingForPods") << "it may have been another name";
  body(service_).hijack_label = "true";
  body(service_).dns_name = "b.com";
  EXPECT_EQ(told(of(), "DNSHijacked"), "False/OtherName") << "this spec was refused, or not written yet";
}

TEST_F(Status, TheChildrenOfOthersDoNotCount) {
  set_controller(body(deployment_), "x", "Team");
  problem(deployment, child_state::name_taken, "Deployment web is somebody's");
  set_controller(body(service_), "old");
  problem(service, child_state::replacing, "Service web is old");
  const auto status = of();
  EXPECT_EQ(told(status, "GatewayReady"), "False/NameTaken");
  EXPECT_EQ(told(status, "DNSHijacked"), "False/Replacing");
  EXPECT_EQ(told(status, "Ready"), "False/NameTaken");
  EXPECT_EQ(told(status, "Stalled"), "True/NameTaken");
  EXPECT_EQ(status.ready_replicas, 0);
}

TEST_F(Status, OneBadChildMakesItUnready) {
  problem(network_policy, child_state::rejected, "NetworkPolicy web: no");
  problem(config_map, child_state::rejected, "ConfigMap web: no");
  EXPECT_EQ(told(of(), "Ready"), "False/ChildRejected");
  EXPECT_EQ(message(of(), "Ready"), "ConfigMap web: no; NetworkPolicy web: no");
  EXPECT_EQ(told(of(), "GatewayReady"), "True/GatewayReady");
  outcomes = {};
  problem(network_policy, child_state::failed, "500");
  EXPECT_EQ(told(of(), "Ready"), "False/InternalError");
  EXPECT_EQ(told(of(), "Reconciling"), "True/InternalError");
  outcomes = {};
  problem(network_policy, child_state::deleting, "going");
  EXPECT_EQ(told(of(), "Ready"), "False/Replacing");
  outcomes = {};
  problem(network_policy, child_state::held_back, "not the leader");
  EXPECT_EQ(told(of(), "Ready"), "True/Ready");
}

TEST_F(Status, OfARunThatFailedItself) {
  internal_error = "the reconciler died";
  EXPECT_EQ(told(of(), "Ready"), "False/InternalError");
  EXPECT_EQ(message(of(), "Ready"), "the reconciler died");
}

TEST_F(Status, SaysWhatHasNoEffect) {
  spec.tls_sni = "Enforce";
  spec.config_delivery = "Reload";
  spec.allow_private = true;
  spec.dns_clients = {"10.0.0.0/8"};
  EXPECT_EQ(told(of(), "Accepted"), "True/Accepted");
  profile = gateway_profile::compatible;
  EXPECT_EQ(told(of(), "Accepted"), "True/AcceptedWithReservations");
  EXPECT_THAT(message(of(), "Accepted"), HasSubstr("spec.tls.sni, spec.configDelivery, spec.allowPrivate"));
  EXPECT_THAT(message(of(), "Accepted"), Not(HasSubstr("dnsClients"))) << "it is about DNS";
}

TEST_F(Status, SaysWhenAWildcardCoversASearchDomain) {
  search_domains = {"corp.example.com"};
  spec.dns_name = body(service_).dns_name = "*.Example.com.";
  const auto covered = of();
  EXPECT_EQ(told(covered, "SearchDomainCovered"), "True/SearchDomainCovered");
  EXPECT_THAT(message(covered, "SearchDomainCovered"), HasSubstr("corp.example.com"));
  EXPECT_EQ(told(covered, "Ready"), "True/Ready");
  const auto es = an_external_service(spec);
  const auto is_told = [&](const kube::external_service_status& before) {
    return std::ranges::count(happenings_of(*es, before, covered), "SearchDomainCovered", &happening::reason);
  };
  EXPECT_EQ(is_told({}), 1);
  EXPECT_EQ(is_told(covered), 0) << "once is enough";
  spec.hijack_dns = false;
  EXPECT_EQ(told(of(), "SearchDomainCovered"), "");
  spec.hijack_dns = true;
  spec.dns_name = "*.example.org";
  EXPECT_EQ(told(of(), "SearchDomainCovered"), "");
}

TEST_F(Status, SaysWhenAnOverrideOfAUdpPortIsNotChecked) {
  spec.ip_override = {"192.0.2.1"};
  spec.ports = {{53, "UDP"}, {53, "TCP"}};
  EXPECT_EQ(told(of(), "Accepted"), "True/Accepted");
  spec.ports = {{53, "UDP"}};
  EXPECT_THAT(message(of(), "Accepted"), HasSubstr("UDP port 53"));
}

TEST_F(Status, SaysThatUdpPassesBesideAnEnforcedName) {
  spec.tls_sni = "Enforce";
  spec.ports = {{443, "TCP"}, {443, "UDP"}};
  EXPECT_EQ(told(of(), "Accepted"), "True/AcceptedWithReservations");
  EXPECT_THAT(message(of(), "Accepted"), HasSubstr("UDP port 443 lets all pass"));
}

TEST_F(Status, DiffersInWordsOnlyWhereNothingElseDoes) {
  problem(network_policy, child_state::failed, "read tcp 10.0.0.1:45678: connection reset");
  const auto before = of();
  EXPECT_FALSE(differs_in_words_only(before, before));
  problem(network_policy, child_state::failed, "read tcp 10.0.0.1:45679: connection reset");
  const auto after_it = of();
  EXPECT_TRUE(differs_in_words_only(before, after_it));
  auto other = after_it;
  other.ready_replicas = 7;
  EXPECT_FALSE(differs_in_words_only(before, other));
  problem(network_policy, child_state::rejected, "no");
  EXPECT_FALSE(differs_in_words_only(before, of())) << "another reason";
  EXPECT_FALSE(differs_in_words_only({}, before));
}

TEST_F(Status, TransitionTimesStayUntilTheStatusFlips) {
  previous = of();
  const std::string first(previous.conditions.find("Ready")->last_transition_time);
  EXPECT_EQ(first, "2026-01-02T00:00:00Z");
  now += std::chrono::hours(1);
  EXPECT_FALSE(differs(previous, of()));
  body(deployment_).ready_replicas = 0;
  const auto after_it = of();
  EXPECT_TRUE(differs(previous, after_it));
  EXPECT_EQ(after_it.conditions.find("Ready")->last_transition_time, "2026-01-02T01:00:00Z");
  EXPECT_EQ(after_it.conditions.find("Accepted")->last_transition_time, first);
}

TEST_F(Status, AServersLongMessageIsCutBetweenCharacters) {
  std::string text(1019, 'x');
  for (int i = 0; i < 20; ++i) text += "ä";
  problem(network_policy, child_state::rejected, text);
  const auto cut = message(of(), "Ready");
  EXPECT_LE(cut.size(), 1024u);
  EXPECT_TRUE(cut.ends_with("xä...") || cut.ends_with("x...")) << cut.substr(1000);
}

TEST_F(Status, IsPatchedWholeAndGuarded) {
  spec.ports = {{443, "TCP"}};
  service_ = nullptr;
  auto status = of();
  status.conditions = {status.conditions.all().front()};
  EXPECT_EQ(status_patch(status, "100"), tree(R"({"status":{"observedGeneration":3,"conditions":[
      {"type":"Ready","status":"False","reason":"ServiceMissing","message":"there is no Service yet",
       "lastTransitionTime":"2026-01-02T00:00:00Z","observedGeneration":3}],
      "readyReplicas":2,"clusterIP":null,"configHash":"cafe","ports":"443/TCP"},
      "metadata":{"resourceVersion":"100"}})"));
  EXPECT_FALSE(status_patch(status, "").contains("metadata"));
}

TEST_F(Status, AfterARunWhatWasWrittenIsLive) {
  live[kube::child_index(deployment)] = deployment_;
  live[kube::child_index(service)] = service_;
  const auto written = child(service, 9);
  outcomes[kube::child_index(service)].now = written;
  outcomes[kube::child_index(deployment)].state = child_state::removed;
  const auto all = after(live, outcomes);
  EXPECT_EQ(all[kube::child_index(service)], written);
  EXPECT_EQ(all[kube::child_index(deployment)], nullptr);
}

TEST_F(Status, OfAServiceThatWaitsForListenersIsOnItsWay) {
  waits_for_listeners = "8443/TCP waits";
  EXPECT_EQ(told(of(), "Ready"), "False/WaitingForListeners");
  EXPECT_EQ(message(of(), "Ready"), "8443/TCP waits");
  EXPECT_EQ(told(of(), "Reconciling"), "True/WaitingForListeners");
  EXPECT_EQ(told(of(), "Stalled"), "");
  EXPECT_EQ(told(of(), "GatewayReady"), "True/GatewayReady") << "what there was goes on";
  EXPECT_EQ(told(of(), "DNSHijacked"), "True/DNSHijacked");
}

}  // namespace
}  // namespace egress::reconciler
