// CoreDNS's health probe, `. NS`, at moments of the test's own.
#include "actors/dns/io/cached_forwarder.hpp"
#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {
namespace {

using std::chrono::seconds;

// What the root's servers are was learnt once, for 300 s; since then the upstream is silent.
struct root_probe : ::testing::Test {
  root_probe() {
    const auto give_up = learnt + std::chrono::milliseconds{patience_ms};
    while (probe(seconds{0}).code != 0 && std::chrono::steady_clock::now() < give_up)
      context.run_for(std::chrono::milliseconds{1});
    silent = true;
  }
  static worker_config patient_with(const upstream_address& upstream) {
    worker_config made;
    made.upstreams = {upstream};
    made.forward.least = made.forward.most = made.forward.budget = std::chrono::minutes{1};
    return made;
  }
  // What is said that much later. Whoever says nothing at once has code 99.
  reply probe(seconds later) {
    const auto packet = ask{.name = "", .type = rr::ns, .edns = true}.make();
    query asked;
    EXPECT_EQ(parse_query(packet, asked), reaction::serve);
    const auto told = cached.answer(asked, forward_kind::root_probe, {learnt + later, false}, out);
    reply none;
    none.code = 99;
    if (told.made.what != action::answered) return none;
    return read_reply(bytes(out).first(told.made.size));
  }

  std::atomic<bool> silent = false;
  scripted_upstream upstream{[this](const packet& asked, auto) {
    return silent ? std::vector<packet>{} : std::vector<packet>{answer_to(asked)};
  }};
  const cache_time learnt = std::chrono::steady_clock::now();
  boost::asio::io_context context;
  worker_config config = patient_with(upstream.address());
  worker_counters counters;
  std::shared_ptr<const hijack_table> table = sample_table();
  std::array<std::uint8_t, edns_udp_size> out{};
  cached_forwarder cached{context, config, counters, table};
};

TEST_F(root_probe, is_answered_at_once_with_what_has_expired) {
  EXPECT_EQ(probe(seconds{100}).ede, -1) << "fresh";
  for (const int minutes : {10, 30, 60}) {
    const auto said = probe(std::chrono::minutes{minutes});
    EXPECT_EQ(said.code, 0u) << minutes;
    EXPECT_EQ(said.answers.size(), 1u) << minutes;
    EXPECT_EQ(said.ede, 3) << minutes;
  }
  EXPECT_EQ(counters.cache_served_stale.value(), 3u);
}

TEST_F(root_probe, has_the_expired_asked_for_beside_its_answer_once) {
  const auto asked_before = counters.forward_requests.value();
  probe(seconds{100});
  EXPECT_EQ(counters.forward_requests.value(), asked_before);
  for (int i = 0; i < 3; ++i) probe(seconds{600});
  EXPECT_EQ(counters.forward_requests.value(), asked_before + 1) << "and that is not answered";
}

TEST_F(root_probe, is_a_failure_at_once_when_even_that_is_too_old) {
  const auto said = probe(std::chrono::hours{2});
  EXPECT_EQ(said.code, 2u);
  EXPECT_TRUE(said.answers.empty());
}

}  // namespace
}  // namespace egress::dns::test
