#include "tests/unit/dns_io/tcp_client.hpp"

namespace egress::dns::test {
namespace {

TEST(tcp, answers_300_pipelined_queries_on_one_connection) {
  scripted_upstream upstream([](const packet& asked, auto) { return std::vector<packet>{answer_to(asked)}; });
  served s({upstream.address()});
  s.config.forward.budget = std::chrono::seconds{8};
  const auto worker = s.make();
  const tcp_client client(s.port);
  for (unsigned i = 0; i < 300; ++i)
    client.send(ask{.name = i % 2 == 0 ? "example.com" : "n" + std::to_string(i) + ".org", .id = i}.make());
  client.finish();
  std::set<unsigned> ids;
  for (int i = 0; i < 300; ++i) {
    const auto got = client.receive();
    ASSERT_FALSE(got.empty()) << i;
    const auto said = read_reply(got);
    EXPECT_EQ(said.code, 0u);
    ids.insert(said.id);
  }
  EXPECT_EQ(ids.size(), 300u);
  EXPECT_TRUE(client.ends()) << "after the client's end, when all is answered";
}

TEST(tcp, does_not_let_a_slow_forwarded_query_hold_up_the_others) {
  scripted_upstream silent([](auto&, auto) { return std::vector<packet>{}; });
  served s({silent.address()});
  s.config.forward.budget = std::chrono::seconds{2};
  const auto worker = s.make();
  const tcp_client client(s.port);
  client.send(ask{.name = "other.org", .id = 1}.make());
  client.send(ask{.id = 2}.make());
  EXPECT_EQ(read_reply(client.receive()).id, 2u);
  EXPECT_EQ(read_reply(client.receive()).id, 1u);
}

TEST(tcp, takes_messages_byte_by_byte) {
  served s;
  const auto worker = s.make();
  const tcp_client client(s.port);
  for (const auto byte : framed(ask{}.make())) client.send_raw({byte});
  EXPECT_EQ(read_reply(client.receive()).answers.size(), 1u);
}

TEST(tcp, closes_the_idle_and_the_half_said) {
  served s;
  s.config.tcp.idle = std::chrono::milliseconds{200};
  s.config.tcp.read = std::chrono::milliseconds{100};
  const auto worker = s.make();
  EXPECT_TRUE(tcp_client(s.port).ends());
  const tcp_client half(s.port);
  half.send_raw({0, 40, 1, 2});
  EXPECT_TRUE(half.ends());
}

TEST(tcp, bounds_connections_per_client) {
  served s;
  s.config.tcp.per_client = 2;
  s.config.tcp.undisturbed = std::chrono::minutes{10};
  const auto worker = s.make();
  const tcp_client first(s.port), second(s.port);
  for (const auto* client : {&first, &second}) {
    client->send(ask{}.make());
    EXPECT_FALSE(client->receive().empty());
  }
  EXPECT_TRUE(tcp_client(s.port).ends());
  EXPECT_EQ(s.counters->tcp_rejects.value(), 1u);
}

}  // namespace
}  // namespace egress::dns::test
