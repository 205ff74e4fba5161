#pragma once
// Time-outs by the thousand, most of which are cancelled: each is set and cancelled in constant time, without
// allocation, and told with the accuracy of a tick. (A timer of Asio's for each costs a heap's moves and a
// call into the kernel whenever the earliest of them changes.) Pure: time comes in.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

namespace egress::dns {

using wheel_time = std::chrono::steady_clock::time_point;

// What has a time-out. It must not move, nor go, while that is set.
struct timed {
  timed *before = nullptr, *after = nullptr;  // of those in the same slot, in a circle; null: not set
  wheel_time due{};
};

class timer_wheel {
 public:
  static constexpr std::chrono::milliseconds tick{5};

  timer_wheel() {
    for (auto& slot : slots_) slot.before = slot.after = &slot;
  }
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;

  bool empty() const { return set_ == 0; }

  // In place of a time-out that is set already.
  void set(timed& one, wheel_time due) {
    cancel(one);
    one.due = due;
    append(slots_[slot_of(std::max(ticks(due) + 1, current_ + 1))], one);
    ++set_;
  }
  void cancel(timed& one) {
    if (one.after == nullptr) return;
    remove(one);
    --set_;
  }
  // Calls with each that is due, and not set any more. It may set and cancel whatever it likes.
  template <class Expired>
  void advance(wheel_time now, Expired&& expired) {
    timed due;
    due.before = due.after = &due;
    const auto until = ticks(now);
    for (current_ = std::max(current_, until - slot_count); current_ < until;)
      collect(slots_[slot_of(++current_)], now, due);
    // When one throws, the others stay set: none of them may lead here once this is left.
    const put_back rest{due, slots_[slot_of(current_)]};
    while (due.after != &due) {
      timed& next = *due.after;
      cancel(next);
      expired(next);
    }
  }

 private:
  static constexpr long slot_count = 256;

  static long ticks(wheel_time at) { return static_cast<long>(at.time_since_epoch() / tick); }
  static std::size_t slot_of(long number) { return static_cast<std::size_t>(number % slot_count); }
  static void append(timed& circle, timed& one) {
    one.before = circle.before;
    one.after = &circle;
    circle.before->after = &one;
    circle.before = &one;
  }
  static void remove(timed& one) {
    one.before->after = one.after;
    one.after->before = one.before;
    one.before = one.after = nullptr;
  }
  struct put_back {
    timed &from, &to;
    ~put_back() {
      while (from.after != &from) {
        timed& one = *from.after;
        remove(one);
        append(to, one);
      }
    }
  };
  // What is due in a later turn of the wheel stays.
  static void collect(timed& slot, wheel_time now, timed& due) {
    for (timed* next = slot.after; next != &slot;) {
      timed& one = *std::exchange(next, next->after);
      if (one.due > now) continue;
      remove(one);
      append(due, one);
    }
  }

  std::array<timed, slot_count> slots_;
  long current_ = 0;  // the tick that was advanced to
  std::size_t set_ = 0;
};

}  // namespace egress::dns
