#pragma once
// Until when this replica may write, on CLOCK_BOOTTIME: that clock goes on while the machine sleeps, and no
// one can set it. The write path compares it immediately before the system call that hands over the
// (encrypted) bytes; a message would come too late in a process that was paused.
//
// And which writes: those that were decided in the present term. What was decided before it, on what this
// replica knew then, may undo what another leader did meanwhile.

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
  // The number of a term that begins now: writes of any other are held back from here on. Without an election
  // there is term 0 alone.
  std::uint64_t begin_term() { return term_.fetch_add(1, std::memory_order_acq_rel) + 1; }

  bool open_at(boot_time now, std::uint64_t term) const {
    return term == term_.load(std::memory_order_acquire) &&
           now.time_since_epoch().count() < until_.load(std::memory_order_acquire);
  }
  // What a kube::write_gate asks.
  bool open(std::uint64_t term) const { return open_at(boot_clock::now(), term); }

 private:
  std::atomic<std::int64_t> until_;
  std::atomic<std::uint64_t> term_{0};
};

}  // namespace egress::leader
