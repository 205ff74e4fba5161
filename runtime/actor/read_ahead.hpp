#pragma once
// What was read of one watch before its informer asked for it. Pure.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "runtime/kube/api.hpp"

namespace egress {

// Not thread-safe. Tickets are those of polls, and never 0.
class read_ahead {
 public:
  // `most`: events that are kept for a slow informer. Beyond that nothing should be read: full().
  explicit read_ahead(std::size_t most) : most_(most) {}

  struct answer {
    std::uint64_t ticket = 0;
    kube::watch_chunk what;
  };

  // What came of one read, in order. Nothing may come after an end.
  void add(kube::watch_chunk more);
  // One poll at a time waits.
  void ask(std::uint64_t ticket) { waiting_ = ticket; }
  // The poll that waits with all that has come for it, once; nullopt while either is missing. The mark that
  // ends a streaming list ends an answer, too: what is behind it are changes, and no part of the list.
  std::optional<answer> take();

  bool full() const { return come_.events.size() >= most_; }
  bool ended() const { return ended_; }

 private:
  std::size_t most_;
  kube::watch_chunk come_;
  std::uint64_t waiting_ = 0;
  bool ended_ = false;
};

}  // namespace egress
