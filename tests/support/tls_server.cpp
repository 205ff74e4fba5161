#include "tests/support/tls_server.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <csignal>
#include <stdexcept>

#include "runtime/net/listen.hpp"

namespace egress::test {

tls_server::tls_server(const tls_server_options& options)
    : answer_(options.answer), keeps_(options.keeps), context_(options.who->server(options.clients)) {
  auto socket = net::listen_tcp("127.0.0.1:0");
  if (!socket) throw std::runtime_error(socket.error().message);
  listening_ = std::move(socket->fd);
  port_ = socket->port;
  // The one thread waits in accept().
  ::fcntl(listening_.get(), F_SETFL, 0);
  thread_ = std::thread([this] { serve(); });
}

tls_server::~tls_server() {
  {
    const std::scoped_lock lock(guard_);
    stopping_ = true;
    ::shutdown(listening_.get(), SHUT_RDWR);
    if (current_ >= 0) ::shutdown(current_, SHUT_RDWR);
  }
  thread_.join();
}

std::string tls_server::url() const {
  return fmt::format("https://127.0.0.1:{}", port_);
}

std::vector<std::string> tls_server::names() const {
  const std::scoped_lock lock(guard_);
  return names_;
}

int tls_server::resumed() const {
  const std::scoped_lock lock(guard_);
  return resumed_;
}

void tls_server::serve() {
  // OpenSSL writes without MSG_NOSIGNAL.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  for (;;) {
    unique_fd accepted(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    {
      const std::scoped_lock lock(guard_);
      if (stopping_ || !accepted) return;
      current_ = accepted.get();
    }
    serve_connection(accepted.get());
    const std::scoped_lock lock(guard_);
    current_ = -1;
    accepted.reset();
  }
}

void tls_server::serve_connection(int fd) {
  const std::unique_ptr<SSL, decltype(&SSL_free)> session(SSL_new(context_.get()), &SSL_free);
  SSL_set_fd(session.get(), fd);
  const bool good = SSL_accept(session.get()) == 1;
  {
    const char* name = SSL_get_servername(session.get(), TLSEXT_NAMETYPE_host_name);
    const std::scoped_lock lock(guard_);
    names_.emplace_back(name ? name : "");
    resumed_ += SSL_session_reused(session.get());
  }
  if (good) {
    do {
      std::string text;
      char piece[4096];
      int got = 0;
      while (!text.contains("\r\n\r\n") && (got = SSL_read(session.get(), piece, sizeof piece)) > 0)
        text.append(piece, static_cast<std::size_t>(got));
      if (got <= 0) break;
      SSL_write(session.get(), answer_.data(), static_cast<int>(answer_.size()));
    } while (keeps_);
    SSL_shutdown(session.get());
  }
  // Not closed before the client is: what it sends to a closed socket would take back what we said.
  ::shutdown(fd, SHUT_WR);
  char rest[4096];
  while (::recv(fd, rest, sizeof rest, 0) > 0) {
  }
}

}  // namespace egress::test
