// What informers tell the dispatcher, and what it makes of it.

#include <gtest/gtest.h>

#include "tests/actor/dispatching.hpp"

namespace egress {
namespace {

TEST_F(dispatching, what_a_first_run_wrote_is_looked_at_with_its_status) {
  start(1);
  sync_children();
  update(kind::external_service, {external_service("a"), external_service("b"), external_service("c")}, {},
         true);
  ASSERT_EQ(shared.order.back(), "a");
  EXPECT_TRUE(shared.under_way.front().work->patient) << "others are behind it";
  wrote_first(kind::service, "5");
  wrote_first(kind::config_map, "6");
  shared.under_way.front().work->memory->rendered.emplace().key.ipv6 = true;
  kube::child as_rendered;
  as_rendered.cluster_ips = {"fd00::4"};
  update(kind::service, {child_at(kind::service, "a", "5", as_rendered)});
  leave_status_for_later();
  EXPECT_EQ(shared.order.back(), "b") << "the event came while it was processed";
  update(kind::config_map, {child_at(kind::config_map, "a", "6")});
  leave_status_for_later();
  EXPECT_EQ(shared.order.back(), "c") << "and this one later";
  EXPECT_FALSE(shared.under_way.front().work->patient);
  leave_status_for_later();
  ASSERT_EQ(shared.order.back(), "a");
  EXPECT_EQ(shared.under_way.front().work->changed, bit_of(kind::service) | bit_of(kind::config_map));
  EXPECT_TRUE(shared.under_way.front().work->patient);
}

TEST_F(dispatching, what_other_children_are_made_by_waits_for_no_status) {
  // Rendered for IPv4, or for IPv6 as other Services have it.
  for (const auto& [ready, rendered_for_ipv6, address] :
       {std::tuple{true, false, ""}, {false, false, "fd00::4"}, {false, true, "10.0.0.4"}}) {
    start(1);
    sync_children();
    update(kind::external_service, {external_service("a"), external_service("b")}, {}, true);
    const auto of = ready ? kind::deployment : kind::service;
    auto& rendered = shared.under_way.front().work->memory->rendered.emplace();
    rendered.key.ipv6 = rendered_for_ipv6;
    wrote_first(of, "5");
    kube::child more;
    if (ready)
      more.ready_replicas = 1;
    else
      more.cluster_ips = {address};
    update(of, {child_at(of, "a", "5", more)});
    leave_status_for_later();
    EXPECT_EQ(shared.order, (std::vector<std::string>{"a", "a"})) << ready << address;
    TearDown();
    shared.order.clear();
    known = {};
  }
}

TEST_F(dispatching, what_somebody_else_did_to_a_child_waits_for_no_status) {
  start(1);
  sync_children();
  update(kind::external_service, {external_service("a"), external_service("b"), external_service("c")}, {},
         true);
  wrote_first(kind::service, "5");
  wrote_first(kind::config_map, "6");
  update(kind::service, {child_at(kind::service, "a", "5")});
  update(kind::config_map, {child_at(kind::config_map, "a", "7")});
  leave_status_for_later();
  EXPECT_EQ(shared.order.back(), "a") << "its ConfigMap was edited while it was processed";
  wrote_first(kind::config_map, "8");
  leave_status_for_later();
  ASSERT_EQ(shared.order.back(), "b");
  update(kind::config_map, {child_at(kind::config_map, "a", "8")});
  update(kind::config_map, {child_at(kind::config_map, "a", "9")});
  leave_status_for_later();
  EXPECT_EQ(shared.order.back(), "a") << "and again, after what was written came";
}

TEST_F(dispatching, a_changed_child_tells_its_reconciler_which_kind_changed) {
  start();
  update(kind::external_service, {external_service("a")}, {}, true);
  sync_children();
  finish_first();
  update(kind::service, {}, {"a"});
  ASSERT_EQ(shared.under_way.size(), 1u);
  EXPECT_EQ(shared.under_way.front().work->changed, 1u << kube::child_index(kind::service));
}

TEST_F(dispatching, a_child_that_changed_while_its_owner_was_away_is_told_to_the_run_for_the_next_one) {
  start();
  sync_children();
  update(kind::external_service, {external_service("a")});
  update(kind::external_service, {}, {"a"});
  update(kind::service, {}, {"a"});
  update(kind::external_service, {external_service("a")});
  finish_first();
  ASSERT_EQ(shared.under_way.size(), 1U);
  EXPECT_EQ(shared.under_way.front().work->changed, 1U << kube::child_index(kind::service));
}

TEST_F(dispatching, a_service_with_an_ipv6_address_is_told_to_the_runs_of_all) {
  start();
  sync_children();
  update(kind::external_service, {external_service("a")});
  EXPECT_FALSE(shared.under_way.back().work->ipv6_elsewhere);
  update(kind::service, {service_at("other", {"10.0.0.1", "fd00::4"})});
  update(kind::service, {service_at("another", {"10.0.0.2"})});
  update(kind::external_service, {external_service("b")});
  EXPECT_TRUE(shared.under_way.back().work->ipv6_elsewhere);
}

TEST_F(dispatching, a_child_of_nobody_is_nobodys_work) {
  start();
  update(kind::external_service, {}, {}, true);
  sync_children();
  update(kind::service, {}, {"stranger"});
  EXPECT_TRUE(shared.order.empty());
}

TEST_F(dispatching, the_second_claim_of_a_dns_name_is_told_whose_it_is) {
  start();
  update(kind::external_service,
         {external_service("a", "same.example"), external_service("b", "Same.example.")}, {}, true);
  sync_children();
  ASSERT_EQ(shared.under_way.size(), 2u);
  std::map<std::string, std::string> holder;
  for (const auto& one : shared.under_way)
    holder[one.work->external_service->meta.name] = one.work->name_claimed_by;
  EXPECT_EQ(holder["a"], "");
  EXPECT_EQ(holder["b"], "a");
}

// Its informers lived twice: the second never knew what went before its first list.
TEST_F(dispatching, what_went_while_its_informer_was_away_is_looked_at) {
  start();
  update(kind::service, {service_at("b", {})}, {}, true);
  update(kind::external_service,
         {external_service("a", "same.example"), external_service("b", "same.example")}, {}, true);
  sync_children();
  while (!shared.under_way.empty()) finish_first();
  shared.runs.clear();
  known[static_cast<std::size_t>(kind::external_service)] = {};
  update(kind::external_service, {external_service("b", "same.example")}, {}, true);
  ASSERT_EQ(shared.runs, (std::map<std::string, int>{{"b", 1}}));
  EXPECT_EQ(shared.under_way.front().work->name_claimed_by, "") << "the name is free";
  finish_first();
  known[static_cast<std::size_t>(kind::service)] = {};
  update(kind::service, {}, {}, true);
  ASSERT_EQ(shared.runs, (std::map<std::string, int>{{"b", 2}})) << "its Service is made again";
  EXPECT_EQ(shared.under_way.front().work->changed, 1U << kube::child_index(kind::service));
}

// Somebody removed what had just been made, while its informer had no watch.
TEST_F(dispatching, what_was_written_is_looked_for_when_a_list_does_not_show_it) {
  start();
  sync_children();
  update(kind::external_service, {external_service("a"), external_service("b")}, {}, true);
  wrote_first(kind::network_policy, "5");
  finish_first();
  finish_first();
  for (const auto& [of, epoch] :
       {std::pair{kind::service, 2U}, {kind::network_policy, 1U}, {kind::network_policy, 2U}}) {
    EXPECT_TRUE(shared.under_way.empty());
    auto sent =
        std::make_shared<informer_update>(informer_update{known[static_cast<std::size_t>(of)], {}, false});
    sent->current.epoch = epoch;
    caf::anon_send(dispatcher, payload<informer_update>{sent});
    world.settle();
  }
  ASSERT_EQ(shared.under_way.size(), 1U);
  EXPECT_EQ(shared.order.back(), "a");
  EXPECT_EQ(shared.under_way.front().work->changed, bit_of(kind::network_policy));
}

}  // namespace
}  // namespace egress
