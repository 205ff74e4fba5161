#pragma once
// The TCP connection under a client's HTTP, with a last question before bytes leave: whether they still may.
// Under TLS the request was encrypted before that; so between the answer and the system call lies next to
// nothing in which the process can be paused (SIGSTOP, a frozen cgroup) and go on when it must not write any
// more.

#include <boost/beast/core/tcp_stream.hpp>
#include <functional>
#include <utility>

namespace egress::http {

class withheld_stream : public boost::beast::tcp_stream {
 public:
  using boost::beast::tcp_stream::tcp_stream;

  // What is asked from here on; empty: bytes always may leave.
  void ask(std::function<bool()> may_leave) {
    may_leave_ = std::move(may_leave);
    withheld_ = false;
  }
  // The last answer was no. The connection is closed then: half a TLS record cannot be taken back.
  bool withheld() const { return withheld_; }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& from, Token&& done) {
    if (may_leave_ && !may_leave_()) {
      withheld_ = true;
      boost::system::error_code ignored;
      socket().close(ignored);
    }
    return boost::beast::tcp_stream::async_write_some(from, std::forward<Token>(done));
  }

 private:
  std::function<bool()> may_leave_;
  bool withheld_ = false;
};

}  // namespace egress::http
