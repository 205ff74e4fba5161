#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {
namespace {

class tcp_client {
 public:
  explicit tcp_client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto at = loopback(port);
    EXPECT_EQ(::connect(fd_.get(), generic(at), sizeof at), 0);
  }
  void send(const packet& message) const {
    packet framed;
    put16(framed, static_cast<unsigned>(message.size()));
    framed.insert(framed.end(), message.begin(), message.end());
    send_raw(framed);
  }
  void send_raw(const packet& p) const {
    EXPECT_EQ(::send(fd_.get(), p.data(), p.size(), MSG_NOSIGNAL), static_cast<ssize_t>(p.size()));
  }
  void finish() const { ::shutdown(fd_.get(), SHUT_WR); }
  packet receive() const {
    packet size(2);
    if (!take(size)) return {};
    packet message(load16(size.data()));
    return take(message) ? message : packet{};
  }
  // The server closes: true when the end of the stream comes.
  bool ends() const {
    char byte;
    return readable(fd_.get()) && ::recv(fd_.get(), &byte, 1, 0) <= 0;
  }

 private:
  bool take(packet& into) const {
    for (std::size_t got = 0; got < into.size();) {
      if (!readable(fd_.get())) return false;
      const auto more = ::recv(fd_.get(), &into[got], into.size() - got, 0);
      if (more <= 0) return false;
      got += static_cast<std::size_t>(more);
    }
    return true;
  }
  unique_fd fd_;
};

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
  const auto message = ask{}.make();
  packet framed;
  put16(framed, static_cast<unsigned>(message.size()));
  framed.insert(framed.end(), message.begin(), message.end());
  for (const auto byte : framed) client.send_raw({byte});
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
