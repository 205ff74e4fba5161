#pragma once
// The last hijack table, kept outside of all actors. A new packet loop answers from it at once, and a new dns
// actor knows from it which names were hijacked: those whose Service is missing just then would leak
// otherwise.

#include <atomic>
#include <memory>

namespace egress::dns {

class hijack_table;

// From any thread.
class table_memory {
 public:
  std::shared_ptr<const hijack_table> get() const { return table_.load(); }
  void set(std::shared_ptr<const hijack_table> table) { table_.store(std::move(table)); }

 private:
  std::atomic<std::shared_ptr<const hijack_table>> table_;
};

}  // namespace egress::dns
