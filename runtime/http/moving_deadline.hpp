#pragma once
// A bound on time that moves with each operation. Internal to the client.

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <memory>

namespace egress::http {

// Moving it away costs a comparison: the timer that runs is looked at when it ends, and set again then. A
// watch so sets a timer about once in its time-out, whatever comes. On the executor's thread only.
class moving_deadline {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  // `passed` is called once it has passed, never from within move_to(), and never after this object is gone.
  moving_deadline(const boost::asio::any_io_executor& on, std::function<void()> passed);
  ~moving_deadline();
  moving_deadline(const moving_deadline&) = delete;
  moving_deadline& operator=(const moving_deadline&) = delete;

  // It may pass a millisecond late. time_point::max(): never; no timer is left then that would keep the
  // executor's context running.
  void move_to(time_point until);

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace egress::http
