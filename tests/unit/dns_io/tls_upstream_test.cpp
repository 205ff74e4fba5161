// Upstreams over TLS (RFC 7858).
#include "tests/unit/dns_io/tls_upstream.hpp"

#include <algorithm>

#include "runtime/net/tls.hpp"

namespace egress::dns::test {
namespace {

using egress::test::certified;

// A server whose certificate is for dns.example, and a worker that trusts its authority.
struct over_tls {
  certified authority = certified::authority("us");
  certified certificate = authority.sign({.names = "DNS:dns.example"});
  tls_upstream upstream;
  served s;
  std::mutex mutex;
  std::vector<std::string> news;

  explicit over_tls(const std::string& name = "dns.example", const certified* trusted = nullptr,
                    tls_upstream::script says = tls_upstream::answers)
      : upstream(certificate, std::move(says)) {
    s.config.upstreams = {upstream.server(name)};
    net::tls_material trust;
    trust.authorities = (trusted ? *trusted : authority).certificate();
    s.config.tls = net::make_tls_context(trust).value();
    s.be_patient();
    s.config.upstream_news = [this](const std::string&, const std::string& problem) {
      const std::scoped_lock lock(mutex);
      news.push_back(problem);
    };
  }
  bool has_news(const std::string& text) {
    const std::scoped_lock lock(mutex);
    return std::ranges::any_of(news, [&](const std::string& one) { return one.contains(text); });
  }
};

std::string numbered(int i) {
  return "n" + std::to_string(i) + ".org";
}

TEST(tls_upstream, many_questions_share_a_connection) {
  over_tls t;
  const auto worker = t.s.make();
  const udp_client client(t.s.port);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.ask_for({.name = numbered(i)}).answers.size(), 1u);
  for (unsigned i = 0; i < 50; ++i)
    client.send(ask{.name = numbered(static_cast<int>(100 + i)), .id = i}.make());
  std::set<unsigned> ids;
  for (int i = 0; i < 50; ++i) ids.insert(read_reply(client.receive()).id);
  EXPECT_EQ(ids.size(), 50u);
  EXPECT_EQ(t.upstream.connections(), 1);
  EXPECT_EQ(t.upstream.name(), "dns.example");
}

TEST(tls_upstream, with_a_certificate_for_another_name_is_not_asked) {
  over_tls t("other.example");
  const auto worker = t.s.make();
  EXPECT_EQ(udp_client(t.s.port).ask_for({.name = "a.org"}).code, 2u);
  EXPECT_TRUE(t.has_news("not for \"other.example\""));
  EXPECT_EQ(t.upstream.asked(), 0);
}

TEST(tls_upstream, of_an_unknown_authority_is_not_asked) {
  const auto stranger = certified::authority("stranger");
  over_tls t("dns.example", &stranger);
  const auto worker = t.s.make();
  EXPECT_EQ(udp_client(t.s.port).ask_for({.name = "a.org"}).code, 2u);
  EXPECT_TRUE(t.has_news("certificate is refused"));
  EXPECT_EQ(t.upstream.asked(), 0);
}

TEST(tls_upstream, that_closes_is_connected_to_again) {
  over_tls t;
  t.upstream.close_after_each_answer();
  const auto worker = t.s.make();
  const udp_client client(t.s.port);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client.ask_for({.name = numbered(i)}).code, 0u) << i;
  EXPECT_EQ(t.upstream.connections(), 5);
}

// Its peer takes all and says nothing. Whoever asks gives up sooner than the connection is given up, and then
// the next asks, or a probe.
TEST(tls_upstream, that_falls_silent_is_connected_to_again_though_nobody_waits_long) {
  std::atomic<bool> silent = false;
  over_tls t("dns.example", nullptr, [&](const packet& asked) {
    return silent ? std::vector<packet>{} : std::vector<packet>{answer_to(asked)};
  });
  t.s.config.forward.least = t.s.config.forward.most = std::chrono::milliseconds{40};
  t.s.config.forward.budget = std::chrono::milliseconds{80};
  t.s.config.forward.probe = std::chrono::seconds{10};
  t.s.config.forward.channel.stall = std::chrono::milliseconds{300};
  const auto worker = t.s.make();
  const udp_client client(t.s.port);
  int i = 0;
  ASSERT_TRUE(becomes_true([&] { return client.ask_for({.name = numbered(++i)}).code == 0u; }));
  const auto before = t.upstream.connections();
  silent = true;
  EXPECT_TRUE(becomes_true([&] {
    client.ask_for({.name = numbered(++i)});
    return t.upstream.connections() > before;
  }));
}

TEST(tls_upstream, is_let_go_when_idle) {
  over_tls t;
  t.s.config.forward.channel.idle = std::chrono::milliseconds{20};
  const auto worker = t.s.make();
  const udp_client client(t.s.port);
  EXPECT_EQ(client.ask_for({.name = "a.org"}).code, 0u);
  EXPECT_TRUE(becomes_true([&] { return t.upstream.open_connections() == 0; }));
  EXPECT_EQ(client.ask_for({.name = "b.org"}).code, 0u);
  EXPECT_EQ(t.upstream.connections(), 2);
}

TEST(tls_upstream, nothing_goes_over_udp_or_in_the_clear) {
  over_tls t;
  scripted_upstream plain([](const packet& asked, auto) { return std::vector<packet>{answer_to(asked)}; });
  t.s.config.upstreams = {upstream_server(plain.address(), "dns.example")};
  t.s.config.forward.budget = std::chrono::milliseconds{300};
  const auto worker = t.s.make();
  EXPECT_EQ(udp_client(t.s.port).ask_for({.name = "a.org"}).code, 2u);
  EXPECT_EQ(plain.asked(), 0);
}

}  // namespace
}  // namespace egress::dns::test
