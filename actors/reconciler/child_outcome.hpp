#pragma once
// What came of one child in one reconcile.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/reconciler/ineffective.hpp"
#include "actors/reconciler/plan.hpp"
#include "actors/reconciler/service_ports.hpp"
#include "actors/reconciler/target.hpp"
#include "runtime/base/time.hpp"

namespace egress::reconciler {

enum class child_state : std::uint8_t {
  in_order,    // nothing had to be written
  written,     // created, repaired, adopted or replaced
  removed,     // not wanted any more, and gone
  deleting,    // being deleted: its end starts the next run
  replacing,   // our predecessor's
  name_taken,  // somebody else's
  rejected,    // the server refuses what we want: its message
  forbidden,   // our rights do not allow it
  failed,      // the server or the way to it failed: again after the back-off
  held_back,  // not tried, or not allowed (no term, cancelled, slowed down by write_pace, an autoscaler while
              // nobody knows whose Deployment it is): says nothing of the child
};

struct child_outcome {
  child_state state = child_state::in_order;
  std::string message;              // one line, for people; "" when in order
  action did = action::nothing;     // create, repair, adopt, replace, remove when something was written
  kube::object_ptr now;             // written or read: what is live now, to be given to expectations::learn
  pointers repaired;                // where it differed, when it was repaired or adopted
  ineffective_fields ineffective;   // written, and the server changed nothing
  bool cluster_ip_taken = false;    // failed for that alone
  milliseconds asked_to_wait{0};    // failed: for so long, by the server
  ports ports_held;                 // of a Service: wanted, and left out until pods report their listeners
  std::optional<settled> compared;  // read, and nothing (more) to write
};

using child_outcomes = std::array<child_outcome, kube::child_count>;  // by kube::child_index

// What came of a child in two tasks of one run, the second of which went on where the first had stopped.
child_outcome joined(child_outcome first, child_outcome second);

// Worth a line in the log: what we want was not done, and not because of what is in the way.
bool is_a_fault(child_state state);

// Whether a task that ended so has left, or found, a child of ours. What was refused may be somebody's who
// has the name.
bool is_ours(child_state state);

// What was done to which kinds, for one line of the log: {create, "ConfigMap, Service"}.
struct deed {
  action did = action::nothing;
  std::string kinds;
  friend bool operator==(const deed&, const deed&) = default;
};
std::vector<deed> deeds_of(const child_outcomes& all);

// How all of them together end the run.
struct run_end {
  bool success = true;                        // false: the queue's back-off
  std::optional<milliseconds> requeue_after;  // in the way, forbidden: 30 s; rejected: 5 min
  milliseconds asked_to_wait{0};              // at least, before it is tried again
  bool terminal = false;                      // rejected: only a person's change makes it otherwise
};
run_end end_of(const child_outcomes& all);

}  // namespace egress::reconciler
