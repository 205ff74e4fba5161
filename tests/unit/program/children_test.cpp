// Which actors the supervisor has, and what becomes of the process without some of them.

#include "runtime/program/children.hpp"

#include <gmock/gmock.h>

#include "actors/leader/write_deadline.hpp"
#include "actors/metrics/registry.hpp"
#include "runtime/actor/io_thread.hpp"
#include "runtime/program/dns_setup.hpp"
#include "tests/unit/base/parse.hpp"

namespace egress {
namespace {

using ::testing::Contains;
using ::testing::Key;

// By their names.
std::map<std::string, supervised_child> children_with(std::vector<std::string> flags) {
  flags.insert(flags.begin(), {"--dns-addr=127.0.0.1:0", "--dns-upstream=192.0.2.53", "--dns-workers=2",
                               "--metrics-addr=127.0.0.1:0"});
  const auto options = testing::parsed(flags);
  kube::connection_config api;
  api.server = "http://127.0.0.1:1";
  const std::string version = "test", pod = "me", identity = "me_1";
  io_thread io{"test-io"};
  metrics::registry registry;
  operator_facts facts;
  auto dns = prepare_dns(options.dns).value();
  const auto metrics_socket = net::listen_tcp("127.0.0.1:0").value();
  handle_book handles;
  std::map<std::string, supervised_child> made;
  for (auto& one :
       children_of({options, api, version, io, registry, facts, std::make_shared<published_board>(), dns,
                    metrics_socket, handles, std::make_shared<leader::write_deadline>(), pod, identity}))
    made.emplace(one.id, std::move(one));
  return made;
}

TEST(supervised_children, are_all_that_the_operator_is_made_of) {
  const auto all = children_with({"--enable-leader-election"});
  for (const auto* id :
       {"metrics", "kube_api", "gateways", "dispatcher", "leader", "dns", "dns_worker/0", "dns_worker/1"})
    EXPECT_THAT(all, Contains(Key(id)));
  for (const auto kind : kube::watched_kinds)
    EXPECT_THAT(all, Contains(Key("informer/" + std::string{kube::info(kind).name})));
  EXPECT_FALSE(children_with({}).contains("leader"));
}

// Whoever is asked to end gives the Lease up and drains its queue, once: a new life would know of neither.
TEST(supervised_children, what_was_given_up_at_the_end_is_not_begun_again) {
  for (const auto& [id, one] : children_with({"--enable-leader-election"}))
    EXPECT_EQ(one.only_while_running, id == "leader" || id == "dispatcher") << id;
}

// The rest goes on, or is waited for; without DNS no name is hijacked, and the cluster asks somebody else.
TEST(supervised_children, dns_that_cannot_be_kept_alive_ends_the_process) {
  for (const auto& [id, one] : children_with({"--enable-leader-election"}))
    EXPECT_EQ(one.limits.past_limit_ends_process, id == "dns") << id;
}

TEST(supervised_children, readiness_waits_for_dns_and_for_the_rest_where_there_is_no_earlier_table) {
  const auto first = needed_for_readiness(false);
  EXPECT_THAT(first.expected, Contains("dns"));
  EXPECT_THAT(first.expected, Contains("dispatcher"));
  EXPECT_TRUE(first.may_wait.empty());
  const auto restored = needed_for_readiness(true);
  EXPECT_EQ(restored.expected, std::vector<std::string>{"dns"});
  EXPECT_TRUE(restored.may_wait.contains("dispatcher"));
  EXPECT_FALSE(restored.may_wait.contains("dns"));
  for (const auto kind : kube::watched_kinds) {
    const auto id = "informer/" + std::string{kube::info(kind).name};
    EXPECT_THAT(first.expected, Contains(id));
    EXPECT_TRUE(restored.may_wait.contains(id));
  }
}

}  // namespace
}  // namespace egress
