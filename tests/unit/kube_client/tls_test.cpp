// The client against a TLS server on loopback: whom it trusts, who it is, and what it says when that fails.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

#include "runtime/kube/client.hpp"
#include "runtime/net/listen.hpp"
#include "tests/support/run_awaitable.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tls_server.hpp"

namespace egress::kube {
namespace {

using namespace std::chrono_literals;
using test::certified;

const certified& ours() {
  static const auto made = certified::authority("ours");
  return made;
}
const certified& foreign() {
  static const auto made = certified::authority("foreign");
  return made;
}
std::string version_answer() {
  return test::http_answer(200, R"({"major":"1"})");
}

// One client, asked again and again.
struct asking {
  explicit asking(const connection_config& config) : by(io.get_executor(), config, {}) {
    version.what = verb::get_raw;
    version.path = "/version";
    version.timeout = 10s;
  }
  reply operator()() { return test::run(io, by.call(std::make_shared<request>(version))); }

  boost::asio::io_context io;
  client by;
  request version;
};

reply ask(const connection_config& config) {
  return asking(config)();
}

// What a client that trusts `ours` says of a server with this certificate.
struct at_server {
  explicit at_server(const certified& who, const certified* clients = nullptr)
      : server({&who, clients, version_answer()}) {
    config.server = server.url();
    config.certificate_authority.data = ours().certificate();
  }
  std::string says() const {
    const auto got = ask(config);
    if (got) return "fine";
    EXPECT_EQ(got.error().code, api_errc::transport);
    EXPECT_FALSE(got.error().message.contains('\n'));
    // host:port: what is wrong
    const auto at = server.url().substr(8) + ": ";
    EXPECT_TRUE(got.error().message.starts_with(at)) << got.error().message;
    return got.error().message.substr(at.size());
  }
  void be(const certified& who) {
    config.client_certificate.data = who.certificate();
    config.client_key.data = who.key();
  }
  test::tls_server server;
  connection_config config;
};

TEST(client_tls, trusts_what_the_authority_signed) {
  const auto who = ours().sign({});
  const at_server server(who);
  EXPECT_EQ(server.says(), "fine");
  EXPECT_EQ(server.server.names(), (std::vector<std::string>{""})) << "an address is no name to ask for";
}

TEST(client_tls, opens_a_new_connection_when_the_server_has_closed_the_last) {
  const auto who = ours().sign({});
  const at_server server(who);
  asking ask_version(server.config);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ask_version());
  EXPECT_EQ(server.server.names().size(), 3U);
  EXPECT_EQ(server.server.resumed(), 2) << "each goes on with the session of the one before";
}

// The server answers whatever it reads: an answer would show that the encrypted write had left.
TEST(client_tls, asks_the_write_gate_once_more_behind_the_encryption) {
  const auto who = ours().sign({});
  const at_server server(who);
  boost::asio::io_context io;
  client_options options;
  int asked = 0;
  options.may_write = [&asked](std::uint64_t) { return ++asked != 2; };
  client by(io.get_executor(), server.config, std::move(options));
  request what;
  what.what = verb::create;
  what.of = kind::service;
  what.name_space = "n";
  what.body = "{}";
  what.timeout = 10s;
  const auto got = test::run(io, by.call(std::make_shared<request>(what)));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, api_errc::not_leader);
  EXPECT_EQ(asked, 2);
}

TEST(client_tls, refuses_a_foreign_authority) {
  const auto who = foreign().sign({});
  EXPECT_EQ(at_server(who).says(),
            "TLS: the server's certificate is refused: unable to get local issuer certificate");
}

TEST(client_tls, reads_a_replaced_authority_after_the_first_refusal) {
  const auto who = foreign().sign({});
  at_server server(who);
  const test::temporary_folder folder;
  server.config.certificate_authority.data.clear();
  server.config.certificate_authority.file = folder.write("ca.crt", ours().certificate());
  asking ask_version(server.config);
  EXPECT_FALSE(ask_version());
  folder.write("ca.crt", foreign().certificate());
  const auto again = ask_version();
  EXPECT_TRUE(again) << again.error().message;
}

// TLS 1.3: the server refuses after the handshake, in what is read as the answer.
TEST(client_tls, reads_a_renewed_certificate_after_the_first_refusal) {
  const auto who = ours().sign({}), stranger = foreign().sign({"DNS:we"}), we = ours().sign({"DNS:we"});
  at_server server(who, &ours());
  const test::temporary_folder folder;
  server.config.client_certificate.file = folder.write("we.crt", stranger.certificate());
  server.config.client_key.file = folder.write("we.key", stranger.key());
  asking ask_version(server.config);
  EXPECT_FALSE(ask_version());
  folder.write("we.crt", we.certificate());
  folder.write("we.key", we.key());
  const auto again = ask_version();
  EXPECT_TRUE(again) << again.error().message;
}

// What was replaced may be known to others: no connection goes on with it. After a 401 the files are read.
TEST(client_tls, leaves_kept_connections_when_a_certificate_or_an_authority_is_replaced) {
  const auto who = ours().sign({}), before = ours().sign({"DNS:we"}), after = ours().sign({"DNS:we"});
  for (const bool authority : {false, true}) {
    SCOPED_TRACE(authority ? "authority" : "certificate");
    test::tls_server server({&who, &ours(), test::http_answer(401, ""), true});
    const test::temporary_folder folder;
    connection_config config;
    config.server = server.url();
    config.certificate_authority.file = folder.write("ca.crt", ours().certificate());
    config.client_certificate.file = folder.write("we.crt", before.certificate());
    config.client_key.file = folder.write("we.key", before.key());
    asking ask_version(config);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(ask_version().error().code, api_errc::unauthorized);
    EXPECT_EQ(server.names().size(), 1U) << "the same files are no reason to leave it";
    if (authority) {
      folder.write("ca.crt", ours().certificate() + foreign().certificate());
    } else {
      folder.write("we.crt", after.certificate());
      folder.write("we.key", after.key());
    }
    for (int i = 0; i < 2; ++i) EXPECT_EQ(ask_version().error().code, api_errc::unauthorized);
    EXPECT_EQ(server.names().size(), 2U);
    EXPECT_EQ(server.resumed(), 0) << "a new connection, and its old session";
  }
}

TEST(client_tls, refuses_another_name_or_address) {
  const auto by_name = ours().sign({"DNS:api.example"});
  EXPECT_EQ(at_server(by_name).says(), R"(TLS: the server's certificate is not for "127.0.0.1")");
  const auto by_address = ours().sign({"IP:127.0.0.2"});
  EXPECT_EQ(at_server(by_address).says(), R"(TLS: the server's certificate is not for "127.0.0.1")");
  at_server asked(by_name);
  asked.config.tls_server_name = "other.example";
  EXPECT_EQ(asked.says(), R"(TLS: the server's certificate is not for "other.example")");
}

// RFC 6125, section 6.4.3: a wildcard is a whole label.
TEST(client_tls, takes_a_wildcard_for_a_whole_label_only) {
  const auto says = [](const char* of) {
    const auto who = ours().sign({of});
    at_server asked(who);
    asked.config.tls_server_name = "api.example.org";
    return asked.says();
  };
  EXPECT_EQ(says("DNS:*.example.org"), "fine");
  for (const auto* part : {"DNS:ap*.example.org", "DNS:*pi.example.org", "DNS:a*i.example.org"})
    EXPECT_EQ(says(part), R"(TLS: the server's certificate is not for "api.example.org")") << part;
}

TEST(client_tls, refuses_what_is_no_longer_or_not_yet_valid) {
  const auto expired = ours().sign({"IP:127.0.0.1", -48h, -24h});
  EXPECT_EQ(at_server(expired).says(), "TLS: the server's certificate is refused: certificate has expired");
  const auto early = ours().sign({"IP:127.0.0.1", 24h, 48h});
  EXPECT_EQ(at_server(early).says(),
            "TLS: the server's certificate is refused: certificate is not yet valid");
}

TEST(client_tls, asks_for_the_server_name_and_verifies_it) {
  const auto who = ours().sign({"DNS:api.example"});
  at_server server(who);
  server.config.tls_server_name = "api.example";
  EXPECT_EQ(server.says(), "fine");
  EXPECT_EQ(server.server.names(), (std::vector<std::string>{"api.example"}));
}

TEST(client_tls, verifies_nothing_when_told_so) {
  const auto who = foreign().sign({"DNS:api.example", -48h, -24h});
  at_server server(who);
  server.config.insecure_skip_tls_verify = true;
  EXPECT_EQ(server.says(), "fine");
}

TEST(client_tls, shows_its_certificate) {
  const auto who = ours().sign({}), we = ours().sign({"DNS:we"});
  at_server server(who, &ours());
  server.be(we);
  EXPECT_EQ(server.says(), "fine");
}

TEST(client_tls, tells_that_the_server_wants_a_certificate) {
  const auto who = ours().sign({});
  EXPECT_EQ(at_server(who, &ours()).says(), "TLS: tlsv13 alert certificate required (SSL routines)");
}

TEST(client_tls, tells_that_the_server_does_not_know_who_signed_its_certificate) {
  const auto who = ours().sign({}), we = foreign().sign({"DNS:we"});
  at_server server(who, &ours());
  server.be(we);
  EXPECT_EQ(server.says(), "TLS: tlsv1 alert unknown ca (SSL routines)");
}

TEST(client_tls, tells_that_the_server_speaks_no_tls) {
  const auto socket = net::listen_tcp("127.0.0.1:0");
  ASSERT_TRUE(socket);
  ::fcntl(socket->fd.get(), F_SETFL, 0);
  const std::jthread plain([&] {
    const unique_fd peer(::accept4(socket->fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const std::string says = test::http_answer(400, "");
    ::send(peer.get(), says.data(), says.size(), MSG_NOSIGNAL);
    char rest[4096];
    while (::recv(peer.get(), rest, sizeof rest, 0) > 0) {
    }
  });
  connection_config config;
  config.server = "https://" + socket->address;
  const auto got = ask(config);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, api_errc::transport);
  EXPECT_TRUE(got.error().message.contains(": TLS: wrong version number")) << got.error().message;
}

std::string set_up(const connection_config& config) {
  const auto got = ask(config);
  return got ? "no error" : got.error().message;
}

TEST(client_tls, errors_in_pem_name_the_file_or_the_field) {
  const test::temporary_folder folder;
  const auto one = ours().sign({}), other = ours().sign({});
  const auto bad = folder.write("bad.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const auto good = folder.write("good.pem", one.certificate());
  const struct {
    pem_source authority, certificate, key;
    std::string says;
  } table[] = {
      {{"", bad}, {}, {}, "certificate-authority " + bad + ": no PEM certificates"},
      {{"x", ""}, {}, {}, "certificate-authority-data: no PEM certificates"},
      // A bundle that is cut short trusts less than it seems to.
      {{ours().certificate() + "-----BEGIN CERTIFICATE-----\nAA", ""},
       {},
       {},
       "certificate-authority-data: "},
      {{"", folder.path("none")},
       {},
       {},
       "certificate-authority " + folder.path("none") + ": the file cannot"},
      {{}, {"", bad}, {one.key(), ""}, "client-certificate " + bad + ": "},
      {{}, {"", good}, {"x", ""}, "client-key-data: "},
      {{}, {"", good}, {other.key(), ""}, "client-key-data: it is not the key of client-certificate " + good},
      {{}, {"", good}, {}, "only one of the two is given"},
  };
  for (const auto& [authority, certificate, key, says] : table) {
    connection_config config;
    config.server = "https://127.0.0.1:1";
    config.certificate_authority = authority;
    config.client_certificate = certificate;
    config.client_key = key;
    const auto message = set_up(config);
    EXPECT_TRUE(message.contains(says)) << message << " instead of " << says;
    EXPECT_FALSE(message.contains('\n')) << message;
  }
}

}  // namespace
}  // namespace egress::kube
