// Upstreams that fail, and come back.
#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {
namespace {

using packets = std::vector<packet>;

// An upstream that can be told to be silent, or to answer with an rcode. It counts what it is asked, each
// question at once as what it is.
struct moody {
  std::atomic<bool> silent = false;
  std::atomic<unsigned> code = 0;
  std::atomic<int> probes = 0, questions = 0;
  scripted_upstream upstream{[this](const packet& asked, auto) {
    query q;
    parse_query(asked, q);
    ++(q.name.is_root() ? probes : questions);
    return silent ? packets{} : packets{answer_to(asked, code, code == 0 ? packet{192, 0, 2, 1} : packet{})};
  }};
};

struct two_upstreams {
  moody first, second;
  served s{{first.upstream.address(), second.upstream.address()}};
  int asked = 0;
  two_upstreams() {
    s.config.policy = upstream_policy::sequential;
    s.config.forward.probe = std::chrono::milliseconds{20};
    s.config.forward.least = s.config.forward.most = std::chrono::milliseconds{250};
    s.config.forward.budget = std::chrono::seconds{8};
  }
  unsigned ask_for_another(const udp_client& client) {
    return client.ask_for({.name = "n" + std::to_string(++asked) + ".org"}).code;
  }
};

TEST(health, two_failures_and_an_upstream_is_asked_no_more_until_a_probe_is_answered) {
  two_upstreams t;
  const auto worker = t.s.make();
  const udp_client client(t.s.port);
  t.first.silent = true;
  for (int i = 0; i < 2; ++i) EXPECT_EQ(t.ask_for_another(client), 0u);
  const int until_then = t.first.questions;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(t.ask_for_another(client), 0u);
  EXPECT_EQ(t.first.questions, until_then) << "questions to the unhealthy one";
  EXPECT_TRUE(becomes_true([&] { return t.first.probes >= 3; })) << "it is probed again and again";
  t.first.silent = false;
  const int before = t.second.questions;
  EXPECT_TRUE(becomes_true([&] {
    t.ask_for_another(client);
    return t.second.questions - before < t.asked - 7 && t.first.questions > until_then;
  }));
}

TEST(health, any_reply_is_a_healthy_one) {
  two_upstreams t;
  t.s.be_patient();
  const auto worker = t.s.make();
  const udp_client client(t.s.port);
  for (const unsigned code : {2u, 5u}) {
    t.first.code = code;
    for (int i = 0; i < 5; ++i) EXPECT_EQ(t.ask_for_another(client), 0u) << "the second one answers";
  }
  EXPECT_EQ(t.first.probes, 0);
  EXPECT_EQ(t.first.upstream.asked(), 10) << "it is asked first each time";
  // Both fail: what the last one said is the answer.
  t.second.code = 5;
  EXPECT_EQ(t.ask_for_another(client), 5u);
}

TEST(health, with_all_unhealthy_one_is_asked_anyway) {
  two_upstreams t;
  t.s.config.forward.least = t.s.config.forward.most = std::chrono::milliseconds{50};
  t.s.config.forward.budget = std::chrono::milliseconds{300};
  const auto worker = t.s.make();
  const udp_client client(t.s.port);
  t.first.silent = t.second.silent = true;
  EXPECT_EQ(t.ask_for_another(client), 2u);
  EXPECT_EQ(t.ask_for_another(client), 2u);
  EXPECT_GT(t.s.counters->forward_healthcheck_broken.value(), 0u);
  t.first.silent = t.second.silent = false;
  EXPECT_TRUE(becomes_true([&] { return t.ask_for_another(client) == 0; }));
  EXPECT_TRUE(becomes_true([&] {
    std::uint64_t failures = 0;
    for (const auto& one : t.s.counters->upstreams.all()) failures += one->healthcheck_failures.value();
    return failures > 0 || t.first.probes + t.second.probes > 0;
  }));
}

TEST(health, upstreams_are_measured_by_name_and_rcode) {
  two_upstreams t;
  t.s.be_patient();
  const auto worker = t.s.make();
  const udp_client client(t.s.port);
  t.first.code = 2;
  EXPECT_EQ(t.ask_for_another(client), 0u);
  const auto all = t.s.counters->upstreams.all();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]->to, to_text(t.first.upstream.address()));
  const auto count = [](const auto& of) {
    std::uint64_t sum = 0;
    for (const auto& bucket : of.buckets) sum += bucket.value();
    return sum;
  };
  EXPECT_EQ(count(all[0]->durations[2]), 1u);
  EXPECT_EQ(count(all[1]->durations[0]), 1u);
}

}  // namespace
}  // namespace egress::dns::test
