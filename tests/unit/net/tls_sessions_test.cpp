// Connections of one client, one after the other, to OpenSSL's server on the other end of a socket pair:
// which of them go on with a session.

#include "runtime/net/tls_sessions.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "runtime/net/client_stream.hpp"
#include "runtime/net/tls.hpp"
#include "runtime/net/unique_fd.hpp"
#include "tests/support/certificates.hpp"

namespace egress::net {
namespace {

using namespace std::chrono_literals;
using test::certified;

struct free_ssl {
  void operator()(SSL* one) const { SSL_free(one); }
};

struct connection {
  // Begun at another time than now: a session of now is taken back, and what is kept then asked for.
  connection(const std::shared_ptr<boost::asio::ssl::context>& rules, SSL_CTX* with, steady_time at)
      : connection(rules, with) {
    SSL_set_session(stream.session(), nullptr);
    resume_session(stream.session(), at);
  }
  connection(const std::shared_ptr<boost::asio::ssl::context>& rules, SSL_CTX* with)
      : stream(rules), server(SSL_new(with)) {
    int made[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, made), 0);
    ours = unique_fd(made[0]);
    peers = unique_fd(made[1]);
    stream.use(ours.get());
    expect_peer(stream.session(), "127.0.0.1", true);
    SSL_set_fd(server.get(), peers.get());
    SSL_set_accept_state(server.get());
  }

  // Whether it could be used; a session that the server offers is there then, too.
  bool opens() {
    for (;;) {
      const auto step = stream.shake_hands();
      const bool theirs = SSL_do_handshake(server.get()) == 1;
      if (step.failed) return false;
      if (theirs && step.until == client_stream::wait::none) break;
    }
    char some[8];
    return SSL_write(server.get(), "hello", 5) == 5 && stream.read(some).size == 5;
  }
  bool resumed() const { return SSL_session_reused(stream.session()) == 1; }

  unique_fd ours, peers;
  client_stream stream;
  std::unique_ptr<SSL, free_ssl> server;
};

struct tls_sessions : ::testing::TestWithParam<int> {
  tls_sessions() {
    keep_sessions(rules->native_handle());
    SSL_CTX_set_max_proto_version(server.get(), GetParam());
  }
  // Opens one more and says whether it went on with a session; one that does not open says no.
  bool next_is_resumed() {
    connection next(rules, server.get());
    return next.opens() && next.resumed();
  }
  std::shared_ptr<boost::asio::ssl::context> client_of(const certified& who) const {
    return make_tls_context(
               {.authorities = authority.certificate(), .certificate = who.certificate(), .key = who.key()})
        .value();
  }

  certified authority = certified::authority("ours");
  std::shared_ptr<boost::asio::ssl::context> rules =
      make_tls_context({.authorities = authority.certificate(), .certificate = "", .key = ""}).value();
  test::tls_context server = authority.sign({}).server();
};
INSTANTIATE_TEST_SUITE_P(both, tls_sessions, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& of) { return of.param == TLS1_2_VERSION ? "of_1_2" : "of_1_3"; });

TEST_P(tls_sessions, go_on_over_each_next_connection) {
  EXPECT_FALSE(next_is_resumed());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(next_is_resumed()) << i;
}

TEST_P(tls_sessions, go_on_beside_the_connection_they_are_of) {
  connection first(rules, server.get());
  ASSERT_TRUE(first.opens());
  EXPECT_TRUE(next_is_resumed());
  EXPECT_TRUE(next_is_resumed());
}

TEST_P(tls_sessions, are_kept_by_no_context_that_was_not_asked_to) {
  rules = make_tls_context({.authorities = authority.certificate(), .certificate = "", .key = ""}).value();
  EXPECT_FALSE(next_is_resumed());
  EXPECT_FALSE(next_is_resumed());
}

TEST_P(tls_sessions, that_the_server_does_not_know_are_begun_anew) {
  EXPECT_FALSE(next_is_resumed());
  server = authority.sign({}).server();
  SSL_CTX_set_max_proto_version(server.get(), GetParam());
  connection other(rules, server.get());
  EXPECT_TRUE(other.opens());
  EXPECT_FALSE(other.resumed());
  EXPECT_TRUE(next_is_resumed()) << "with the new server's";
}

TEST_P(tls_sessions, are_no_way_past_a_certificate_that_must_not_be_trusted) {
  EXPECT_FALSE(next_is_resumed());
  server = certified::authority("foreign").sign({}).server();
  SSL_CTX_set_max_proto_version(server.get(), GetParam());
  connection stranger(rules, server.get());
  EXPECT_FALSE(stranger.opens());
  EXPECT_NE(why_refused(stranger.stream.session(), "127.0.0.1"), "");
}

TEST_P(tls_sessions, are_forgotten_when_a_handshake_fails_or_hangs) {
  EXPECT_FALSE(next_is_resumed());
  {
    connection cut(rules, server.get());
    cut.stream.shake_hands();
    cut.peers.reset();
    EXPECT_TRUE(cut.stream.shake_hands().failed);
  }
  EXPECT_FALSE(next_is_resumed());
  EXPECT_TRUE(next_is_resumed());
  {
    connection hangs(rules, server.get());
    EXPECT_FALSE(hangs.stream.shake_hands().failed);
  }
  EXPECT_FALSE(next_is_resumed());
  {
    const connection never_begun(rules, server.get());
  }
  EXPECT_TRUE(next_is_resumed());
}

TEST_P(tls_sessions, end_some_minutes_after_the_server_was_looked_at) {
  const auto now = std::chrono::steady_clock::now();
  const auto opened = [&](std::chrono::minutes later) {
    auto next = std::make_unique<connection>(rules, server.get(), now + later);
    EXPECT_TRUE(next->opens());
    return next;
  };
  EXPECT_FALSE(opened(0min)->resumed());
  EXPECT_TRUE(opened(session_age / 2)->resumed());
  EXPECT_TRUE(opened(session_age - 1min)->resumed()) << "its own tickets are as old";
  const auto whole = opened(session_age);
  EXPECT_FALSE(whole->resumed());
  EXPECT_TRUE(opened(session_age + 9min)->resumed());
}

// TLS 1.3 has tickets at any time.
struct late_tickets : tls_sessions {};
INSTANTIATE_TEST_SUITE_P(of, late_tickets, ::testing::Values(TLS1_3_VERSION),
                         [](const auto&) { return "tls_1_3"; });

TEST_P(late_tickets, are_as_old_as_their_connection) {
  const auto now = std::chrono::steady_clock::now();
  connection old(rules, server.get(), now - 9min), young(rules, server.get(), now);
  ASSERT_TRUE(old.opens());
  ASSERT_TRUE(young.opens());
  ASSERT_EQ(SSL_new_session_ticket(old.server.get()), 1);
  ASSERT_EQ(SSL_write(old.server.get(), "more", 4), 4);
  char some[8];
  ASSERT_EQ(old.stream.read(some).size, 4u);
  connection next(rules, server.get(), now + 5min);
  ASSERT_TRUE(next.opens());
  EXPECT_TRUE(next.resumed()) << "with that of the younger";
}

TEST_P(tls_sessions, bear_the_clients_certificate) {
  const auto us = authority.sign({}), others = authority.sign({});
  server = authority.sign({}).server(&authority);
  SSL_CTX_set_max_proto_version(server.get(), GetParam());
  rules = client_of(us);
  keep_sessions(rules->native_handle());
  EXPECT_FALSE(next_is_resumed());
  EXPECT_TRUE(next_is_resumed());
  // Who has a new certificate has a new context, which goes on with nothing.
  rules = client_of(others);
  keep_sessions(rules->native_handle());
  EXPECT_FALSE(next_is_resumed());
  EXPECT_TRUE(next_is_resumed());
}

}  // namespace
}  // namespace egress::net
