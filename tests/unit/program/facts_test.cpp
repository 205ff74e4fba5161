#include "runtime/program/facts.hpp"

#include <gtest/gtest.h>

namespace egress {
namespace {

constexpr steady_time start{std::chrono::hours{1}};

kube::published with(kube::kind of, std::vector<kube::object_ptr> objects) {
  kube::published made;
  made.of = of;
  made.synced = true;
  made.epoch = 2;
  for (auto& one : objects) made.objects.put(std::move(one));
  return made;
}

kube::object_ptr service(const std::string& name, const std::string& label) {
  auto made = std::make_shared<kube::object>();
  made->of = kube::kind::service;
  made->meta.name = name;
  kube::child body;
  body.hijack_label = label;
  made->body = body;
  return made;
}

kube::object_ptr external_service(const std::string& name, const std::string& ready,
                                  const std::string& message) {
  auto made = std::make_shared<kube::object>();
  made->meta.name = name;
  kube::external_service body;
  if (!ready.empty()) body.status.conditions = {{"Ready", ready, "Reason", message, "", 1}};
  made->body = body;
  return made;
}

TEST(operator_facts, counts_gateways_by_their_hijack_label) {
  operator_facts facts;
  facts.saw(with(kube::kind::service, {service("a", "true"), service("b", "waiting-for-pods"),
                                       service("c", "false"), service("d", "")}),
            start);
  const auto states = facts.gateways();
  EXPECT_EQ(states.hijacked, 1u);
  EXPECT_EQ(states.waiting_for_pods, 1u);
  EXPECT_EQ(states.not_hijacked, 2u);
}

TEST(operator_facts, name_those_that_are_not_ready_and_why) {
  operator_facts facts;
  facts.saw(with(kube::kind::external_service,
                 {external_service("c", "", ""), external_service("a", "False", "no pods"),
                  external_service("b", "True", "fine")}),
            start);
  const auto [count, all] = facts.not_ready();
  EXPECT_EQ(count, 2u);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "a");
  EXPECT_EQ(all[0].why, "no pods");
  EXPECT_EQ(all[1].name, "c");
}

TEST(operator_facts, name_the_first_hundred_of_many_that_are_not_ready) {
  operator_facts facts;
  std::vector<kube::object_ptr> many;
  for (int i = 250; i > 0; --i)
    many.push_back(external_service("x" + std::to_string(1000 + i), "False", "why"));
  facts.saw(with(kube::kind::external_service, std::move(many)), start);
  const auto [count, first] = facts.not_ready();
  EXPECT_EQ(count, 250u);
  ASSERT_EQ(first.size(), 100u);
  EXPECT_EQ(first.front().name, "x1001");
  EXPECT_EQ(first.back().name, "x1100");
}

TEST(operator_facts, say_how_old_the_table_and_the_last_news_are) {
  operator_facts facts;
  EXPECT_EQ(facts.table(start).second.count(), 0.0);
  facts.built_table(7, start);
  facts.saw(with(kube::kind::service, {service("a", "true")}), start);
  EXPECT_EQ(facts.table(start + seconds{3}).first, 7u);
  EXPECT_EQ(facts.table(start + seconds{3}).second.count(), 3.0);
  for (const auto& one : facts.informers(start + seconds{4})) {
    const bool heard = one.kind == "Service";
    EXPECT_EQ(one.synced, heard);
    EXPECT_EQ(one.epoch, heard ? 2u : 0u);
    EXPECT_EQ(one.last_event_age, heard ? seconds{4} : seconds{0});
  }
}

TEST(operator_facts, count_deaths_by_actor) {
  operator_facts facts;
  facts.died("dns");
  facts.died("dns");
  EXPECT_EQ(facts.deaths("dns"), 2u);
  EXPECT_EQ(facts.deaths("metrics"), 0u);
}

}  // namespace
}  // namespace egress
