#include "runtime/actor/io_scheduler.hpp"

#include <boost/asio/post.hpp>
#include <caf/execution_unit.hpp>
#include <caf/logger.hpp>
#include <caf/resumable.hpp>
#include <deque>
#include <mutex>
#include <utility>

#include "runtime/actor/io_clock.hpp"

namespace egress {
namespace {

// Runs in a row, and messages of one, after which sockets have their turn.
constexpr int most_runs = 64;
constexpr std::size_t most_messages = 128;

}  // namespace

// Shared with what is queued in the io_context, which may come to it after the system is gone.
class io_scheduler::worker final : public caf::execution_unit, public std::enable_shared_from_this<worker> {
 public:
  worker(caf::actor_system& of, boost::asio::io_context& on) : execution_unit(&of), on_(on) {}

  void enqueue(caf::resumable* what) {
    {
      const std::scoped_lock lock(mutex_);
      if (!stopped_) {
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
    // Waits for the actors that run just now.
    const std::scoped_lock turn(turn_);
    std::deque<caf::resumable*> left;
    {
      const std::scoped_lock lock(mutex_);
      stopped_ = true;
      left.swap(came_);
    }
    left.insert(left.end(), ready_.begin(), ready_.end());
    ready_.clear();
    for (auto* one : left) cleanup_and_release(one);
    // Whoever spawns an actor keeps the system's log, thread by thread, and the system waits for its end.
    boost::asio::post(on_, [] { caf::logger::set_current_actor_system(nullptr); });
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
    for (int left = most_runs; left > 0; --left) {
      if (ready_.empty() && !take()) return;
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
  bool stopped_ = false;
};

io_scheduler::io_scheduler(caf::actor_system& of, boost::asio::io_context& on)
    : abstract_coordinator(of),
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
}

}  // namespace egress
