// The numbers of DNS that others count on, written out: who changes one changes this file, and what the
// guides say.

#include <gtest/gtest.h>

#include "actors/dns/bailiwick.hpp"
#include "actors/dns/cached_answer.hpp"
#include "actors/dns/port_ledger.hpp"
#include "runtime/program/dns_setup.hpp"

namespace egress {
namespace {

using namespace std::chrono_literals;
using dns::worker_config;

// CoreDNS gives up on us after 2 s, and on an upstream of its own after two failures.
TEST(dns_defaults, of_forwarding_end_before_coredns_gives_up) {
  const worker_config config;
  EXPECT_EQ(config.policy, upstream_policy::least_outstanding);
  EXPECT_EQ(config.forward.least, 200ms);
  EXPECT_EQ(config.forward.most, 750ms);
  EXPECT_EQ(config.forward.budget, 1900ms);
  EXPECT_EQ(config.forward.probe, 500ms);
  EXPECT_EQ(config.forward.loop_check, 30s);
  EXPECT_EQ(config.forward.max_concurrent, 1000u);
  EXPECT_EQ(config.forward.own_ports, 1000u);
  EXPECT_EQ(config.forward.channel.connect, 3s);
  EXPECT_EQ(config.forward.channel.stall, 2s);
  EXPECT_EQ(config.forward.channel.idle, 10s);
  EXPECT_EQ(dns::most_aliases, 16u);
  EXPECT_EQ(dns::port_ledger::most_questions, 64u);
  EXPECT_EQ(dns::port_ledger::shared_for, 10ms);
  EXPECT_EQ(dns::port_ledger::most_wrong, 16u);
}

TEST(dns_defaults, of_connections_outlast_coredns) {
  const worker_config config;
  EXPECT_EQ(config.tcp.read, 3s);
  EXPECT_EQ(config.tcp.write, 5s);
  EXPECT_EQ(config.tcp.idle, 15s);
  EXPECT_EQ(config.tcp.connections, 1024u);
  EXPECT_EQ(config.tcp.per_client, 256u);
  EXPECT_EQ(config.tcp.pipelined, 300u);
  EXPECT_EQ(config.tcp.undisturbed, 1s);
  EXPECT_EQ(config.tcp.unread, 384u << 10);
  EXPECT_EQ(config.tcp.kept, 16u << 20);
}

TEST(dns_defaults, of_answers_and_the_cache_are_those_of_the_rfcs_or_ours) {
  const worker_config config;
  EXPECT_EQ(config.answers.answers.ttl, 5u);
  EXPECT_EQ(config.answers.max_ttl, 30u);
  EXPECT_EQ(config.cache.stale_after, 1800ms);
  EXPECT_LT(config.cache.stale_after, config.forward.budget) << "a stale answer would come too late";
  EXPECT_EQ(dns::stale_for, 1h);
  EXPECT_EQ(dns::stale_ttl, 30u);
  EXPECT_EQ(dns::failure_memory, 30s);
  EXPECT_EQ(dns::most_pause, 5s);
  EXPECT_EQ(dns::most_positive, 3600u);
  EXPECT_EQ(dns::most_negative, 1800u);
  EXPECT_EQ(dns::edns_udp_size, 1232u);
  EXPECT_EQ(dns::plain_udp_size, 512u);
}

TEST(dns_defaults, of_the_command_line_are_those_of_its_help) {
  const dns_options options;
  EXPECT_EQ(options.address, ":5353");
  EXPECT_EQ(options.resolv_conf, "/etc/resolv.conf");
  EXPECT_EQ(options.policy, upstream_policy::least_outstanding);
  EXPECT_EQ(options.ttl, 5s);
  EXPECT_EQ(options.max_ttl, 30s);
  EXPECT_EQ(options.max_concurrent, 1000u);
  EXPECT_EQ(options.cache_size, 64u << 20);
  EXPECT_EQ(options.workers, 0u);
  EXPECT_EQ(options.log.which, dns_log_options::queries::none);
  EXPECT_TRUE(options.allow.empty() && options.upstreams.empty() && options.forwards.empty());
}

// What is not a flag reaches the loops as it is.
TEST(dns_defaults, are_what_a_program_without_flags_runs_with) {
  dns_options options;
  options.address = "127.0.0.1:0";
  options.upstreams = {"192.0.2.53"};
  options.workers = 1;
  const auto config = prepare_dns(options).value().config;
  EXPECT_EQ(config.forward.budget, 1900ms);
  EXPECT_EQ(config.forward.probe, 500ms);
  EXPECT_EQ(config.forward.max_concurrent, 1000u);
  EXPECT_EQ(config.tcp.idle, 15s);
  EXPECT_EQ(config.cache.bytes, std::size_t{64} << 20);
  EXPECT_EQ(config.cache.stale_after, 1800ms);
  EXPECT_EQ(config.answers.answers.ttl, 5u);
  EXPECT_EQ(config.answers.max_ttl, 30u);
}

}  // namespace
}  // namespace egress
