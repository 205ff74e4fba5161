#pragma once
// The bytes of a client's TCP connection, plain or under TLS, without waiting: OpenSSL reads from the socket
// and writes to it itself, and whoever calls waits for the socket where it is asked to. Asio's TLS stream
// copies every byte twice more and holds 68 KiB a connection (docs/decisions/0014-own-tls-stream.md).

#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace egress::net {

class client_stream {
 public:
  enum class wait : std::uint8_t { none, readable, writable };
  // What a call did: it moved bytes, or failed, or can do nothing before the socket is readable or writable.
  struct step {
    std::size_t size = 0;
    wait until = wait::none;
    // asio::error::eof: the peer has ended the connection as its protocol has it. stream_truncated: under TLS
    // without a farewell. OpenSSL's own errors are in asio::error::get_ssl_category().
    boost::system::error_code failed;
  };

  // `rules` null: plain. Goes on with a session that they keep (tls_sessions.hpp).
  explicit client_stream(std::shared_ptr<boost::asio::ssl::context> rules);
  ~client_stream();
  client_stream(const client_stream&) = delete;
  client_stream& operator=(const client_stream&) = delete;

  // The connected socket; it stays the caller's, and open for as long as there are calls.
  void use(int fd) { fd_ = fd; }

  // Under TLS only, and until it says neither to wait nor that it failed.
  step shake_hands();
  step read(std::span<char> into);
  // Some of it. When it says to wait, the next call brings the same bytes.
  step write(std::string_view from);
  // Bytes have come from the socket already that read() has not given yet: there is no waiting for those.
  bool has_more() const;

  // Asked right before each system call that hands over bytes, from here on: under TLS they are encrypted by
  // then, so that between the answer and the call lies next to nothing in which the process can be paused
  // (SIGSTOP, a frozen cgroup) and go on when it must not write any more. Empty: they always may leave. Must
  // not throw.
  void ask(std::function<bool()> may_leave);
  // The last answer was no, and the write failed with operation_aborted. Half a TLS record cannot be taken
  // back: the connection is of no more use.
  bool withheld() const { return withheld_; }

  // Null when plain.
  SSL* session() const { return session_.get(); }

 private:
  friend struct socket_bio;
  long receive(char* into, std::size_t size);
  long send(const char* from, std::size_t size);
  step outcome(int returned);
  step plain_outcome(long returned, wait until);

  struct free_session {
    void operator()(SSL* session) const;
  };
  std::shared_ptr<boost::asio::ssl::context> rules_;
  std::unique_ptr<SSL, free_session> session_;
  int fd_ = -1;
  int problem_ = 0;  // errno of a system call that failed under OpenSSL
  std::function<bool()> may_leave_;
  bool withheld_ = false;
};

}  // namespace egress::net
