// A client's stream against the other end of a socket pair, plain and under TLS, without a thread or a wait.

#include "runtime/net/client_stream.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <memory>

#include "runtime/net/tls.hpp"
#include "runtime/net/unique_fd.hpp"
#include "tests/support/certificates.hpp"

namespace egress::net {
namespace {

namespace asio = boost::asio;
using wait = client_stream::wait;

struct both_ends {
  both_ends() {
    int made[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, made), 0);
    ours = unique_fd(made[0]);
    peers = unique_fd(made[1]);
  }
  unique_fd ours, peers;
};

struct plain_stream : ::testing::Test {
  plain_stream() { stream.use(ends.ours.get()); }
  both_ends ends;
  client_stream stream{nullptr};
  char some[64];
};

TEST_F(plain_stream, waits_reads_and_ends) {
  EXPECT_EQ(stream.read(some).until, wait::readable);
  ASSERT_EQ(::send(ends.peers.get(), "abc", 3, 0), 3);
  const auto came = stream.read(some);
  EXPECT_EQ(came.size, 3u);
  EXPECT_FALSE(came.failed);
  ends.peers.reset();
  EXPECT_EQ(stream.read(some).failed, asio::error::eof);
}

TEST_F(plain_stream, writes_until_the_socket_is_full) {
  const std::string much(64 * 1024, 'x');
  client_stream::step last;
  std::size_t written = 0;
  do {
    last = stream.write(much);
    written += last.size;
  } while (last.size > 0);
  EXPECT_EQ(last.until, wait::writable);
  EXPECT_FALSE(last.failed);
  EXPECT_GT(written, 0u);
}

TEST_F(plain_stream, to_a_peer_that_is_gone_fails_and_raises_no_signal) {
  ends.peers.reset();
  EXPECT_EQ(stream.write("abc").failed, asio::error::broken_pipe);
}

TEST_F(plain_stream, lets_nothing_leave_that_must_not) {
  int asked = 0;
  stream.ask([&] { return ++asked < 2; });
  EXPECT_EQ(stream.write("abc").size, 3u);
  EXPECT_FALSE(stream.withheld());
  EXPECT_EQ(stream.write("def").failed, asio::error::operation_aborted);
  EXPECT_TRUE(stream.withheld());
  stream.ask({});
  EXPECT_FALSE(stream.withheld());
  char came[8];
  EXPECT_EQ(::recv(ends.peers.get(), came, sizeof came, 0), 3);
}

struct free_ssl {
  void operator()(SSL* one) const { SSL_free(one); }
};

// The server is OpenSSL's own, on the other end.
struct tls_stream : ::testing::Test {
  tls_stream() {
    server.reset(SSL_new(context.get()));
    SSL_set_fd(server.get(), ends.peers.get());
    SSL_set_accept_state(server.get());
    stream.use(ends.ours.get());
    expect_peer(stream.session(), "127.0.0.1", true);
  }
  // Each side in turn until both are done; what the client said last.
  client_stream::step shake_hands() {
    for (;;) {
      const auto ours = stream.shake_hands();
      const bool theirs = SSL_do_handshake(server.get()) == 1;
      if (ours.failed || (theirs && ours.until == wait::none)) return ours;
    }
  }

  test::certified authority = test::certified::authority("ours");
  std::shared_ptr<asio::ssl::context> rules =
      make_tls_context({.authorities = authority.certificate(), .certificate = "", .key = ""}).value();
  both_ends ends;
  test::tls_context context = authority.sign({}).server();
  std::unique_ptr<SSL, free_ssl> server;
  client_stream stream{rules};
};

TEST_F(tls_stream, moves_more_than_either_socket_holds_both_ways) {
  ASSERT_FALSE(shake_hands().failed);
  std::string sent(1024 * 1024, '\0');
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 7 + i / 256);
  std::string there, back;
  std::vector<char> some(8 * 1024);
  int waited = 0;
  for (std::size_t from = 0; back.size() < sent.size();) {
    for (client_stream::step step; from < sent.size() && step.until == wait::none; from += step.size) {
      step = stream.write(std::string_view(sent).substr(from));
      ASSERT_FALSE(step.failed) << step.failed.message();
      waited += step.until == wait::writable ? 1 : 0;
    }
    for (int got = 0; (got = SSL_read(server.get(), some.data(), static_cast<int>(some.size()))) > 0;)
      there.append(some.data(), static_cast<std::size_t>(got));
    const auto more = static_cast<int>(std::min<std::size_t>(there.size() - back.size(), 3'000));
    if (more > 0) ASSERT_EQ(SSL_write(server.get(), there.data() + back.size(), more), more);
    do {
      const auto came = stream.read(some);
      ASSERT_FALSE(came.failed) << came.failed.message();
      back.append(some.data(), came.size);
    } while (stream.has_more());
  }
  EXPECT_GT(waited, 0);
  EXPECT_TRUE(back == sent);
}

TEST_F(tls_stream, reads_ahead_what_one_system_call_brings) {
  ASSERT_FALSE(shake_hands().failed);
  for (const auto* const one : {"abc", "def"}) ASSERT_EQ(SSL_write(server.get(), one, 3), 3);
  char some[64];
  EXPECT_EQ(stream.read(some).size, 3u);
  EXPECT_TRUE(stream.has_more())
      << "the second record is in memory, and the socket will not become readable for it";
  EXPECT_EQ(stream.read(some).size, 3u);
  EXPECT_FALSE(stream.has_more());
}

TEST_F(tls_stream, tells_a_farewell_from_an_end_without_one) {
  ASSERT_FALSE(shake_hands().failed);
  SSL_shutdown(server.get());
  char some[64];
  EXPECT_EQ(stream.read(some).failed, asio::error::eof);
}

TEST_F(tls_stream, that_is_cut_off_is_no_end_and_no_matter_of_trust) {
  ASSERT_FALSE(shake_hands().failed);
  ends.peers.reset();
  char some[64];
  EXPECT_EQ(stream.read(some).failed, asio::ssl::error::stream_truncated);
}

TEST_F(tls_stream, says_of_a_stranger_what_openssl_says) {
  const auto foreign = test::certified::authority("foreign");
  client_stream other(
      make_tls_context({.authorities = foreign.certificate(), .certificate = "", .key = ""}).value());
  other.use(ends.ours.get());
  expect_peer(other.session(), "127.0.0.1", true);
  client_stream::step last;
  while (!(last = other.shake_hands()).failed) SSL_do_handshake(server.get());
  EXPECT_EQ(last.failed.category(), asio::error::get_ssl_category());
  EXPECT_NE(why_refused(other.session(), "127.0.0.1"), "");
}

// A server of before 2008 (RFC 8996). OpenSSL's security level, which a machine may lower, is not what keeps
// it out.
struct old_server : tls_stream {
  old_server() {
    SSL_set_min_proto_version(server.get(), TLS1_VERSION);
    SSL_set_max_proto_version(server.get(), TLS1_1_VERSION);
    for (auto* one : {server.get(), stream.session()}) SSL_set_security_level(one, 0);
  }
};

TEST_F(old_server, without_tls_1_2_is_refused) {
  EXPECT_TRUE(shake_hands().failed);
}

TEST_F(old_server, is_refused_for_its_version_alone) {
  SSL_set_min_proto_version(stream.session(), TLS1_1_VERSION);
  EXPECT_FALSE(shake_hands().failed);
}

TEST_F(tls_stream, lets_nothing_leave_that_must_not) {
  ASSERT_FALSE(shake_hands().failed);
  stream.ask([] { return false; });
  EXPECT_EQ(stream.write("abc").failed, asio::error::operation_aborted);
  EXPECT_TRUE(stream.withheld());
  char some[64];
  EXPECT_LE(SSL_read(server.get(), some, sizeof some), 0);
}

}  // namespace
}  // namespace egress::net
