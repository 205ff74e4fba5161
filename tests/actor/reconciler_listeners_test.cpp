// configDelivery Reload: a Service gets a new port when its ready pods report the listener, and not before.

#include <gmock/gmock.h>

#include <map>

#include "actors/gateways/gateways_actor.hpp"
#include "tests/actor/reconciling.hpp"

namespace egress {
namespace {

using gateways::pod_answer;
using kube::verb;
using ::testing::HasSubstr;

void merge(json::object& into, const json::object& patch) {
  for (const auto& [key, value] : patch) {
    auto& member = into[key];
    if (value.is_null()) {
      into.erase(key);
    } else if (value.is_object()) {
      if (!member.is_object()) member.emplace_object();
      merge(member.get_object(), value.get_object());
    } else {
      member = value;
    }
  }
}

// An API server that has what was written, and pods that have what they are told to.
struct reloading : test::reconciling {
  void SetUp() override {
    reconciling::SetUp();
    gateways = world.system().spawn(gateways_behavior,
                                    pods_asker{[this](const gateway_question& what, const auto& done) {
                                      questions.push_back(what);
                                      done(pods);
                                    }});
    change("[443]");
    reconcile();
  }
  void TearDown() override {
    caf::anon_send_exit(gateways, caf::exit_reason::kill);
    reconciling::TearDown();
  }
  // Another generation, with these numbers of TCP ports.
  void change(const std::string& numbers, const std::string& delivery = "Reload") {
    const auto generation = std::to_string(++generation_);
    json::array ports;
    for (const auto& number : json::parse_object(R"({"all":)" + numbers + "}")->at("all").as_array())
      ports.push_back(json::object{{"port", number}});
    service = decoded(kube::kind::external_service,
                      R"({"metadata":{"name":"a","uid":"u","resourceVersion":")" + generation +
                          R"(","generation":)" + generation + R"(},"spec":{"dnsName":"a.example",)" +
                          R"("configDelivery":")" + delivery + R"(","ports":)" +
                          json::to_text(json::object{{"p", ports}}).substr(5) + "}");
  }
  // Until nothing is asked for any more; what was written, by kind and verb.
  std::vector<std::string> reconcile(reconciler::kind_mask changed = {}) {
    writes.clear();
    run(changed);
    for (auto asked = take_all(); !asked.empty(); asked = take_all()) {
      for (const auto& one : asked) serve(one);
      world.settle();
    }
    return writes;
  }
  void serve(const test::api_script::request& asked) {
    const auto& what = asked.what;
    if (what.what == verb::get_raw) {
      paths.push_back(what.path);
      return test::answer(api, asked.ticket, slices);
    }
    auto& object = stored[what.of];
    if (what.what == verb::patch_status) {
      status = json::to_text(*json::parse_object(what.body));
      return accept_status(asked);
    }
    if (what.what == verb::create) object = *json::parse_object(what.body);
    // Its pods are ready at once.
    if (what.of == kube::kind::deployment) object["status"] = json::object{{"readyReplicas", 2}};
    if (what.what == verb::patch) merge(object, *json::parse_object(what.body));
    if (what.what != verb::get) {
      writes.emplace_back(kube::info(what.of).name);
      auto& meta = object["metadata"].as_object();
      meta["uid"] = "child";
      meta["resourceVersion"] = std::to_string(++version);
    }
    const auto text = json::to_text(object);
    test::answer(api, asked.ticket, kube::reply{kube::document{text, decoded(what.of, text)}});
  }
  std::string ports() {
    std::string all;
    for (const auto& one : stored[kube::kind::service].at("spec").at("ports").as_array())
      all += (all.empty() ? "" : " ") + json::to_text(json::object{{"p", one.at("port")}}).substr(5);
    std::erase(all, '}');
    return all;
  }
  static kube::reply ready_pods(const std::string& addresses) {
    return kube::document{R"({"items":[{"addressType":"IPv4","endpoints":[)" + addresses + "]}]}", nullptr};
  }
  std::optional<milliseconds> again() { return notes.results.back()->how.requeue_after; }

  std::map<kube::kind, json::object> stored;
  std::vector<std::string> writes, paths;
  std::string status;
  std::vector<gateway_question> questions;
  std::vector<pod_answer> pods;
  kube::reply slices = ready_pods(R"({"addresses":["10.0.0.1"]},{"addresses":["10.0.0.2"]})");
  int generation_ = 0;
};

const pod_answer has_both{{"a_TCP_443", "a_TCP_8443"}, {}}, has_one{{"a_TCP_443"}, {}};

TEST_F(reloading, a_new_service_has_all_ports_and_nobody_is_asked) {
  EXPECT_EQ(ports(), "443");
  EXPECT_TRUE(paths.empty());
  EXPECT_EQ(again(), std::nullopt);
}

TEST_F(reloading, a_port_waits_until_every_ready_pod_has_its_listener) {
  change("[443,8443]");
  pods = {has_both, has_one};
  EXPECT_THAT(reconcile(), ::testing::UnorderedElementsAre("ConfigMap", "NetworkPolicy"));
  EXPECT_EQ(ports(), "443");
  EXPECT_THAT(status, HasSubstr("WaitingForListeners"));
  EXPECT_THAT(status, HasSubstr("8443/TCP (1 of 2 ready pods listen there)"));
  ASSERT_EQ(questions.size(), 1u);
  EXPECT_THAT(questions[0].addresses, ::testing::ElementsAre("10.0.0.1", "10.0.0.2"));
  EXPECT_EQ(questions[0].port, 11000);
  EXPECT_EQ(again(), milliseconds{1000});
  pods = {has_both, has_both};
  EXPECT_THAT(reconcile(), ::testing::ElementsAre("Service"));
  EXPECT_EQ(ports(), "443 8443");
  EXPECT_THAT(status, ::testing::Not(HasSubstr("WaitingForListeners")));
  EXPECT_EQ(again(), std::nullopt);
  questions.clear();
  EXPECT_THAT(reconcile(), ::testing::IsEmpty());
  EXPECT_TRUE(questions.empty()) << "nothing is asked in the steady state";
}

// It began with the old configuration, perhaps, and is given connections as soon as it is ready.
TEST_F(reloading, a_pod_that_comes_up_is_waited_for_and_not_for_ever) {
  change("[443,8443]");
  pods = {has_both};
  slices =
      ready_pods(R"({"addresses":["10.0.0.1"]},{"addresses":["10.0.0.2"],"conditions":{"ready":false}})");
  reconcile();
  EXPECT_EQ(ports(), "443");
  EXPECT_THAT(status, HasSubstr("1 of 2 pods are coming up"));
  EXPECT_TRUE(questions.empty());
  int runs = 1;
  for (; ports() == "443" && runs < 100; ++runs) reconcile();
  EXPECT_EQ(runs, 31) << "one that never is ready keeps no port for ever";
  change("[443,8443,80]");
  reconcile();
  EXPECT_EQ(ports(), "443 8443");
  slices = ready_pods(R"({"addresses":["10.0.0.1"]})");
  pods = {pod_answer{{"a_TCP_443", "a_TCP_8443", "a_TCP_80"}, {}}};
  reconcile();
  EXPECT_EQ(ports(), "443 8443 80");
}

TEST_F(reloading, waiting_is_asked_about_less_and_less_often_and_writes_nothing) {
  change("[443,8443]");
  reconcile();
  std::vector<long> waits;
  for (int i = 0; i < 6; ++i) {
    EXPECT_THAT(reconcile(), ::testing::IsEmpty());
    waits.push_back(again()->count());
  }
  EXPECT_THAT(waits, ::testing::ElementsAre(2000, 4000, 8000, 10000, 10000, 10000));
}

// Each asks for another run in its own time: the sooner one counts.
TEST_F(reloading, a_child_that_somebody_undoes_is_mended_each_second_while_a_port_waits) {
  change("[443,8443]");
  pods = {has_one};
  reconcile();
  constexpr auto policy = kube::kind::network_policy;
  for (int i = 0; i < 20; ++i) {
    auto& undone = stored[policy];
    undone["spec"].as_object()["podSelector"] = json::object{};
    undone["metadata"].as_object()["resourceVersion"] = std::to_string(++version);
    children[kube::child_index(policy)] = decoded(policy, json::to_text(undone));
    reconcile(static_cast<reconciler::kind_mask>(1U << kube::child_index(policy)));
  }
  EXPECT_THAT(writes, ::testing::IsEmpty()) << "slowed down";
  EXPECT_EQ(ports(), "443");
  ASSERT_TRUE(again());
  EXPECT_LE(*again(), milliseconds{1'000});
}

TEST_F(reloading, a_port_is_removed_at_once_and_the_last_one_stays_until_another_is_there) {
  change("[8443]");
  pods = {has_one};
  reconcile();
  EXPECT_EQ(ports(), "443");
  pods = {has_both};
  reconcile();
  EXPECT_EQ(ports(), "8443");
  change("[8443,80]");
  pods = {has_both};
  reconcile();
  EXPECT_EQ(ports(), "8443");
}

TEST_F(reloading, without_ready_pods_or_their_addresses_it_waits) {
  change("[443,8443]");
  slices = ready_pods("");
  reconcile();
  EXPECT_THAT(status, HasSubstr("no pod is ready"));
  slices = std::unexpected(test::failure(kube::api_errc::forbidden, "endpointslices are forbidden"));
  reconcile();
  EXPECT_THAT(status, HasSubstr("endpointslices are forbidden"));
  slices = kube::document{"{}", nullptr};
  reconcile();
  EXPECT_THAT(status, HasSubstr("cannot be read"));
  EXPECT_EQ(ports(), "443");
  EXPECT_TRUE(questions.empty());
}

TEST_F(reloading, an_actor_that_died_is_a_question_without_an_answer) {
  change("[443,8443]");
  caf::anon_send_exit(gateways, caf::exit_reason::kill);
  world.settle();
  run();
  for (auto asked = take_all(); !asked.empty(); asked = take_all()) {
    for (const auto& one : asked) serve(one);
    world.advance(seconds{11});
  }
  EXPECT_EQ(ports(), "443");
  EXPECT_THAT(status, HasSubstr("nobody is there to ask them"));
}

TEST_F(reloading, back_to_restart_all_ports_are_there_at_once) {
  change("[443,8443]");
  reconcile();
  EXPECT_EQ(ports(), "443");
  change("[443,8443]", "Restart");
  reconcile();
  EXPECT_EQ(ports(), "443 8443");
  EXPECT_EQ(again(), std::nullopt);
}

}  // namespace
}  // namespace egress
