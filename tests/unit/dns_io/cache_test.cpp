// The cache behind real sockets. Its rules are tested without them, in tests/unit/dns.
#include <memory>

#include "tests/unit/dns_io/tcp_client.hpp"

namespace egress::dns::test {
namespace {

using packets = std::vector<packet>;
using std::chrono::milliseconds;

constexpr auto from_cache = static_cast<std::size_t>(plugin::cache);

// An upstream whose answers live for a second, until it is told to fail or to be silent.
struct moody_upstream {
  enum mood { good, failing, silent };
  explicit moody_upstream(unsigned ttl = 1)
      : server([this, ttl](const packet& asked, auto) {
          if (is == silent) return packets{};
          if (is == failing) return packets{answer_to(asked, 2, {})};
          auto answer = answer_to(asked);
          store32(&answer[answer.size() - 10], ttl);
          return packets{answer};
        }) {}
  std::atomic<int> is = good;
  scripted_upstream server;
};

// Its forwarder gives a busy machine's upstream the time it needs: one question, one attempt.
struct patient : served {
  explicit patient(std::vector<upstream_address> upstreams) : served(std::move(upstreams)) {
    config.forward.least = config.forward.most = std::chrono::seconds{30};
    config.forward.budget = std::chrono::minutes{1};
    config.cache.stale_after = std::chrono::minutes{1};
  }
};

// Asks until `enough` holds for an answer, and gives that.
template <class Enough>
reply ask_until(const udp_client& client, const ask& what, Enough&& enough) {
  const auto give_up = std::chrono::steady_clock::now() + milliseconds{patience_ms};
  for (;;) {
    auto r = client.ask_for(what);
    if (enough(r)) return r;
    if (std::chrono::steady_clock::now() > give_up) {
      ADD_FAILURE() << "never came: " << what.name;
      return r;
    }
  }
}

TEST(dns_cache, asks_the_upstream_once_for_what_is_asked_again) {
  moody_upstream upstream(300);
  patient s({upstream.server.address()});
  const auto worker = s.make();
  const udp_client client(s.port);
  client.ask_for({.name = "other.org", .id = 1});
  const auto again = client.ask_for({.name = "OTHER.org", .id = 2, .edns = true});
  EXPECT_EQ(again.id, 2u);
  EXPECT_EQ(again.question, "OTHER.org");
  EXPECT_EQ(again.answers.at(0).data, (packet{192, 0, 2, 1}));
  EXPECT_EQ(again.answers.at(0).ttl, 30u);
  EXPECT_TRUE(again.has_opt);
  EXPECT_EQ(s.counters->forward_requests.value(), 1u);
  EXPECT_EQ(s.counters->responses[0][from_cache].value(), 1u);
  EXPECT_EQ(s.counters->cache_requests.value(), 2u);
  EXPECT_EQ(s.counters->cache_misses.value(), 1u);
  EXPECT_EQ(s.counters->cache_hits[0].value(), 1u);
  EXPECT_EQ(s.counters->cache_entries[0].load(), 1u);
  EXPECT_GT(s.counters->cache_bytes.load(), 0u);
}

TEST(dns_cache, is_gone_with_its_loop_and_so_are_the_figures_of_its_size) {
  moody_upstream upstream(300);
  patient s({upstream.server.address()});
  auto worker = s.make();
  const udp_client client(s.port);
  client.ask_for({.name = "other.org"});
  EXPECT_EQ(s.counters->cache_entries[0].load(), 1u);
  EXPECT_GT(s.counters->cache_bytes.load(), 0u);
  worker.reset();
  worker = s.make();
  for (const auto& entries : s.counters->cache_entries) EXPECT_EQ(entries.load(), 0u);
  EXPECT_EQ(s.counters->cache_bytes.load(), 0u);
}

TEST(dns_cache, neither_tells_nor_keeps_what_the_question_does_not_lead_to) {
  scripted_upstream upstream([](const packet& asked, auto) {
    auto answer = answer_to(asked);
    const auto owner = name_in_case("bank.com");
    answer.insert(answer.end(), owner.begin(), owner.end());
    for (const unsigned field : {1u, 1u, 0u, 300u, 4u, 0x0606u, 0x0606u}) put16(answer, field);
    store16(&answer[6], 2);
    return packets{answer};
  });
  patient s({upstream.address()});
  const auto worker = s.make();
  const udp_client client(s.port);
  for (int times = 0; times < 2; ++times) {
    const auto said = client.ask_for({.name = "www.a.org", .edns = true});
    ASSERT_EQ(said.answers.size(), 1u);
    EXPECT_EQ(said.answers[0].owner, "www.a.org");
  }
  EXPECT_EQ(s.counters->responses[0][from_cache].value(), 1u);
}

TEST(dns_cache, gives_large_answers_whole_where_they_fit) {
  const auto large = [](const packet& asked, std::size_t size) { return answer_to(asked, 0, packet(size)); };
  scripted_upstream upstream([&](const packet& asked, transport via) {
    query q;
    parse_query(asked, q);
    if (q.name.data[1] == 'm') return packets{large(asked, 1000)};
    return packets{via == transport::udp ? answer_to(asked, 0, {}, flag::tc) : large(asked, 20'000)};
  });
  patient s({upstream.address()});
  const auto worker = s.make();
  const udp_client client(s.port);
  const tcp_client over_tcp(s.port);
  const ask middle{.name = "middle.org", .type = rr::txt, .edns = true};
  const ask huge{.name = "huge.org", .type = rr::txt, .edns = true};
  const auto asked_over_tcp = [&](const ask& what) {
    over_tcp.send(what.make());
    return read_reply(over_tcp.receive());
  };
  EXPECT_EQ(client.ask_for(middle).answers.size(), 1u);
  EXPECT_EQ(asked_over_tcp(huge).answers.size(), 1u);
  EXPECT_EQ(client.ask_for(middle).answers.at(0).data.size(), 1000u);
  EXPECT_NE(client.ask_for({.name = "middle.org", .type = rr::txt}).flags & flag::tc, 0u);
  EXPECT_NE(client.ask_for(huge).flags & flag::tc, 0u);
  EXPECT_EQ(asked_over_tcp(huge).answers.at(0).data.size(), 20'000u);
  EXPECT_EQ(s.counters->forward_requests.value(), 2u);
}

TEST(dns_cache, answers_stale_when_the_upstream_is_silent) {
  moody_upstream upstream;
  patient s({upstream.server.address()});
  s.config.cache.stale_after = milliseconds{100};
  const auto worker = s.make();
  const udp_client client(s.port);
  client.ask_for({.name = "other.org"});
  upstream.is = moody_upstream::silent;
  const auto r =
      ask_until(client, {.name = "other.org", .edns = true}, [](auto& one) { return one.ede >= 0; });
  EXPECT_EQ(r.ede, 3);
  EXPECT_EQ(r.code, 0u);
  EXPECT_EQ(r.answers.at(0).ttl, 30u);
  EXPECT_EQ(r.answers.at(0).data, (packet{192, 0, 2, 1}));
  EXPECT_GE(s.counters->cache_served_stale.value(), 1u);
  EXPECT_EQ(s.counters->forward_failures.value(), 0u) << "it was given before the budget was over";
}

TEST(dns_cache, answers_stale_when_the_upstream_fails_and_the_new_answer_when_it_is_back) {
  moody_upstream upstream;
  patient s({upstream.server.address()});
  const auto worker = s.make();
  const udp_client client(s.port);
  const ask what{.name = "other.org", .edns = true};
  client.ask_for(what);
  upstream.is = moody_upstream::failing;
  const auto r = ask_until(client, what, [](auto& one) { return one.ede >= 0; });
  EXPECT_EQ(r.ede, 3);
  EXPECT_EQ(r.code, 0u);
  upstream.is = moody_upstream::good;
  EXPECT_EQ(ask_until(client, what, [](auto& one) { return one.ede < 0; }).answers.size(), 1u);
}

TEST(dns_cache, refreshes_beside_the_answer_in_the_last_tenth) {
  moody_upstream upstream;
  patient s({upstream.server.address()});
  const auto worker = s.make();
  const udp_client client(s.port);
  // A machine that stands still may miss the tenth of a second: then the next one counts.
  ask_until(client, {.name = "other.org"}, [&](auto&) { return s.counters->cache_prefetches.value() > 0; });
  ask_until(client, {.name = "other.org"}, [&](auto&) {
    return s.counters->forward_requests.value() == static_cast<std::uint64_t>(upstream.server.asked());
  });
  EXPECT_EQ(s.counters->forward_requests.value(),
            s.counters->cache_misses.value() + s.counters->cache_prefetches.value());
  EXPECT_EQ(s.counters->cache_served_stale.value(), 0u);
}

TEST(dns_cache, remembers_a_failure_for_a_moment) {
  moody_upstream upstream;
  upstream.is = moody_upstream::silent;
  patient s({upstream.server.address()});
  s.config.forward.budget = milliseconds{200};
  const auto worker = s.make();
  const udp_client client(s.port);
  const ask what{.name = "other.org", .edns = true};
  EXPECT_EQ(client.ask_for(what).ede, 22);
  EXPECT_EQ(ask_until(client, what, [](auto& one) { return one.ede == 13; }).code, 2u);
  EXPECT_EQ(s.counters->forward_requests.value(), s.counters->cache_misses.value());
  upstream.is = moody_upstream::good;
  EXPECT_EQ(ask_until(client, what, [](auto& one) { return one.code == 0; }).answers.size(), 1u);
}

TEST(dns_cache, a_name_that_is_hijacked_later_is_answered_by_the_table_at_once) {
  moody_upstream upstream(300);
  patient s({upstream.server.address()});
  const auto worker = s.make();
  const udp_client client(s.port);
  client.ask_for({.name = "other.org"});
  EXPECT_EQ(client.ask_for({.name = "other.org"}).answers.at(0).data, (packet{192, 0, 2, 1}));
  worker->set_table(build({service("o", "other.org", {"10.0.0.9"})}, {external("o")}).table);
  const packet ours{10, 0, 0, 9};
  ask_until(client, {.name = "other.org"}, [&](auto& r) { return r.answers.at(0).data == ours; });
  EXPECT_EQ(s.counters->forward_requests.value(), 1u);
  worker->set_table(sample_table());
  ask_until(client, {.name = "other.org"}, [&](auto& r) { return r.answers.at(0).data != ours; });
  EXPECT_EQ(s.counters->forward_requests.value(), 1u) << "it is still cached";
}

TEST(dns_cache, a_name_that_is_hijacked_while_its_stale_answer_waits_is_not_leaked) {
  moody_upstream upstream;
  patient s({upstream.server.address()});
  auto worker = s.make();
  const udp_client client(s.port);
  client.ask_for({.name = "other.org"});
  upstream.is = moody_upstream::silent;
  const auto what = ask{.name = "other.org"}.make();
  // One query at a time, until it is no longer fresh: then that one waits.
  const auto waits = [&] { return s.counters->cache_misses.value() == 2; };
  ASSERT_TRUE(becomes_true([&] {
    client.send(what);
    EXPECT_TRUE(becomes_true([&] { return waits() || readable(client.fd(), 0); }));
    if (!waits()) client.receive();
    return waits();
  }));
  worker->set_table(build({service("o", "other.org", {"10.0.0.9"})}, {external("o")}).table);
  worker.reset();  // whoever waits is answered now
  const packet next = client.receive();
  ASSERT_FALSE(next.empty());
  EXPECT_EQ(read_reply(next).answers.at(0).data, (packet{10, 0, 0, 9}));
}

TEST(dns_cache, the_rules_of_the_table_hold_for_what_is_cached) {
  scripted_upstream upstream(
      [](const packet& asked, auto) { return packets{answer_to(asked, 0, {10, 'x', 0})}; });
  patient s({upstream.address()});
  const auto worker = s.make();
  const udp_client client(s.port);
  for (int i = 0; i < 2; ++i) {
    const auto below = client.ask_for({.name = "a.wild.example.com"});
    EXPECT_EQ(below.answers.at(0).data, (packet{10, 0, 0, 3}));
  }
  EXPECT_EQ(s.counters->forward_requests.value(), 1u);
}

TEST(dns_cache, the_health_probe_is_answered_with_what_was_known) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1} << 20}) {
    moody_upstream upstream(300);
    patient s({upstream.server.address()});
    s.config.cache.bytes = bytes;
    const auto worker = s.make();
    const udp_client client(s.port);
    const ask probe{.name = "", .type = rr::ns};
    EXPECT_EQ(client.ask_for(probe).code, 2u);
    ask_until(client, probe, [](auto& r) { return r.code == 0; });
    EXPECT_LE(s.counters->forward_requests.value(), 1u);
    upstream.is = moody_upstream::silent;
    EXPECT_EQ(client.ask_for(probe).answers.size(), 1u);
  }
}

TEST(dns_cache, when_it_is_off_every_query_is_forwarded) {
  moody_upstream upstream(300);
  patient s({upstream.server.address()});
  s.config.cache.bytes = 0;
  const auto worker = s.make();
  const udp_client client(s.port);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.ask_for({.name = "other.org"}).answers.size(), 1u);
  EXPECT_EQ(s.counters->forward_requests.value(), 3u);
  EXPECT_EQ(s.counters->cache_requests.value(), 0u);
  EXPECT_EQ(s.counters->cache_bytes.load(), 0u);
}

TEST(dns_cache, answers_stale_when_too_many_wait) {
  moody_upstream upstream;
  patient s({upstream.server.address()});
  s.config.forward.max_concurrent = 1;
  s.config.cache.stale_after = milliseconds{10};
  const auto worker = s.make();
  const udp_client client(s.port);
  const ask what{.name = "other.org", .edns = true};
  client.ask_for(what);
  upstream.is = moody_upstream::silent;
  client.send(ask{.name = "blocks.org", .id = 1}.make());
  EXPECT_EQ(ask_until(client, what, [](auto& r) { return r.ede == 3; }).code, 0u);
  EXPECT_EQ(s.counters->forward_rejects.value(), 0u);
}

}  // namespace
}  // namespace egress::dns::test
