#include "runtime/devserver/faults.hpp"

#include <gtest/gtest.h>

#include "tests/unit/devserver/api_client.hpp"

namespace egress::dev::test {
namespace {

struct asked {
  asked(std::string method, std::string target, std::string body = "")
      : request{std::move(method), std::move(target), "application/json", "", std::move(body)},
        parsed(parse_request(request)) {}
  api_request request;
  parsed_request parsed;
};

TEST(faults, meet_the_requests_they_are_for) {
  fault_table faults;
  faults.add({.verb = "write", .plural = "services", .name = "a", .status = 500});
  const auto meets = [&faults](const asked& one) { return faults.take(one.parsed).has_value(); };
  EXPECT_TRUE(meets({"DELETE", under(services_path, "a")}));
  EXPECT_TRUE(meets({"PATCH", under(services_path, "a")}));
  EXPECT_TRUE(meets({"POST", services_path, service("a")}));
  EXPECT_FALSE(meets({"POST", services_path, service("b")}));
  EXPECT_FALSE(meets({"GET", under(services_path, "a")}));
  EXPECT_FALSE(meets({"DELETE", under(config_maps_path, "a")}));
  EXPECT_FALSE(meets({"PATCH", under(services_path, "a/status")}));
  EXPECT_FALSE(meets({"GET", "/version"}));
}

TEST(faults, end_after_their_times) {
  fault_table faults;
  faults.add({.verb = "get", .times = 2, .status = 429, .retry_after = seconds{1}});
  const asked get{"GET", under(services_path, "a")};
  EXPECT_EQ(faults.take(get.parsed)->retry_after, seconds{1});
  EXPECT_TRUE(faults.take(get.parsed));
  EXPECT_FALSE(faults.take(get.parsed));
}

TEST(faults, are_removed) {
  fault_table faults;
  const auto number = faults.add({.status = 500});
  faults.add({.status = 503});
  const asked get{"GET", under(services_path, "a")};
  EXPECT_EQ(faults.take(get.parsed)->status, 500);
  faults.remove(number);
  EXPECT_EQ(faults.take(get.parsed)->status, 503);
  faults.clear();
  EXPECT_FALSE(faults.take(get.parsed));
}

TEST(faults, order_the_end_of_watches) {
  fault_table faults;
  EXPECT_EQ(faults.last_order("services").number, 0U);
  faults.end_watches("services", watch_end::gone);
  faults.end_watches("services", watch_end::end);
  EXPECT_EQ(faults.last_order("services").number, 2U);
  EXPECT_EQ(faults.last_order("services").how, watch_end::end);
  EXPECT_EQ(faults.last_order("configmaps").number, 0U);
}

TEST(counts, are_by_verb_and_kind) {
  fault_table faults;
  for (const auto& one :
       {asked{"GET", services_path}, asked{"GET", std::string{services_path} + "?watch=1"},
        asked{"POST", services_path, "{}"}, asked{"PATCH", std::string{external_services_path} + "/e/status"},
        asked{"DELETE", services_path}, asked{"GET", "/version"}})
    faults.count(one.parsed);
  EXPECT_EQ(faults.counted("list", "services"), 1U);
  EXPECT_EQ(faults.counted("watch", "services"), 1U);
  EXPECT_EQ(faults.counted("create", "services"), 1U);
  EXPECT_EQ(faults.counted("patch", "externalservices/status"), 1U);
  EXPECT_EQ(faults.counted("deletecollection", "services"), 1U);
  EXPECT_EQ(faults.counted("get", "services"), 0U);
  EXPECT_EQ(faults.writes(), 3U);
  faults.reset_counts();
  EXPECT_EQ(faults.writes(), 0U);
}

}  // namespace
}  // namespace egress::dev::test
