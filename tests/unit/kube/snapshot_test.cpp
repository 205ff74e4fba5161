#include "runtime/kube/snapshot.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>

#include "runtime/kube/kind.hpp"

namespace egress::kube {
namespace {

object_ptr named(std::string name, std::string version = "1") {
  auto out = std::make_shared<object>();
  out->of = kind::service;
  out->meta.name = std::move(name);
  out->meta.resource_version = std::move(version);
  return out;
}

TEST(snapshot, behaves_like_a_map_under_random_changes) {
  std::mt19937 random(7);
  std::map<std::string, std::string> model;
  snapshot subject;
  for (int i = 0; i < 20'000; ++i) {
    const auto name = "n" + std::to_string(random() % 700);
    if (random() % 3 == 0) {
      model.erase(name);
      subject.erase(name);
    } else {
      model[name] = std::to_string(i);
      subject.put(named(name, std::to_string(i)));
    }
    ASSERT_EQ(subject.size(), model.size());
  }
  std::map<std::string, std::string> seen;
  subject.for_each([&](const object_ptr& entry) { seen[entry->meta.name] = entry->meta.resource_version; });
  EXPECT_EQ(seen, model);
  for (const auto& [name, version] : model) EXPECT_EQ(subject.find(name)->meta.resource_version, version);
  EXPECT_EQ(subject.find("none"), nullptr);
}

TEST(snapshot, a_copy_does_not_see_later_changes) {
  const auto first = snapshot{}.with(named("a"));
  const auto second = first.with(named("b")).with(named("a", "2"));
  const auto third = second.without("a").without("never");
  EXPECT_EQ(first.size(), 1U);
  EXPECT_EQ(first.find("a")->meta.resource_version, "1");
  EXPECT_EQ(second.find("a")->meta.resource_version, "2");
  EXPECT_EQ(third.size(), 1U);
  EXPECT_EQ(third.find("a"), nullptr);
}

TEST(snapshot, of_a_list_is_that_of_its_entries_one_after_the_other) {
  std::vector<object_ptr> all;
  snapshot wanted;
  for (int i = 0; i < 2000; ++i) {
    all.push_back(named("n" + std::to_string(i * 7 % 1500), std::to_string(i)));
    wanted.put(all.back());
  }
  const auto made = snapshot::of(all);
  EXPECT_EQ(made.size(), 1500U);
  std::vector<object_ptr> here, there;
  made.for_each([&](const object_ptr& entry) { here.push_back(entry); });
  wanted.for_each([&](const object_ptr& entry) { there.push_back(entry); });
  EXPECT_EQ(here, there);
  EXPECT_EQ(made.find("n7")->meta.resource_version, "1501");
  EXPECT_EQ(snapshot::of({}).size(), 0U);
  EXPECT_EQ(snapshot::of({}).find("n7"), nullptr);
}

TEST(snapshot, tells_names_of_one_hash_apart) {
  const std::array<std::string, 4> names{"liquid", "costarring", "altarage", "zinke"};
  ASSERT_EQ(hashed_name(names[0]).hash, hashed_name(names[1]).hash);
  ASSERT_EQ(hashed_name(names[2]).hash, hashed_name(names[3]).hash);
  snapshot all;
  for (const auto& name : names) all.put(named(name, name));
  const auto listed = snapshot::of({named(names[1], names[1]), named(names[0], names[0])});
  for (const auto& name : names) EXPECT_EQ(all.find(name)->meta.resource_version, name);
  EXPECT_EQ(listed.find("liquid")->meta.resource_version, "liquid");
  EXPECT_EQ(all.without("liquid").find("liquid"), nullptr);
  EXPECT_NE(all.without("liquid").find("costarring"), nullptr);
}

TEST(kind, knows_where_the_server_keeps_each) {
  EXPECT_EQ(collection_path(kind::deployment, "ns"), "/apis/apps/v1/namespaces/ns/deployments");
  EXPECT_EQ(collection_path(kind::config_map, "ns"), "/api/v1/namespaces/ns/configmaps");
  EXPECT_EQ(collection_path(kind::external_service, "ignored"), "/apis/egress.monzo.com/v1/externalservices");
  EXPECT_EQ(collection_path(kind::service, ""), "/api/v1/services");
  EXPECT_EQ(object_path(kind::lease, "ns", "x"), "/apis/coordination.k8s.io/v1/namespaces/ns/leases/x");
  EXPECT_EQ(object_path(kind::external_service, "", "a/b?c"),
            "/apis/egress.monzo.com/v1/externalservices/a%2Fb%3Fc");
  EXPECT_EQ(object_path(kind::service, "ns", ".."), "/api/v1/namespaces/ns/services/%2E%2E");
  for (const auto of : child_kinds) EXPECT_TRUE(info(of).namespaced);
  EXPECT_EQ(info(kind::pod_disruption_budget).name, "PodDisruptionBudget");
}

}  // namespace
}  // namespace egress::kube
