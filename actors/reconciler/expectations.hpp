#pragma once
// What a reconciler knows beyond the snapshots: its own writes that the informers have not shown yet. Without
// it, the run after a create would create again. One a key, and most of the time there is nothing to know:
// what there is stands apart.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "actors/reconciler/child_outcome.hpp"
#include "actors/reconciler/dedupe_queue.hpp"

namespace egress::reconciler {

// By kube::child_index.
using settled_children = std::array<std::optional<settled>, kube::child_count>;

// What snapshots said when a run began.
struct seen_children {
  live_children objects;  // by kube::child_index
  std::array<std::uint64_t, kube::child_count> epochs{};
};

class expectations {
 public:
  // The children as they are as far as we know: what we wrote, as long as the snapshot's entry is the one
  // that the write was based on, the epoch too, and nothing of the kind changed (bit in `changed`); else the
  // snapshot's. Forgets what is overtaken.
  live_children effective(const seen_children& seen, kind_mask changed);

  // Takes in what came of a run that began with `seen`.
  void learn(const seen_children& seen, const child_outcomes& outcomes);

  // Whether the snapshot's entry is what our last write or read of that child was answered: nobody has
  // changed it since, and nothing is expected of it any more. Somebody on the write's way may have changed it
  // (an admission webhook): it is to be looked at all the same.
  bool has_come(std::size_t child, const kube::object& seen, std::uint64_t epoch);

  // Whether a write of that child is still expected to show, and this epoch's list came after it: what it
  // does not show was gone before.
  bool is_overtaken(std::size_t child, std::uint64_t epoch) const {
    return children_[child] && children_[child]->on.epoch != epoch;
  }

  // For child_task_input.
  const settled_children& known() const;

  // The cluster IP that the Service had when it was last seen or written; "" for none yet.
  const std::string& last_cluster_ip() const { return last_cluster_ip_; }

  // The status as it is as far as we know, and the resourceVersion that a patch of it must carry.
  struct known_status {
    kube::external_service_status status;
    std::string resource_version;
  };
  known_status effective_status(const kube::object& seen, std::uint64_t epoch);
  void wrote_status(const kube::object& seen, std::uint64_t epoch, kube::external_service_status status,
                    std::string new_resource_version);
  // What was written may not have been kept: the snapshot's counts.
  void forget_status() { status_.reset(); }

 private:
  struct basis {
    std::string resource_version;  // of the snapshot's entry; "" when there was none
    std::uint64_t epoch = 0;
    friend bool operator==(const basis&, const basis&) = default;
  };
  struct expected_child {
    basis on;
    kube::object_ptr now;  // null: removed
  };
  struct expected_status {
    basis on;
    known_status now;
  };
  // Keeps the address of a Service that is there.
  void look_at_address(const kube::object* service);
  static bool holds(const expected_child& expected, const kube::object* seen, std::uint64_t epoch,
                    bool touched);
  static bool in_the_way(child_state state);
  static basis basis_of(const kube::object* seen, std::uint64_t epoch);

  std::array<std::unique_ptr<const expected_child>, kube::child_count> children_;
  std::unique_ptr<settled_children> settled_;  // null: none
  std::unique_ptr<const expected_status> status_;
  std::string last_cluster_ip_;
};

}  // namespace egress::reconciler
