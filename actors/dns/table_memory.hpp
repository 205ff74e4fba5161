#pragma once
// The last hijack table, kept outside of all actors. A new packet loop answers from it at once, and a new dns
// actor knows from it which names were hijacked: those whose Service is missing just then would leak
// otherwise.

#include <memory>
#include <mutex>

namespace egress::dns {

class hijack_table;

// From any thread.
class table_memory {
 public:
  std::shared_ptr<const hijack_table> get() const {
    const std::scoped_lock lock(mutex_);
    return table_;
  }
  void set(std::shared_ptr<const hijack_table> table) {
    const std::scoped_lock lock(mutex_);
    table_.swap(table);  // the old one is freed behind the lock
  }

 private:
  // Not std::atomic<std::shared_ptr>: libstdc++ 12 unlocks it relaxed, a race by the letter of the standard.
  mutable std::mutex mutex_;
  std::shared_ptr<const hijack_table> table_;
};

}  // namespace egress::dns
