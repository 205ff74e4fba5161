// What is answered while more questions wait than can be served.
#include <linux/sock_diag.h>

#include "actors/dns/io/cached_forwarder.hpp"
#include "actors/dns/standing_queue.hpp"
#include "tests/unit/dns_io/tcp_client.hpp"

namespace egress::dns::test {
namespace {

struct hurried : ::testing::Test {
  hurried() {
    config.upstreams = {upstream_address{boost::asio::ip::address_v4::loopback(), 9}};
    config.cache.bytes = 1 << 20;
  }
  sourced_answer answer(const ask& what, forward_kind how, bool hurry = true) {
    packet = what.make();
    EXPECT_EQ(parse_query(packet, asked), reaction::serve);
    return upstream.answer(asked, how, {std::chrono::steady_clock::now(), hurry}, out);
  }

  boost::asio::io_context context;
  worker_config config;
  worker_counters counters;
  std::shared_ptr<const hijack_table> table = sample_table();
  cached_forwarder upstream{context, config, counters, table};
  test::packet packet;
  query asked;
  std::array<std::uint8_t, edns_udp_size> out{};
};

TEST_F(hurried, refuses_what_upstreams_must_be_asked_for) {
  EXPECT_EQ(answer({.name = "a.org"}, forward_kind::plain, false).made.what, action::forward);
  const auto told = answer({.name = "a.org", .edns = true}, forward_kind::plain);
  ASSERT_EQ(told.made.what, action::answered);
  EXPECT_EQ(told.made.code, rcode::refused);
  EXPECT_EQ(read_reply(bytes(out).first(told.made.size)).why, "more queries come than can be served");
  EXPECT_EQ(counters.overload_refused.value(), 1u);
  EXPECT_EQ(counters.forward_rejects.value(), 0u);
}

TEST_F(hurried, answers_names_below_a_wildcard_without_asking_for_the_real_one) {
  const auto told = answer({.name = "a.wild.example.com"}, forward_kind::wildcard);
  EXPECT_TRUE(told.made.hijacked);
  EXPECT_EQ(read_reply(bytes(out).first(told.made.size)).answers.at(0).data, (test::packet{10, 0, 0, 3}));
}

// Once they have failed for it: whoever asks again has the gateway's address at once, and they are asked
// beside that.
TEST_F(hurried, or_not_waits_for_failing_upstreams_once) {
  const ask what{.name = "a.wild.example.com"};
  EXPECT_EQ(answer(what, forward_kind::wildcard, false).made.what, action::forward);
  std::optional<bool> hijacked;
  upstream.ask(asked, forward_kind::wildcard, edns_udp_size,
               [&](const sourced_answer& told, bytes) { hijacked = told.made.hijacked; });
  while (!hijacked) ASSERT_NE(context.run_one(), 0u);
  EXPECT_EQ(hijacked, true);
  const auto pause_is_over = std::chrono::steady_clock::now() + std::chrono::seconds{6};
  const auto told = upstream.answer(asked, forward_kind::wildcard, {pause_is_over, false}, out);
  ASSERT_EQ(told.made.what, action::answered);
  EXPECT_TRUE(told.made.hijacked);
  EXPECT_EQ(counters.forward_requests.value(), 2u);
  const auto later = pause_is_over + std::chrono::minutes{1};
  EXPECT_EQ(upstream.answer(asked, forward_kind::wildcard, {later, false}, out).made.what, action::forward);
}

TEST_F(hurried, still_learns_the_root_for_the_health_probe) {
  EXPECT_EQ(answer({.name = "", .type = rr::ns}, forward_kind::root_probe).made.code, rcode::servfail);
  EXPECT_EQ(counters.forward_requests.value(), 1u);
}

// A loop that is held up, for as long as a queue may stand or longer, when the log's reader is woken.
struct held_up_loop : ::testing::Test {
  static constexpr unsigned batch = 64, one_in = 4;  // questions is for a hijacked name
  static constexpr unsigned hijacked = batch / one_in, forwarded = batch - hijacked;

  held_up_loop() {
    s.be_patient();
    log = std::make_shared<query_recorder>(log_sampler(logged_queries::all, 1), 1000, [this] {
      std::this_thread::sleep_for(standing_queue::patience);
      ++held_up;
      while (!go_on) std::this_thread::yield();
    });
    s.config.log = log;
  }
  ~held_up_loop() override { go_on = true; }
  static bool is_hijacked(unsigned id) { return id % one_in == 0; }
  // All of one size, so that each takes as much of the receive buffer.
  static packet question(unsigned id) {
    return ask{.name = is_hijacked(id) ? "example.com" : fmt::format("n{:06}.org", id), .id = id}.make();
  }
  std::uint32_t waiting_bytes() const {
    std::array<std::uint32_t, SK_MEMINFO_VARS> about{};
    socklen_t size = sizeof about;
    EXPECT_EQ(::getsockopt(s.sockets->at(0).udp.get(), SOL_SOCKET, SO_MEMINFO, about.data(), &size), 0);
    return about[SK_MEMINFO_RMEM_ALLOC];
  }
  // Puts so many questions into the socket's queue, which nobody reads meanwhile.
  void fill(unsigned count, unsigned first_id = 0) const {
    ASSERT_TRUE(becomes_true([&] { return waiting_bytes() == 0; }));
    client.send(question(first_id));
    ASSERT_TRUE(becomes_true([&] { return waiting_bytes() != 0; }));
    const auto each = waiting_bytes();
    for (unsigned i = 1; i < count; ++i) client.send(question(first_id + i));
    ASSERT_TRUE(becomes_true([&] { return waiting_bytes() == count * each; }));
  }

  // Another batch, while the loop is held up for as long as a queue may stand.
  void fill_while_held_up(unsigned first_id) {
    while (log->take()) continue;
    go_on = false;
    const tcp_client other(s.port);
    other.send(ask{}.make());
    ASSERT_TRUE(becomes_true([&] { return held_up == 2; }));
    fill(batch, first_id);
    go_on = true;
  }
  static std::uint32_t buffer_of(int socket) {
    std::uint32_t room = 0;
    socklen_t size = sizeof room;
    EXPECT_EQ(::getsockopt(socket, SOL_SOCKET, SO_RCVBUF, &room, &size), 0);
    return room;
  }

  scripted_upstream upstream{[](const packet& asked, auto) {
    std::vector<packet> replies;
    if (read_reply(asked).question == "later.org") replies.push_back(answer_to(asked));
    return replies;
  }};
  served s{{upstream.address()}};
  udp_client client{s.port};
  std::shared_ptr<query_recorder> log;
  std::atomic<int> held_up = 0;
  std::atomic<bool> go_on = true;
  std::unique_ptr<worker> loop;
};

TEST_F(held_up_loop, refuses_to_forward_until_its_queue_is_empty_and_answers_hijacked_names) {
  constexpr unsigned batches = 3;
  fill(batches * batch);
  loop = s.make();
  std::set<unsigned> answered, refused;
  for (unsigned i = 0; i < batches * batch - forwarded; ++i) {
    const auto got = read_reply(client.receive());
    (is_hijacked(got.id) ? answered : refused).insert(got.id);
    EXPECT_EQ(got.code, is_hijacked(got.id) ? 0u : 5u) << got.id;
  }
  EXPECT_EQ(answered.size(), batches * hijacked);
  ASSERT_EQ(refused.size(), (batches - 1) * forwarded);
  EXPECT_GE(*refused.begin(), batch) << "nothing of the first batch had waited";
  EXPECT_EQ(s.counters->overload_refused.value(), refused.size());
  EXPECT_EQ(s.counters->forward_requests.value(), forwarded);
  EXPECT_EQ(client.ask_for({.name = "later.org"}).code, 0u);
}

TEST_F(held_up_loop, forwards_a_burst_that_comes_long_after_one_of_just_a_batch) {
  fill(batch);
  loop = s.make();
  for (unsigned i = 0; i < hijacked; ++i) EXPECT_EQ(read_reply(client.receive()).code, 0u);
  fill_while_held_up(batch);
  for (unsigned i = 0; i < hijacked; ++i) EXPECT_EQ(read_reply(client.receive()).code, 0u);
  EXPECT_TRUE(becomes_true([&] { return s.counters->forward_requests.value() == 2 * forwarded; }));
  EXPECT_EQ(s.counters->overload_refused.value(), 0u);
}

// As many as a loop takes before it looks at its other work.
TEST_F(held_up_loop, forwards_a_burst_that_comes_long_after_one_of_just_its_turn) {
  constexpr unsigned turn = 16 * batch;
  if (std::min(buffer_of(s.sockets->at(0).udp.get()), buffer_of(client.fd())) < turn * 1024)
    GTEST_SKIP() << "a socket's buffer is too small for the burst";
  fill(turn);
  loop = s.make();
  for (unsigned i = 0; i < turn - forwarded; ++i) ASSERT_FALSE(client.receive().empty()) << i;
  const auto refused = s.counters->overload_refused.value();
  ASSERT_GT(refused, 0u) << "the queue stood";
  fill_while_held_up(turn);
  for (unsigned i = 0; i < hijacked; ++i) EXPECT_EQ(read_reply(client.receive()).code, 0u);
  EXPECT_TRUE(becomes_true([&] { return s.counters->forward_requests.value() == 2 * forwarded; }));
  EXPECT_EQ(s.counters->overload_refused.value(), refused);
}

}  // namespace
}  // namespace egress::dns::test
