#pragma once
// A DNS server over TLS on loopback, one connection after the other, that answers each query with an address,
// or as a test says.

#include <openssl/ssl.h>

#include <csignal>

#include "runtime/net/listen.hpp"
#include "tests/support/certificates.hpp"
#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {

class tls_upstream {
 public:
  using script = std::function<std::vector<packet>(const packet& asked)>;

  static std::vector<packet> answers(const packet& asked) { return {answer_to(asked)}; }

  explicit tls_upstream(const egress::test::certified& who, script what = answers)
      : script_(std::move(what)), context_(who.server()) {
    auto socket = net::listen_tcp("127.0.0.1:0");
    EXPECT_TRUE(socket);
    listening_ = std::move(socket->fd);
    port_ = socket->port;
    thread_ = std::thread([this] { run(); });
  }
  ~tls_upstream() {
    stop_ = true;
    thread_.join();
  }

  upstream_server server(std::string name) const {
    return {upstream_address(boost::asio::ip::address_v4::loopback(), port_), std::move(name)};
  }
  int connections() const { return connections_; }
  int open_connections() const { return open_; }
  int asked() const { return asked_; }
  // The name the last client asked for (SNI).
  std::string name() const {
    const std::scoped_lock lock(mutex_);
    return name_;
  }
  void close_after_each_answer() { one_answer_a_connection_ = true; }

 private:
  struct release {
    void operator()(SSL* one) const { SSL_free(one); }
  };

  // OpenSSL writes without MSG_NOSIGNAL.
  static void ignore_broken_pipes() {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  }
  void run() {
    ignore_broken_pipes();
    while (!stop_) {
      if (!readable(listening_.get(), 20)) continue;
      const unique_fd accepted(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!accepted) continue;
      ++connections_;
      ++open_;
      serve(accepted.get());
      --open_;
    }
  }
  void serve(int fd) {
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const std::unique_ptr<SSL, release> session(SSL_new(context_.get()));
    SSL_set_fd(session.get(), fd);
    const bool good = SSL_accept(session.get()) == 1;
    const char* asked_for = SSL_get_servername(session.get(), TLSEXT_NAMETYPE_host_name);
    {
      const std::scoped_lock lock(mutex_);
      name_ = asked_for ? asked_for : "";
    }
    while (good && serve_one(*session, fd)) {
    }
  }
  bool serve_one(SSL& session, int fd) {
    while (SSL_pending(&session) == 0 && !readable(fd, 20))
      if (stop_) return false;
    packet length(2);
    if (SSL_read(&session, length.data(), 2) != 2) return false;
    packet p(load16(length.data()));
    if (SSL_read(&session, p.data(), static_cast<int>(p.size())) != static_cast<int>(p.size())) return false;
    ++asked_;
    for (const auto& answer : script_(p)) {
      packet framed;
      put16(framed, static_cast<unsigned>(answer.size()));
      framed.insert(framed.end(), answer.begin(), answer.end());
      SSL_write(&session, framed.data(), static_cast<int>(framed.size()));
    }
    return !one_answer_a_connection_;
  }

  script script_;
  egress::test::tls_context context_;
  unique_fd listening_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_ = false, one_answer_a_connection_ = false;
  std::atomic<int> connections_ = 0, open_ = 0, asked_ = 0;
  mutable std::mutex mutex_;
  std::string name_;
  std::thread thread_;
};

}  // namespace egress::dns::test
