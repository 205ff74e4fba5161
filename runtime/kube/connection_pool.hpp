#pragma once
// Kept-alive connections to one server, at most so many at once; who finds none free waits its turn. Used
// from one executor's thread.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <vector>

#include "runtime/http/connection.hpp"
#include "runtime/kube/request_load.hpp"

namespace egress::kube {

class connection_pool {
 public:
  connection_pool(boost::asio::any_io_executor on, std::size_t most) : on_(on), most_(most == 0 ? 1 : most) {}

  // Takes a place that is free. `patient`: nobody waits for the answer, and load().awaited leaves it out.
  bool try_enter(bool patient = false);
  // Waits for one; false when cancelled, or at the deadline.
  boost::asio::awaitable<bool> enter(std::chrono::steady_clock::time_point deadline, bool patient = false);
  // Gives the place back that was taken so.
  void leave(bool patient = false);

  // A connection that waits for use and was made with this TLS context; null when a new one has to be opened.
  std::unique_ptr<http::connection> take(const void* tls);
  void keep(std::unique_ptr<http::connection> connection, const void* tls);
  // One of them was found closed by the server: the others are no better.
  void drop_idle();

  request_load load() const { return {most_, waiting_.size(), answered_, inside_, awaited_}; }

 private:
  void pass_on();

  struct in_queue;
  struct waiter {
    waiter(const boost::asio::any_io_executor& on, std::chrono::steady_clock::time_point deadline)
        : timer(on, deadline) {}
    boost::asio::steady_timer timer;  // cancelled when there is a place
    bool has_place = false;
  };
  struct idle {
    std::unique_ptr<http::connection> connection;
    const void* tls;
  };
  boost::asio::any_io_executor on_;
  std::size_t most_;
  std::size_t inside_ = 0;
  std::size_t awaited_ = 0;  // of those inside and those that wait: not patient
  std::uint64_t answered_ = 0;
  std::vector<idle> idle_;  // the most recently used last
  std::deque<std::shared_ptr<waiter>> waiting_;
};

}  // namespace egress::kube
