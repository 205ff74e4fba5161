#pragma once
// Reads one watch on while its informer works on what came before: an event then costs no way through
// actors of its own. Used from one thread, its executor's.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>

#include "runtime/actor/read_ahead.hpp"
#include "runtime/kube/is_cancelled.hpp"

namespace egress {

class watch_reader {
 public:
  using source = std::function<boost::asio::awaitable<kube::watch_chunk>()>;
  using tell_function = std::function<void(read_ahead::answer)>;

  // `most`: events that may wait to be asked for. `patience`: a full reader that nobody asks for longer ends:
  // its informer is gone.
  watch_reader(const boost::asio::any_io_executor& on, std::size_t most, std::chrono::milliseconds patience,
               tell_function tell);

  // Reads until an end was read. Cancelled, it lets `next` say so; it must outlive the coroutine.
  boost::asio::awaitable<void> read(source next);
  // An end that `next` did not read.
  void end(kube::api_error why);
  // A poll, which is told at once or when something comes; one at a time waits.
  void ask(std::uint64_t ticket);

 private:
  boost::asio::awaitable<bool> has_room();
  void tell();

  read_ahead ahead_;
  std::chrono::milliseconds patience_;
  tell_function tell_;
  boost::asio::steady_timer room_;  // its wait ends when there is room again
};

}  // namespace egress
