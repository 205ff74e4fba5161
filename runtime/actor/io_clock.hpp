#pragma once
// CAF's clock for actors on an I/O thread: their time-outs and delayed messages by one timer of its
// io_context. (CAF's own is a thread that wakes for each time-out that is set.)

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <caf/detail/simple_actor_clock.hpp>
#include <memory>
#include <mutex>

namespace egress {

// From any thread, but for what says otherwise.
class io_clock final : public caf::detail::simple_actor_clock, public std::enable_shared_from_this<io_clock> {
 public:
  explicit io_clock(boost::asio::io_context& on);

  // Nothing is kept from here on, and nothing sent but what is being sent just now, on the thread.
  void stop();
  // After that, on the thread.
  void forget_timer();

  void set_ordinary_timeout(time_point at, caf::abstract_actor* self, caf::atom_value type,
                            std::uint64_t id) override;
  void set_multi_timeout(time_point at, caf::abstract_actor* self, caf::atom_value type,
                         std::uint64_t id) override;
  void set_request_timeout(time_point at, caf::abstract_actor* self, caf::message_id id) override;
  void cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) override;
  void cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) override;
  void cancel_timeouts(caf::abstract_actor* self) override;
  void schedule_message(time_point at, caf::strong_actor_ptr receiver,
                        caf::mailbox_element_ptr content) override;
  void schedule_message(time_point at, caf::group target, caf::strong_actor_ptr sender,
                        caf::message content) override;
  void cancel_all() override;

 private:
  template <class Change>
  void change(Change&& make);
  void set_timer();
  void fire() noexcept;  // without its events timers would be lost

  boost::asio::io_context& on_;
  boost::asio::steady_timer timer_;          // touched on the thread only
  time_point timer_at_ = time_point::max();  // with the mutex, as the rest
  bool stopped_ = false;
  std::mutex mutex_;
};

}  // namespace egress
