#include "runtime/net/client_stream.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <cerrno>
#include <climits>
#include <new>

#include "runtime/net/tls_sessions.hpp"

namespace egress::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

bool is_for_later(int problem) {
  return problem == EAGAIN || problem == EWOULDBLOCK || problem == EINTR;
}

// What other code left there would be taken for the next call's. Seldom there is anything, and to clear it
// all costs as much as the rest of a short read.
void forget_errors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

int at_most_int(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, INT_MAX));
}

}  // namespace

// The socket as OpenSSL sees it. Not its own BIO for sockets: that one raises SIGPIPE, and asks nobody before
// it writes.
struct socket_bio {
  static client_stream& stream(BIO* of) { return *static_cast<client_stream*>(BIO_get_data(of)); }
  static int read(BIO* from, char* into, int size) {
    BIO_clear_retry_flags(from);
    auto& of = stream(from);
    const auto got = of.receive(into, static_cast<std::size_t>(size));
    if (got < 0 && is_for_later(of.problem_)) BIO_set_retry_read(from);
    return static_cast<int>(got);
  }
  static int write(BIO* to, const char* from, int size) {
    BIO_clear_retry_flags(to);
    auto& of = stream(to);
    const auto sent = of.send(from, static_cast<std::size_t>(size));
    if (sent < 0 && is_for_later(of.problem_)) BIO_set_retry_write(to);
    return static_cast<int>(sent);
  }
  static long control(BIO*, int what, long, void*) { return what == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* method() {
    static const auto* const made = [] {
      auto* const all = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "a client's socket");
      if (all == nullptr) throw std::bad_alloc();
      BIO_meth_set_read(all, &read);
      BIO_meth_set_write(all, &write);
      BIO_meth_set_ctrl(all, &control);
      return all;
    }();
    return made;
  }
};

void client_stream::free_session::operator()(SSL* session) const {
  SSL_free(session);
}

client_stream::client_stream(std::shared_ptr<asio::ssl::context> rules) : rules_(std::move(rules)) {
  if (!rules_) return;
  session_.reset(SSL_new(rules_->native_handle()));
  auto* const bio = session_ ? BIO_new(socket_bio::method()) : nullptr;
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(session_.get(), bio, bio);
  SSL_set_connect_state(session_.get());
  SSL_set_mode(session_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // A record's head and body, and the records behind it, by one system call.
  SSL_set_read_ahead(session_.get(), 1);
  resume_session(session_.get(), std::chrono::steady_clock::now());
}

client_stream::~client_stream() {
  if (session_) forget_unfinished(session_.get());
}

long client_stream::receive(char* into, std::size_t size) {
  const auto got = ::recv(fd_, into, size, MSG_DONTWAIT);
  problem_ = got < 0 ? errno : 0;
  return got;
}

long client_stream::send(const char* from, std::size_t size) {
  if (may_leave_ && !may_leave_()) {
    withheld_ = true;
    problem_ = ECANCELED;
    return -1;
  }
  const auto sent = ::send(fd_, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  problem_ = sent < 0 ? errno : 0;
  return sent;
}

client_stream::step client_stream::plain_outcome(long returned, wait until) {
  if (returned > 0) return {static_cast<std::size_t>(returned), wait::none, {}};
  if (returned == 0) return {0, wait::none, asio::error::eof};
  if (is_for_later(problem_)) return {0, until, {}};
  return {0, wait::none, error_code(problem_, asio::error::get_system_category())};
}

client_stream::step client_stream::outcome(int returned) {
  if (returned > 0) return {static_cast<std::size_t>(returned), wait::none, {}};
  switch (SSL_get_error(session_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return {0, wait::readable, {}};
    case SSL_ERROR_WANT_WRITE:
      return {0, wait::writable, {}};
    case SSL_ERROR_ZERO_RETURN:
      return {0, wait::none, asio::error::eof};
    case SSL_ERROR_SSL:
      return {0, wait::none, error_code(static_cast<int>(ERR_get_error()), asio::error::get_ssl_category())};
    default:
      if (problem_ != 0) return {0, wait::none, error_code(problem_, asio::error::get_system_category())};
      return {0, wait::none, asio::ssl::error::stream_truncated};
  }
}

client_stream::step client_stream::shake_hands() {
  forget_errors();
  return outcome(SSL_do_handshake(session_.get()));
}

client_stream::step client_stream::read(std::span<char> into) {
  if (!session_) return plain_outcome(receive(into.data(), into.size()), wait::readable);
  forget_errors();
  return outcome(SSL_read(session_.get(), into.data(), at_most_int(into.size())));
}

client_stream::step client_stream::write(std::string_view from) {
  if (from.empty()) return {};
  if (!session_) return plain_outcome(send(from.data(), from.size()), wait::writable);
  forget_errors();
  return outcome(SSL_write(session_.get(), from.data(), at_most_int(from.size())));
}

bool client_stream::has_more() const {
  return session_ && SSL_has_pending(session_.get()) == 1;
}

void client_stream::ask(std::function<bool()> may_leave) {
  may_leave_ = std::move(may_leave);
  withheld_ = false;
}

}  // namespace egress::net
