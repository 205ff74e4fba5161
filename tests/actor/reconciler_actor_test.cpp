#include "actors/reconciler/reconciler_actor.hpp"

#include <fmt/format.h>

#include "tests/actor/reconciling.hpp"

namespace egress {
namespace {

using kube::api_errc;
using kube::verb;
using test::reconciling;

TEST_F(reconciling, makes_four_children_at_once_then_the_autoscaler_then_writes_the_status_once) {
  run();
  const auto creates = take_all();
  EXPECT_EQ(creates.size(), 4u) << "PodDisruptionBudgets are off";
  for (const auto& one : creates) {
    EXPECT_EQ(one.what.what, verb::create);
    accept(one);
  }
  world.settle();
  const auto autoscaler = take_all();
  ASSERT_EQ(autoscaler.size(), 1u);
  EXPECT_EQ(autoscaler[0].what.what, verb::create);
  EXPECT_EQ(autoscaler[0].what.of, kube::kind::horizontal_pod_autoscaler);
  accept(autoscaler[0]);
  world.settle();
  const auto status = take_all();
  ASSERT_EQ(status.size(), 1u);
  EXPECT_EQ(status[0].what.what, verb::patch_status);
  EXPECT_TRUE(notes.results.empty());
  accept_status(status[0]);
  world.settle();
  ASSERT_EQ(notes.results.size(), 1u);
  EXPECT_TRUE(notes.results[0]->how.success);
}

// It would scale that: the operator itself, for an ExternalService of the operator's name.
TEST_F(reconciling, somebody_elses_deployment_of_the_name_gets_no_autoscaler) {
  run();
  accept_all_but_the_deployment(api_errc::already_exists);
  world.settle();
  const auto read = take_all();
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].what.what, verb::get);
  const std::string theirs =
      R"({"metadata":{"name":"a","uid":"x","resourceVersion":"9"},"spec":{"replicas":1}})";
  test::answer(api, read[0].ticket,
               kube::reply{kube::document{theirs, decoded(kube::kind::deployment, theirs)}});
  world.settle();
  const auto status = take_all();
  ASSERT_EQ(status.size(), 1u);
  EXPECT_EQ(status[0].what.what, verb::patch_status);
  EXPECT_TRUE(status[0].what.body.contains("NameTaken")) << status[0].what.body;
}

// A quota refuses a create before the server looks whether the name is taken.
TEST_F(reconciling, a_refused_deployment_has_its_autoscaler_when_nobody_has_the_name) {
  const struct {
    kube::reply looked;
    std::size_t autoscalers;
  } table[] = {{std::unexpected(test::failure(api_errc::not_found)), 1},
               {std::unexpected(test::failure(api_errc::forbidden)), 0},
               {kube::document{}, 0}};
  for (const auto& [looked, autoscalers] : table) {
    memory = std::make_shared<reconciler::memory>();
    notes.results.clear();
    run();
    accept_all_but_the_deployment(api_errc::forbidden);
    world.settle();
    const auto look = take_all();
    ASSERT_EQ(look.size(), 1u);
    EXPECT_EQ(look[0].what.what, verb::get);
    EXPECT_EQ(look[0].what.of, kube::kind::deployment);
    test::answer(api, look[0].ticket, looked);
    world.settle();
    std::size_t seen = 0;
    for (const auto& one : take_all()) {
      if (one.what.what == verb::patch_status) {
        accept_status(one);
        continue;
      }
      EXPECT_EQ(one.what.of, kube::kind::horizontal_pod_autoscaler);
      ++seen;
      accept(one);
      world.settle();
      for (const auto& status : take_all()) accept_status(status);
    }
    world.settle();
    EXPECT_EQ(seen, autoscalers);
    EXPECT_EQ(notes.results.size(), 1u);
  }
}

// Found by the soak test: what becomes of such a Deployment is known at once, and its autoscaler was started
// twice.
TEST_F(reconciling, an_earlier_ones_deployment_gets_no_autoscaler_and_the_run_ends_once) {
  children[kube::child_index(kube::kind::deployment)] = decoded(
      kube::kind::deployment,
      R"({"metadata":{"name":"a","uid":"d","resourceVersion":"9","labels":{"app":"egress-gateway"},"ownerReferences":[)"
      R"({"apiVersion":"egress.monzo.com/v1","kind":"ExternalService","name":"a","uid":"earlier","controller":true}]},)"
      R"("spec":{"selector":{"matchLabels":{"app":"egress-gateway","egress.monzo.com/gateway":"a"}}}})");
  run();
  const auto creates = take_all();
  EXPECT_EQ(creates.size(), 3u) << "neither Deployment nor autoscaler";
  for (const auto& one : creates) accept(one);
  world.settle();
  const auto status = take_all();
  ASSERT_EQ(status.size(), 1u);
  EXPECT_TRUE(status[0].what.body.contains("Replacing")) << status[0].what.body;
  accept_status(status[0]);
  world.settle();
  EXPECT_EQ(notes.results.size(), 1u);
}

TEST_F(reconciling, a_status_that_may_wait_is_written_and_told_of_by_a_later_run) {
  service = decoded(kube::kind::external_service,
                    R"({"metadata":{"name":"a","uid":"u","resourceVersion":"1"},"spec":{"dnsName":"a..b"}})");
  run({}, true);
  EXPECT_TRUE(take_all().empty());
  ASSERT_EQ(notes.results.size(), 1u);
  EXPECT_TRUE(notes.results[0]->how.status_later);
  EXPECT_TRUE(notes.results[0]->happenings.empty());
  run();
  const auto status = take_all();
  ASSERT_EQ(status.size(), 1u);
  EXPECT_EQ(status[0].what.what, verb::patch_status);
  accept_status(status[0]);
  world.settle();
  ASSERT_EQ(notes.results.size(), 2u);
  EXPECT_FALSE(notes.results[1]->how.status_later);
  EXPECT_FALSE(notes.results[1]->happenings.empty());
}

TEST_F(reconciling, what_a_run_asks_is_waited_for_as_the_run_is) {
  for (const bool patient : {false, true}) {
    memory = std::make_shared<reconciler::memory>();
    run({}, false, patient);
    const auto creates = take_all();
    ASSERT_EQ(creates.size(), 4u);
    for (const auto& one : creates) EXPECT_EQ(one.what.patient, patient);
    for (const auto& one : creates) accept(one);
    world.settle();
    const auto autoscaler = take_all();
    ASSERT_EQ(autoscaler.size(), 1u);
    accept(autoscaler[0]);
    world.settle();
    const auto status = take_all();
    ASSERT_EQ(status.size(), 1u);
    EXPECT_EQ(status[0].what.what, verb::patch_status);
    EXPECT_EQ(status[0].what.patient, patient);
    accept_status(status[0]);
    world.settle();
  }
}

TEST_F(reconciling, a_status_that_says_all_there_is_waits_for_nobody) {
  run_and_accept_all();
  run({}, true);
  EXPECT_TRUE(script.requests.empty());
  ASSERT_EQ(notes.results.size(), 2u);
  EXPECT_FALSE(notes.results[1]->how.status_later);
}

TEST_F(reconciling, the_next_run_knows_what_this_one_wrote_though_no_informer_has_shown_it) {
  run_and_accept_all();
  run();
  EXPECT_TRUE(script.requests.empty());
  EXPECT_EQ(notes.results.size(), 2u);
}

TEST_F(reconciling, an_edit_is_a_patch_of_each_child_and_the_status_and_no_read) {
  run_and_accept_all();
  service = decoded(kube::kind::external_service,
                    R"({"metadata":{"name":"a","uid":"u","resourceVersion":"2","generation":2},)"
                    R"("spec":{"dnsName":"b.example","hijackDns":true,"ports":[{"port":443}]}})");
  run();
  const auto patches = take_all();
  EXPECT_EQ(patches.size(), 5u) << "each has the name";
  for (const auto& one : patches) {
    EXPECT_EQ(one.what.what, verb::patch);
    EXPECT_NE(one.what.body.find("b.example"), std::string::npos) << one.what.body;
    EXPECT_NE(one.what.body.find(R"("resourceVersion":"10)"), std::string::npos) << one.what.body;
    accept(one);
  }
  world.settle();
  const auto status = take_all();
  ASSERT_EQ(status.size(), 1u);
  EXPECT_EQ(status[0].what.what, verb::patch_status);
}

// A garbage collector that removes what is made for an ExternalService whose deletion has not been heard of
// yet.
TEST_F(reconciling, children_that_vanish_again_and_again_are_made_no_faster_than_one_a_second) {
  const reconciler::kind_mask all = static_cast<reconciler::kind_mask>(~0u);
  const auto creates_of_a_run = [&] {
    run(all);
    std::size_t creates = 0;
    for (auto asked = take_all(); !asked.empty(); asked = take_all()) {
      for (const auto& one : asked) {
        creates += one.what.what == verb::create ? 1 : 0;
        one.what.what == verb::create ? accept(one) : accept_status(one);
      }
      world.settle();
    }
    return creates;
  };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(creates_of_a_run(), 5u) << i;
  EXPECT_EQ(creates_of_a_run(), 0u);
  EXPECT_TRUE(notes.results.back()->how.success);
  EXPECT_EQ(notes.results.back()->how.requeue_after, milliseconds{1000});
  world.advance(seconds{1});
  EXPECT_EQ(creates_of_a_run(), 5u);
}

TEST_F(reconciling, one_kind_that_fails_does_not_keep_the_others_from_being_made) {
  run();
  for (const auto& one : take_all()) {
    if (one.what.of == kube::kind::config_map)
      test::answer(api, one.ticket, kube::reply{std::unexpected(test::failure(api_errc::server_error))});
    else
      accept(one);
  }
  world.settle();
  for (const auto& one : take_all()) accept(one);
  world.settle();
  for (const auto& one : take_all()) accept_status(one);
  world.settle();
  ASSERT_EQ(notes.results.size(), 1u);
  EXPECT_FALSE(notes.results[0]->how.success);
}

TEST_F(reconciling, a_run_that_the_server_asked_to_wait_says_for_how_long) {
  const auto busy = [](int seconds_asked) {
    auto why = test::failure(api_errc::too_many_requests);
    why.retry_after = seconds{seconds_asked};
    return kube::reply{std::unexpected(std::move(why))};
  };
  run();
  for (const auto& one : take_all())
    one.what.of == kube::kind::config_map ? test::answer(api, one.ticket, busy(7)) : accept(one);
  world.settle();
  for (const auto& one : take_all()) accept(one);
  world.settle();
  for (const auto& one : take_all()) test::answer(api, one.ticket, busy(3600));
  world.settle();
  ASSERT_EQ(notes.results.size(), 1u);
  EXPECT_FALSE(notes.results[0]->how.success);
  EXPECT_EQ(notes.results[0]->how.asked_to_wait, seconds{60}) << "a minute, however long it says";
}

TEST_F(reconciling, a_refused_external_service_gets_a_status_and_no_child) {
  service =
      decoded(kube::kind::external_service,
              R"({"metadata":{"name":"a","uid":"u","resourceVersion":"1"},"spec":{"dnsName":"a.example"}})");
  run();
  const auto asked = take_all();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].what.what, verb::patch_status);
  EXPECT_NE(asked[0].what.body.find("\"Accepted\""), std::string::npos);
}

TEST_F(reconciling, one_that_is_being_deleted_gets_nothing) {
  service =
      decoded(kube::kind::external_service, R"({"metadata":{"name":"a","uid":"u","resourceVersion":"1",)"
                                            R"("deletionTimestamp":"2026-01-01T00:00:00Z"},)"
                                            R"("spec":{"dnsName":"a.example","ports":[{"port":443}]}})");
  run();
  EXPECT_TRUE(take_all().empty());
  ASSERT_EQ(notes.results.size(), 1u);
  EXPECT_TRUE(notes.results[0]->how.success);
}

TEST_F(reconciling, what_a_status_tells_is_told_with_the_run_that_writes_it) {
  service =
      decoded(kube::kind::external_service,
              R"({"metadata":{"name":"a","uid":"u","resourceVersion":"1"},"spec":{"dnsName":"a.example"}})");
  const auto written_with = [&](api_errc code) {
    run();
    const auto asked = take_all();
    EXPECT_EQ(asked.size(), 1u);
    test::answer(api, asked.at(0).ticket, kube::reply{std::unexpected(test::failure(code))});
    world.settle();
    return notes.results.back();
  };
  for (const auto code : {api_errc::not_leader, api_errc::conflict, api_errc::server_error}) {
    const auto result = written_with(code);
    EXPECT_TRUE(result->happenings.empty());
    // The leader writes it, or the run that the other's change starts.
    EXPECT_EQ(result->how.success, code != api_errc::server_error);
  }
  run();
  for (const auto& one : take_all()) accept_status(one);
  world.settle();
  EXPECT_EQ(notes.results.back()->happenings.size(), 1u);
}

TEST_F(reconciling, what_a_status_tells_is_told_where_nobody_knows_whether_it_was_written) {
  for (const auto code : {api_errc::transport, api_errc::timed_out}) {
    service = decoded(
        kube::kind::external_service,
        R"({"metadata":{"name":"a","uid":"u","resourceVersion":"1"},"spec":{"dnsName":"a.example"}})");
    run();
    const auto asked = take_all();
    ASSERT_EQ(asked.size(), 1u);
    test::answer(api, asked[0].ticket, kube::reply{std::unexpected(test::failure(code))});
    world.settle();
    EXPECT_EQ(notes.results.back()->happenings.size(), 1u);
    EXPECT_FALSE(notes.results.back()->how.success);
  }
}

// Its Service is gone; clients may still have the address.
constexpr auto had_an_address =
    R"({"metadata":{"name":"a","uid":"u","resourceVersion":"1","generation":1},)"
    R"("spec":{"dnsName":"a.example","ports":[{"port":443}]},"status":{"clusterIP":"10.0.0.9"}})";

// Whoever had the old address goes on asking there; a conflict of a moment is no reason to take another.
TEST_F(reconciling, a_service_made_again_insists_on_its_address_for_five_runs) {
  service = decoded(kube::kind::external_service, had_an_address);
  const auto taken = [&](const test::api_script::request& one) {
    auto why = test::failure(one.what.what == verb::get ? api_errc::not_found : api_errc::invalid);
    why.message = "spec.clusterIPs: provided IP is already allocated";
    test::answer(api, one.ticket, kube::reply{std::unexpected(std::move(why))});
  };
  // With its address, and without.
  const auto creates_of_a_run = [&] {
    std::pair<int, int> made;
    run_with([&](const test::api_script::request& one) {
      const bool insists = one.what.body.contains("10.0.0.9");
      if (one.what.what == verb::patch_status) return accept_status(one);
      if (one.what.of != kube::kind::service) return accept(one);
      if (one.what.what == verb::create) ++(insists ? made.first : made.second);
      insists || one.what.what == verb::get ? taken(one) : accept(one);
    });
    return made;
  };
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(creates_of_a_run(), std::pair(1, 0)) << i;
    EXPECT_FALSE(notes.results.back()->how.success);
  }
  EXPECT_EQ(creates_of_a_run().second, 1);
  EXPECT_TRUE(notes.results.back()->how.success);
}

// A status write's own event starts the next run at once, so whatever makes two statuses by turns is a loop.
TEST_F(reconciling, a_service_that_is_refused_with_an_address_and_without_ends_with_one_status) {
  service = decoded(kube::kind::external_service, had_an_address);
  const auto answer_with = [&](const test::api_script::request& one) {
    auto why = test::failure(api_errc::invalid);
    why.message = one.what.body.contains("10.0.0.9") ? "spec.clusterIPs: provided IP is already allocated"
                                                     : "denied by a policy";
    if (one.what.what == verb::get) why = test::failure(api_errc::not_found);
    test::answer(api, one.ticket, kube::reply{std::unexpected(std::move(why))});
  };
  std::size_t statuses = 0, requests = 0;
  for (int i = 0; i < 20; ++i) {
    statuses = requests = 0;
    run_with([&](const test::api_script::request& one) {
      const bool status = one.what.what == verb::patch_status;
      statuses += status ? 1 : 0;
      ++requests;
      status ? accept_status(one) : one.what.of == kube::kind::service ? answer_with(one) : accept(one);
    });
  }
  EXPECT_EQ(statuses, 0u);
  EXPECT_LE(requests, 3u);
  EXPECT_TRUE(notes.results.back()->how.success);
  EXPECT_EQ(notes.results.back()->how.requeue_after, milliseconds{300'000});
}

TEST_F(reconciling, a_failure_in_ever_other_words_is_told_every_ten_seconds) {
  int port = 40'000;
  const auto statuses_of_a_run = [&] {
    run();
    std::size_t statuses = 0;
    for (auto asked = take_all(); !asked.empty(); asked = take_all()) {
      for (const auto& one : asked) {
        auto why = test::failure(api_errc::server_error);
        why.message = fmt::format("failed calling webhook: read tcp 10.0.0.1:{}: connection reset", ++port);
        statuses += one.what.what == verb::patch_status ? 1 : 0;
        one.what.what == verb::patch_status ? accept_status(one)
        : one.what.of == kube::kind::deployment
            ? test::answer(api, one.ticket, kube::reply{std::unexpected(why)})
            : accept(one);
      }
      world.settle();
    }
    EXPECT_FALSE(notes.results.back()->how.success);
    return statuses;
  };
  EXPECT_EQ(statuses_of_a_run(), 1u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(statuses_of_a_run(), 0u) << i;
  world.advance(seconds{10});
  EXPECT_EQ(statuses_of_a_run(), 1u);
  EXPECT_EQ(statuses_of_a_run(), 0u);
}

TEST_F(reconciling, one_whose_configuration_no_config_map_holds_gets_a_status_and_no_child) {
  std::string ports;
  for (int i = 0; i < 90; ++i) ports += (i == 0 ? "" : ",") + fmt::format(R"({{"port":{}}})", 2000 + i);
  service = decoded(
      kube::kind::external_service,
      R"({"metadata":{"name":"a","uid":"u","resourceVersion":"1"},"spec":{"dnsName":"*.a.example","ports":[)" +
          ports + "]}}");
  run();
  const auto asked = take_all();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].what.what, verb::patch_status);
  EXPECT_NE(asked[0].what.body.find("ConfigurationTooLarge"), std::string::npos);
}

TEST_F(reconciling, nothing_is_written_for_one_that_is_being_deleted) {
  service = decoded(kube::kind::external_service,
                    R"({"metadata":{"name":"a","uid":"u","deletionTimestamp":"2026-01-01T00:00:00Z"},)"
                    R"("spec":{"dnsName":"a.example","ports":[{"port":443}]}})");
  run();
  EXPECT_TRUE(script.requests.empty());
  EXPECT_EQ(notes.results.size(), 1u);
}

TEST_F(reconciling, answers_that_never_come_end_the_run_as_a_failure) {
  run();
  const auto wait_in_vain = [&] {
    world.advance(seconds{41});
    caf::anon_send(reconciler, tick_atom{});
    world.settle();
  };
  const auto too_late = take_all();
  wait_in_vain();
  EXPECT_TRUE(notes.results.empty()) << "the status is to tell of it";
  for (const auto& one : too_late) accept(one);
  world.settle();
  wait_in_vain();
  ASSERT_EQ(notes.results.size(), 1u);
  EXPECT_FALSE(notes.results[0]->how.success);
}

TEST_F(reconciling, an_answer_in_time_is_waited_for) {
  run();
  world.advance(seconds{39});
  caf::anon_send(reconciler, tick_atom{});
  world.settle();
  accept_children();
  for (const auto& one : take_all()) accept_status(one);
  world.settle();
  ASSERT_EQ(notes.results.size(), 1u);
  EXPECT_TRUE(notes.results[0]->how.success);
}

TEST_F(reconciling, a_missing_status_subresource_is_said_and_not_asked_for_at_every_run) {
  run();
  accept_children();
  deny_status(R"({"resources":[{"name":"externalservices"}]})");
  ASSERT_EQ(notes.results.size(), 1u);
  EXPECT_TRUE(notes.results[0]->how.success);
  ASSERT_TRUE(notes.results[0]->no_status);
  EXPECT_EQ(notes.results[0]->no_status->reason, "StatusUnavailable");
  EXPECT_EQ(notes.results[0]->how.requeue_after, milliseconds(300'000));
  run();
  EXPECT_TRUE(take_all().empty()) << "nothing has changed";
  world.advance(std::chrono::minutes{5});
  run();
  const auto again = take_all();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].what.what, verb::patch_status);
}

TEST_F(reconciling, a_404_of_an_object_that_is_gone_is_no_failure) {
  run();
  accept_children();
  deny_status(R"({"resources":[{"name":"externalservices"},{"name":"externalservices/status"}]})");
  ASSERT_EQ(notes.results.size(), 1u);
  EXPECT_TRUE(notes.results[0]->how.success);
  EXPECT_FALSE(notes.results[0]->no_status);
}

}  // namespace
}  // namespace egress
