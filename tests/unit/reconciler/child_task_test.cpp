#include "actors/reconciler/child_task.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/reconciler/fixtures.hpp"

namespace egress::reconciler {
namespace {

using namespace testing;
using enum kube::kind;
using kube::api_errc;
using kube::verb;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

constexpr auto wanted_json = R"({"spec":{"x":1}})";
constexpr auto live_json = R"({"metadata":{"resourceVersion":"7"},"spec":{"x":5,"y":1}})";

constexpr auto address_is_taken =
    "Service \"web\" is invalid: spec.clusterIPs: Invalid value: [\"10.0.0.9\"]: failed to allocate IP "
    "10.0.0.9: "
    "provided IP is already allocated";

kube::reply error_of(api_errc code, std::string message = "the server's message") {
  return std::unexpected(kube::api_error{code, 0, "Reason", std::move(message), {}});
}
kube::reply object_of(kube::object_ptr decoded, std::string json = "{}") {
  return kube::document{std::move(json), std::move(decoded)};
}

class ChildTask : public ::testing::Test {
 protected:
  // wanted with digest 2; live, when given, has digest 1.
  void begin(kube::kind of, kube::object_ptr live, std::string_view wanted = wanted_json) {
    child_task_input in;
    in.external_service = an_external_service();
    in.name_space = "ns";
    in.of = of;
    in.wanted = rendered(of, 2, tree(wanted));
    in.live = std::move(live);
    in.alone = alone;
    in.previous_cluster_ip = previous_ip;
    in.insist_on_cluster_ip = insist;
    begin(std::move(in));
  }
  void begin(child_task_input in) {
    task.emplace(std::move(in));
    step = task->start();
  }
  void answer(const kube::reply& reply) { step = task->next(reply); }

  const kube::request& asks(verb what) const {
    static const kube::request none;
    const auto* request = std::get_if<kube::request>(&step);
    EXPECT_NE(request, nullptr) << "it is done";
    if (!request) return none;
    EXPECT_EQ(request->what, what);
    EXPECT_EQ(request->name_space, "ns");
    return *request;
  }
  const child_outcome& ends(child_state how) const {
    static const child_outcome none;
    const auto* outcome = std::get_if<child_outcome>(&step);
    EXPECT_NE(outcome, nullptr) << "it goes on";
    if (!outcome) return none;
    EXPECT_EQ(outcome->state, how);
    return *outcome;
  }

  // Of one that has x 5 and y 1, in version 7.
  void asks_for_x_and_y_to_be_repaired() const {
    EXPECT_EQ(tree(asks(verb::patch).body),
              tree(R"({"spec":{"x":1,"y":null},"metadata":{"resourceVersion":"7"}})"));
  }
  void ends_with_x_and_y_repaired() {
    const auto now = child(deployment, 2, "8");
    answer(object_of(now));
    const auto& outcome = ends(child_state::written);
    EXPECT_EQ(outcome.did, action::repair);
    EXPECT_EQ(outcome.now, now);
    EXPECT_THAT(outcome.repaired, ElementsAre("/spec/x", "/spec/y"));
  }

  ineffective_fields alone;
  std::string previous_ip;
  bool insist = false;
  std::optional<child_task> task;
  child_task::step step;
};

TEST_F(ChildTask, CreatesWhatIsMissing) {
  begin(deployment, nullptr);
  EXPECT_EQ(asks(verb::create).body, R"({"spec":{"x":1}})");
  EXPECT_EQ(asks(verb::create).name, "");
  EXPECT_TRUE(asks(verb::create).metadata_only);
  answer(object_of(child(deployment, 0, "9")));
  const auto& outcome = ends(child_state::written);
  EXPECT_EQ(outcome.did, action::create);
  ASSERT_TRUE(outcome.now);
  EXPECT_EQ(outcome.now->meta.resource_version, "9");
  EXPECT_EQ(outcome.now->as_child().projected, digest(2)) << "as it was sent, until a watch shows otherwise";
}

TEST_F(ChildTask, OfANewServiceAllIsReadAsItsAddressIsNeeded) {
  begin(service, nullptr);
  EXPECT_FALSE(asks(verb::create).metadata_only);
  const auto made = child(service, 2);
  answer(object_of(made));
  EXPECT_EQ(ends(child_state::written).now, made);
}

TEST_F(ChildTask, LeavesWhatIsRight) {
  begin(deployment, child(deployment, 2));
  EXPECT_EQ(ends(child_state::in_order).did, action::nothing);
}

TEST_F(ChildTask, RepairsByOneGuardedPatch) {
  begin(deployment, child(deployment, 1));
  EXPECT_EQ(asks(verb::get).name, "web");
  answer(object_of(child(deployment, 1), live_json));
  asks_for_x_and_y_to_be_repaired();
  ends_with_x_and_y_repaired();
}

TEST_F(ChildTask, WhatAWatchHasJustShownIsRepairedWithoutReadingItAgain) {
  const auto json = std::make_shared<const std::string>(live_json);
  auto live = child(deployment, 1);
  live->recent_json = json;
  begin(deployment, live);
  asks_for_x_and_y_to_be_repaired();
  answer(error_of(api_errc::conflict));
  asks(verb::get);
  answer(object_of(child(deployment, 1, "8"), live_json));
  asks(verb::patch);
  answer(object_of(child(deployment, 2, "9")));
  EXPECT_EQ(ends(child_state::written).did, action::repair);
}

// One that is as it was made, and is to become something else.
child_task_input an_edit(kube::kind of = deployment) {
  child_task_input in;
  in.external_service = an_external_service();
  in.name_space = "ns";
  in.of = of;
  in.wanted = rendered(of, 2, tree(R"({"metadata":{"labels":{"a":"1"}},"spec":{"x":1}})"));
  in.live = child(of, 1);
  in.made_as =
      std::make_shared<json::object>(tree(R"({"metadata":{"labels":{"a":"1"}},"spec":{"x":5,"y":1}})"));
  return in;
}

TEST_F(ChildTask, AnEditOfWhatIsAsItWasMadeNeedsNoRead) {
  begin(an_edit());
  asks_for_x_and_y_to_be_repaired();
  ends_with_x_and_y_repaired();
}

TEST_F(ChildTask, AnEditThatSomebodyWasFasterThanIsMadeOfWhatIsRead) {
  begin(an_edit());
  answer(error_of(api_errc::conflict));
  asks(verb::get);
  answer(
      object_of(child(deployment, 3, "8"), R"({"metadata":{"resourceVersion":"8"},"spec":{"x":5,"z":1}})"));
  EXPECT_EQ(tree(asks(verb::patch).body).at("spec"), tree(R"({"x":1,"z":null})"));
}

// One that a webhook had made what it is to become, before a watch could tell.
TEST_F(ChildTask, AnEditThatChangesNothingIsLookedIntoAndNotTakenForIneffective) {
  begin(an_edit());
  answer(object_of(child(deployment, 1, "7")));
  asks(verb::get);
  answer(object_of(child(deployment, 2, "7"), R"({"metadata":{"resourceVersion":"7"},"spec":{"x":1}})"));
  const auto& outcome = ends(child_state::in_order);
  EXPECT_TRUE(outcome.ineffective.empty());
  EXPECT_TRUE(outcome.repaired.empty());
  EXPECT_EQ(outcome.did, action::nothing);
}

TEST_F(ChildTask, AnEditReadsWhereTheLiveOneDecidesWhatIsWritten) {
  auto ineffective = an_edit();
  ineffective.alone = {{"/spec/x", {}, {}}};
  auto waits_for_listeners = an_edit(service);
  waits_for_listeners.reported = ports{};
  auto without_version = an_edit();
  without_version.live = child(deployment, 1, "");
  auto adopted = an_edit();
  auto nobodys = child(deployment, 1);
  body(nobodys).controller.reset();
  adopted.live = nobodys;
  for (const auto& in : {ineffective, waits_for_listeners, without_version, adopted}) {
    begin(in);
    asks(verb::get);
  }
}

TEST_F(ChildTask, WritesNothingWhenReadingShowsThatNothingDiffers) {
  begin(deployment, child(deployment, 1));
  answer(object_of(child(deployment, 1), R"({"spec":{"x":1}})"));
  EXPECT_EQ(ends(child_state::in_order).compared, (settled{digest(1), digest(2)}));
}

TEST_F(ChildTask, AConflictIsReadAndTriedAgainAtOnceButNotForEver) {
  begin(deployment, child(deployment, 1));
  int conflicts = 0;
  while (std::holds_alternative<kube::request>(step) && conflicts < 20) {
    answer(object_of(child(deployment, 1), live_json));
    asks(verb::patch);
    answer(error_of(api_errc::conflict));
    ++conflicts;
  }
  EXPECT_EQ(conflicts, 6);
  EXPECT_THAT(ends(child_state::failed).message, HasSubstr("faster"));
}

TEST_F(ChildTask, AWriteThatChangesNothingIsRemembered) {
  begin(deployment, child(deployment, 1));
  answer(object_of(child(deployment, 1, "7"), live_json));
  answer(object_of(child(deployment, 1, "7"), live_json));
  const auto& outcome = ends(child_state::in_order);
  EXPECT_EQ(outcome.ineffective, unchanged({"/spec/x", "/spec/y"}, tree(wanted_json), tree(live_json)));
  EXPECT_EQ(outcome.compared, (settled{digest(1), digest(2)}));
  EXPECT_EQ(outcome.did, action::nothing);
}

TEST_F(ChildTask, NeverWritesForPathsThatHadNoEffect) {
  alone = unchanged({"/spec/x", "/spec/y"}, tree(wanted_json), tree(live_json));
  begin(deployment, child(deployment, 1));
  answer(object_of(child(deployment, 1), live_json));
  EXPECT_EQ(ends(child_state::in_order).compared, (settled{digest(1), digest(2)}));
}

// What a webhook makes of one field may depend on another.
TEST_F(ChildTask, WritesTheWholeWishWhenThereIsSomethingElseToWrite) {
  alone = unchanged({"/spec/x"}, tree(wanted_json), tree(live_json));
  begin(deployment, child(deployment, 1));
  answer(object_of(child(deployment, 1), live_json));
  EXPECT_EQ(tree(asks(verb::patch).body),
            tree(R"({"spec":{"x":1,"y":null},"metadata":{"resourceVersion":"7"}})"));
  answer(object_of(child(deployment, 1, "8"), live_json));
  EXPECT_THAT(ends(child_state::written).repaired, ElementsAre("/spec/y"));
}

TEST_F(ChildTask, AChildThatVanishedMeanwhileIsMade) {
  begin(deployment, child(deployment, 1));
  answer(error_of(api_errc::not_found));
  asks(verb::create);
  begin(deployment, child(deployment, 1));
  answer(object_of(child(deployment, 1), live_json));
  answer(error_of(api_errc::not_found));
  asks(verb::create);
}

TEST_F(ChildTask, ATakenNameIsReadAndDecided) {
  begin(service, nullptr);
  answer(error_of(api_errc::already_exists));
  asks(verb::get);
  auto foreign = child(service, 1);
  body(foreign).controller.reset();
  body(foreign).our_label = false;
  answer(object_of(foreign));
  EXPECT_THAT(ends(child_state::name_taken).message, HasSubstr("Service web"));
}

TEST_F(ChildTask, AChildOutsideTheInformersSelectorIsAdopted) {
  begin(service, nullptr);
  answer(error_of(api_errc::already_exists));
  auto unlabelled = child(service, 1);
  body(unlabelled).controller.reset();
  answer(object_of(unlabelled, live_json));
  asks(verb::patch);
  answer(object_of(child(service, 2, "8")));
  EXPECT_EQ(ends(child_state::written).did, action::adopt);
}

TEST_F(ChildTask, WhatWeMadeAndTheInformerHasNotShownIsInOrder) {
  begin(service, nullptr);
  answer(error_of(api_errc::already_exists));
  const auto ours = child(service, 2);
  answer(object_of(ours));
  EXPECT_EQ(ends(child_state::in_order).now, ours);
}

TEST_F(ChildTask, AServiceAsksForItsFormerAddressAndGoesWithoutWhenItIsTaken) {
  previous_ip = "10.0.0.9";
  begin(service, nullptr);
  EXPECT_EQ(asks(verb::create).body, R"({"spec":{"x":1,"clusterIP":"10.0.0.9"}})");
  answer(error_of(api_errc::invalid, address_is_taken));
  asks(verb::get);
  answer(error_of(api_errc::not_found));
  EXPECT_EQ(asks(verb::create).body, R"({"spec":{"x":1}})");
  answer(error_of(api_errc::invalid));
  ends(child_state::rejected);
}

TEST_F(ChildTask, AnAddressThatTheServiceItselfHoldsCostsNoOtherTry) {
  previous_ip = "10.0.0.9";
  insist = true;
  begin(service, nullptr);
  asks(verb::create);
  answer(error_of(api_errc::invalid, address_is_taken));
  asks(verb::get);
  answer(object_of(child(service, 1), live_json));
  asks(verb::patch);
  answer(object_of(child(service, 2, "8")));
  EXPECT_FALSE(ends(child_state::written).cluster_ip_taken);
}

TEST_F(ChildTask, WhileItInsistsOnAnAddressThatIsTakenItFailsToBeAskedAgain) {
  previous_ip = "10.0.0.9";
  insist = true;
  begin(service, nullptr);
  answer(error_of(api_errc::invalid, address_is_taken));
  asks(verb::get);
  answer(error_of(api_errc::not_found));
  EXPECT_TRUE(ends(child_state::failed).cluster_ip_taken);
}

TEST_F(ChildTask, WhatAPolicyRefusesIsAskedOnceMoreWithoutTheAddress) {
  previous_ip = "10.0.0.9";
  insist = true;
  begin(service, nullptr);
  asks(verb::create);
  answer(error_of(api_errc::invalid, "ValidatingAdmissionPolicy 'x' denied request: not here"));
  asks(verb::get);
  answer(error_of(api_errc::not_found));
  EXPECT_EQ(asks(verb::create).body, R"({"spec":{"x":1}})");
  answer(error_of(api_errc::invalid, "ValidatingAdmissionPolicy 'x' denied request: not here"));
  EXPECT_FALSE(ends(child_state::rejected).cluster_ip_taken);
}

TEST_F(ChildTask, AnImmutableConfigMapIsDeletedByUidAndMadeAgain) {
  auto live = child(config_map, 1);
  body(live).immutable = true;
  begin(config_map, live);
  EXPECT_EQ(asks(verb::remove).uid, "child-uid");
  answer(std::variant<std::monostate, kube::list_page, kube::document>{});
  asks(verb::create);
  answer(object_of(child(config_map, 2)));
  EXPECT_EQ(ends(child_state::written).did, action::replace);
}

TEST_F(ChildTask, ADeletionThatMeetsAnotherUidDecidesAgain) {
  auto live = child(config_map, 1);
  body(live).immutable = true;
  begin(config_map, live);
  answer(error_of(api_errc::conflict));
  asks(verb::get);
  answer(object_of(child(config_map, 2)));
  ends(child_state::in_order);
}

TEST_F(ChildTask, AFinalizerOnADeletedChildIsWaitedFor) {
  auto live = child(config_map, 1);
  body(live).immutable = true;
  begin(config_map, live);
  answer(error_of(api_errc::not_found));
  answer(error_of(api_errc::already_exists));
  live->meta.deleting = true;
  answer(object_of(live));
  ends(child_state::deleting);
}

TEST_F(ChildTask, RemovesWhatIsNotWanted) {
  child_task_input in;
  in.external_service = an_external_service();
  in.name_space = "ns";
  in.of = pod_disruption_budget;
  in.live = child(pod_disruption_budget);
  begin(in);
  asks(verb::remove);
  answer(error_of(api_errc::not_found));
  EXPECT_EQ(ends(child_state::removed).did, action::remove);
  begin(in);
  answer(error_of(api_errc::server_error));
  ends(child_state::failed);
}

TEST_F(ChildTask, APredecessorsChildIsLeftAlone) {
  auto live = child(service, 1);
  set_controller(body(live), "old");
  begin(service, live);
  ends(child_state::replacing);
}

TEST_F(ChildTask, RefusalsAreToldFromFailuresAndFromHeldBackWrites) {
  const std::map<api_errc, child_state> table{
      {api_errc::invalid, child_state::rejected},        {api_errc::forbidden, child_state::forbidden},
      {api_errc::bad_request, child_state::rejected},    {api_errc::server_error, child_state::failed},
      {api_errc::transport, child_state::failed},        {api_errc::timed_out, child_state::failed},
      {api_errc::not_found, child_state::failed},        {api_errc::unauthorized, child_state::failed},
      {api_errc::not_leader, child_state::held_back},    {api_errc::cancelled, child_state::held_back},
      {api_errc::too_many_requests, child_state::failed}};
  for (const auto& [code, state] : table) {
    begin(deployment, nullptr);
    answer(error_of(code));
    EXPECT_EQ(ends(state).message, "Deployment web: the server's message");
  }
}

TEST_F(ChildTask, AnAnswerThatIsNotTheObjectIsAFailure) {
  const kube::reply nothing = std::variant<std::monostate, kube::list_page, kube::document>{};
  begin(deployment, nullptr);
  answer(nothing);
  ends(child_state::failed);
  begin(deployment, child(deployment, 1));
  answer(nothing);
  ends(child_state::failed);
  begin(deployment, child(deployment, 1));
  answer(object_of(child(deployment, 1), "[not json"));
  ends(child_state::failed);
  begin(deployment, child(deployment, 1));
  answer(object_of(child(deployment, 1), live_json));
  answer(nothing);
  ends(child_state::failed);
  begin(deployment, child(deployment, 1));
  answer(object_of(child(deployment, 1), live_json));
  answer(error_of(api_errc::server_error));
  EXPECT_TRUE(ends(child_state::failed).repaired.empty());
}

class Service : public ChildTask {
 protected:
  // Wants ports 443 and 8443, and pods have reported these.
  void begin_with(ports reported) {
    child_task_input in;
    in.external_service = an_external_service();
    in.name_space = "ns";
    in.of = service;
    in.wanted = rendered(service, 2, tree(R"({"spec":{"ports":[{"port":443},{"port":8443}]}})"));
    in.live = child(service, 1);
    in.reported = std::move(reported);
    begin(std::move(in));
  }
  void answer_live(std::string_view spec) {
    answer(object_of(child(service, 1),
                     R"({"metadata":{"resourceVersion":"7"},"spec":)" + std::string(spec) + "}"));
  }
};

TEST_F(Service, KeepsANewPortBackUntilItIsReported) {
  begin_with({});
  answer_live(R"({"ports":[{"port":443}]})");
  const auto& outcome = ends(child_state::in_order);
  EXPECT_THAT(outcome.ports_held, ElementsAre(kube::service_port{8443, "TCP"}));
  EXPECT_EQ(outcome.compared, std::nullopt) << "it is looked at again";
  *task = task->knowing({{8443, "TCP"}});
  step = task->start();
  EXPECT_EQ(asks(verb::get).name, "web");
  answer_live(R"({"ports":[{"port":443}]})");
  EXPECT_EQ(tree(asks(verb::patch).body),
            tree(R"({"spec":{"ports":[{"port":443},{"port":8443}]},"metadata":{"resourceVersion":"7"}})"));
  answer(object_of(child(service, 2, "8")));
  EXPECT_THAT(ends(child_state::written).ports_held, ElementsAre());
}

TEST_F(Service, LosesAPortAtOnceWhileAnotherIsHeldBack) {
  begin_with({});
  answer_live(R"({"ports":[{"port":443},{"port":80}]})");
  EXPECT_EQ(tree(asks(verb::patch).body),
            tree(R"({"spec":{"ports":[{"port":443}]},"metadata":{"resourceVersion":"7"}})"));
  answer(object_of(child(service, 3, "8")));
  EXPECT_THAT(ends(child_state::written).ports_held, ElementsAre(kube::service_port{8443, "TCP"}));
}

// A webhook puts a field back, while a port waits for its listeners.
TEST_F(Service, WithAPortHeldBackIsLookedAtAgainThoughAWriteChangedNothing) {
  const auto live = R"({"metadata":{"resourceVersion":"7"},"spec":{"ports":[{"port":443}],"x":1}})";
  begin_with({});
  answer(object_of(child(service, 1), live));
  EXPECT_EQ(tree(asks(verb::patch).body), tree(R"({"spec":{"x":null},"metadata":{"resourceVersion":"7"}})"));
  answer(object_of(child(service, 1), live));
  const auto& outcome = ends(child_state::in_order);
  EXPECT_THAT(outcome.ports_held, ElementsAre(kube::service_port{8443, "TCP"}));
  EXPECT_EQ(outcome.compared, std::nullopt);
  EXPECT_THAT(outcome.ineffective, ElementsAre(Field(&ineffective_field::pointer, "/spec/x")));
}

TEST_F(Service, IsMadeWithAllOfItsPorts) {
  child_task_input in;
  in.external_service = an_external_service();
  in.name_space = "ns";
  in.of = service;
  in.wanted = rendered(service, 2, tree(R"({"spec":{"ports":[{"port":443}]}})"));
  in.reported.emplace();
  begin(std::move(in));
  EXPECT_EQ(asks(verb::create).body, R"({"spec":{"ports":[{"port":443}]}})");
}

TEST(ChildOutcome, OfTwoTasksIsTheSecondsWithWhatTheFirstDid) {
  child_outcome first, second;
  first.did = action::repair;
  first.now = child(service, 3);
  first.ineffective = {{"/a", {}, {}}};
  second.state = child_state::failed;
  second.ineffective = {{"/b", {}, {}}};
  const auto both = joined(first, second);
  EXPECT_EQ(both.state, child_state::failed);
  EXPECT_EQ(both.did, action::repair);
  EXPECT_EQ(both.now, first.now);
  EXPECT_THAT(both.ineffective, ElementsAre(Field(&ineffective_field::pointer, "/a"),
                                            Field(&ineffective_field::pointer, "/b")));
}

}  // namespace
}  // namespace egress::reconciler
