#pragma once
// Tells a queue that stands from a burst that is being worked off, as CoDel does (RFC 8289): by how long it
// has not been empty, whatever its length. Pure.

#include <chrono>
#include <optional>

namespace egress::dns {

class standing_queue {
 public:
  using time = std::chrono::steady_clock::time_point;
  // A loop begins about as many upstream questions in that time as may wait for answers (1000).
  static constexpr std::chrono::milliseconds patience{50};
  // For a second after it stood: so little comes together meanwhile that it fits the smallest buffer (512
  // packets, what a process without privileges gets), and waits that long at most.
  static constexpr std::chrono::milliseconds less_patience{2};
  static constexpr std::chrono::seconds memory{1};

  // After each batch that was taken from the queue; `more`: it took all it could, there may be more. Whether
  // the queue stands.
  bool stands(bool more, time now) {
    if (!more) since_.reset();
    if (more && !since_) since_ = now;
    if (!since_ || now - *since_ < (now < wary_until_ ? less_patience : patience)) return false;
    wary_until_ = now + memory;
    return true;
  }
  // The last batch took all it could, and that was all there was.
  void found_empty() { since_.reset(); }

 private:
  std::optional<time> since_;
  time wary_until_{};
};

}  // namespace egress::dns
