#include "runtime/actor/io_scheduler.hpp"

#include <atomic>
#include <boost/asio/post.hpp>
#include <caf/execution_unit.hpp>
#include <caf/logger.hpp>
#include <caf/resumable.hpp>
#include <chrono>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <utility>

#include "runtime/actor/io_clock.hpp"

namespace egress {
namespace {

// Of actors in a row, after which sockets have their turn; looked at between two runs of an actor, of so many
// messages at most.
constexpr std::chrono::milliseconds longest_turn{2};
constexpr std::size_t most_messages = 32;

}  // namespace

// Shared with what is queued in the io_context, which may come to it after the system is gone.
class io_scheduler::worker final : public caf::execution_unit, public std::enable_shared_from_this<worker> {
 public:
  worker(caf::actor_system& of, boost::asio::io_context& on) : execution_unit(&of), on_(on) {}

  void enqueue(caf::resumable* what) {
    {
      const std::scoped_lock lock(mutex_);
      if (!stopped_.load(std::memory_order_relaxed)) {
        came_.push_back(what);
        if (std::exchange(called_, true)) return;
        return call();
      }
    }
    cleanup_and_release(what);
  }

  // On the thread, of an actor that runs.
  void exec_later(caf::resumable* what) override { ready_.push_back(what); }

  void stop() {
    std::deque<caf::resumable*> left;
    {
      const std::scoped_lock lock(mutex_);
      stopped_ = true;
      left.swap(came_);
    }
    // Waits for the actor that runs just now.
    const std::scoped_lock turn(turn_);
    left.insert(left.end(), ready_.begin(), ready_.end());
    ready_.clear();
    for (auto* one : left) cleanup_and_release(one);
  }

 private:
  void call() {
    boost::asio::post(on_, [self = shared_from_this()] { self->run(); });
  }

  // CAF lets no exception of a handler out; after any other the actor's state would be anything.
  void run() noexcept {
    const std::scoped_lock turn(turn_);
    // Whoever is always ready does not keep out who comes.
    if (!take()) return;
    const auto until = std::chrono::steady_clock::now() + longest_turn;
    while (std::chrono::steady_clock::now() < until) {
      if (stopped_.load(std::memory_order_relaxed) || (ready_.empty() && !take())) return;
      auto* what = ready_.front();
      ready_.pop_front();
      if (what->resume(this, most_messages) == caf::resumable::resume_later)
        ready_.push_back(what);
      else
        intrusive_ptr_release(what);
    }
    call();
  }

  // Takes what came. False when there is nothing to do: then the next one that comes calls.
  bool take() {
    const std::scoped_lock lock(mutex_);
    ready_.insert(ready_.end(), came_.begin(), came_.end());
    came_.clear();
    called_ = !ready_.empty();
    return called_;
  }

  boost::asio::io_context& on_;
  std::mutex turn_;
  std::deque<caf::resumable*> ready_;  // of the thread, in its turn
  std::mutex mutex_;
  std::deque<caf::resumable*> came_;
  bool called_ = false;  // run() is queued, or runs
  std::atomic<bool> stopped_ = false;
};

io_scheduler::io_scheduler(caf::actor_system& of, boost::asio::io_context& on)
    : abstract_coordinator(of),
      on_(on),
      worker_(std::make_shared<worker>(of, on)),
      clock_(std::make_shared<io_clock>(on)) {}

io_scheduler::~io_scheduler() = default;

void io_scheduler::enqueue(caf::resumable* what) {
  worker_->enqueue(what);
}

caf::actor_clock& io_scheduler::clock() noexcept {
  return *clock_;
}

void io_scheduler::stop() {
  stop_actors();
  worker_->stop();
  clock_->stop();
  // Behind a timer that fires just now. Whoever spawns an actor keeps the system's log, thread by thread, and
  // the system waits for its end.
  const auto left = std::make_shared<std::promise<void>>();
  boost::asio::post(on_, [clock = clock_, left] {
    clock->forget_timer();
    caf::logger::set_current_actor_system(nullptr);
    left->set_value();
  });
  left->get_future().wait();
}

}  // namespace egress
