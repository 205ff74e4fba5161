// Connections to upstreams: shared, kept, and opened again.
#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {
namespace {

using packets = std::vector<packet>;

// Cut over UDP, whole over TCP.
packets only_over_tcp(const packet& asked, transport via) {
  return {via == transport::udp ? answer_to(asked, 0, {}, flag::tc) : answer_to(asked)};
}

std::string numbered(int i) {
  return "n" + std::to_string(i) + ".org";
}

TEST(channel, is_kept_for_the_next_cut_answer) {
  scripted_upstream upstream(only_over_tcp);
  served s({upstream.address()});
  s.be_patient();
  const auto worker = s.make();
  const udp_client client(s.port);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.ask_for({.name = numbered(i)}).answers.size(), 1u);
  EXPECT_EQ(upstream.connections(), 1);
}

TEST(channel, carries_many_questions_at_once_and_their_answers_in_any_order) {
  packets held;
  scripted_upstream upstream([&](const packet& asked, transport via) {
    if (via == transport::udp) return only_over_tcp(asked, via);
    held.insert(held.begin(), answer_to(asked));
    return held.size() < 10 ? packets{} : held;
  });
  served s({upstream.address()});
  s.be_patient();
  const auto worker = s.make();
  const udp_client client(s.port);
  for (unsigned i = 0; i < 10; ++i) client.send(ask{.name = numbered(static_cast<int>(i)), .id = i}.make());
  std::set<unsigned> ids;
  for (int i = 0; i < 10; ++i) {
    const auto got = read_reply(client.receive());
    EXPECT_EQ(got.question, numbered(static_cast<int>(got.id)));
    EXPECT_EQ(got.answers.size(), 1u);
    ids.insert(got.id);
  }
  EXPECT_EQ(ids.size(), 10u);
  EXPECT_EQ(upstream.connections(), 1);
}

TEST(channel, is_opened_again_when_the_upstream_has_closed_it) {
  scripted_upstream upstream(only_over_tcp);
  upstream.close_after_each_answer();
  served s({upstream.address()});
  s.be_patient();
  const auto worker = s.make();
  const udp_client client(s.port);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.ask_for({.name = numbered(i)}).code, 0u) << i;
  EXPECT_EQ(upstream.connections(), 20);
  EXPECT_EQ(s.counters->forward_failures.value(), 0u);
}

TEST(channel, is_closed_when_idle) {
  scripted_upstream upstream(only_over_tcp);
  served s({upstream.address()});
  s.be_patient();
  s.config.forward.channel.idle = std::chrono::milliseconds{20};
  const auto worker = s.make();
  const udp_client client(s.port);
  EXPECT_EQ(client.ask_for({.name = "a.org"}).code, 0u);
  EXPECT_TRUE(becomes_true([&] { return upstream.open_connections() == 0; }));
  EXPECT_EQ(client.ask_for({.name = "b.org"}).code, 0u);
  EXPECT_EQ(upstream.connections(), 2);
}

TEST(channel, that_falls_silent_is_given_up) {
  std::atomic<bool> silent = false;
  scripted_upstream upstream([&](const packet& asked, transport via) {
    return via == transport::tcp && silent ? packets{} : only_over_tcp(asked, via);
  });
  served s({upstream.address()});
  s.be_patient();
  s.config.forward.channel.stall = std::chrono::milliseconds{30};
  const auto worker = s.make();
  const udp_client client(s.port);
  EXPECT_EQ(client.ask_for({.name = "a.org"}).code, 0u);
  silent = true;
  client.send(ask{.name = "b.org"}.make());
  // The question gets a second connection, once.
  EXPECT_TRUE(becomes_true([&] { return upstream.connections() >= 2; }));
  silent = false;
  // Of a connection that had answered, it was asked again; of the second one it was not.
  EXPECT_NE(client.receive(), packet{});
  // So short a time may pass on a busy machine, too: not every question gets through.
  EXPECT_TRUE(becomes_true([&] { return client.ask_for({.name = "c.org"}).code == 0; }));
}

}  // namespace
}  // namespace egress::dns::test
