#pragma once
// Until when this replica may write, on CLOCK_BOOTTIME: that clock goes on while the machine sleeps, and no
// one can set it. The write path compares it immediately before it hands bytes to the socket; a message would
// come too late in a process that was paused.

#include <atomic>
#include <chrono>
#include <cstdint>

namespace egress::leader {

// Nanoseconds of CLOCK_BOOTTIME; a point in time of this machine only.
struct boot_clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<boot_clock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};
using boot_time = boot_clock::time_point;

// Shared between the leader actor, which moves it, and the write path, which asks. Lock-free; from any
// thread.
class write_deadline {
 public:
  // Closed at first; write_deadline{boot_time::max()} is always open (no leader election).
  explicit write_deadline(boot_time until = boot_time::min()) : until_(until.time_since_epoch().count()) {}

  void move_to(boot_time until) { until_.store(until.time_since_epoch().count(), std::memory_order_release); }

  bool open_at(boot_time now) const {
    return now.time_since_epoch().count() < until_.load(std::memory_order_acquire);
  }
  // What a kube::write_gate asks.
  bool open() const { return open_at(boot_clock::now()); }

 private:
  std::atomic<std::int64_t> until_;
};

}  // namespace egress::leader
