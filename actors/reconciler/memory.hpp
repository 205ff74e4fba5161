#pragma once
// What is remembered of an ExternalService between the runs of its reconciler: chiefly our own writes that
// the informers have not shown yet. The dispatcher keeps it, and lends it to the reconciler for a run, so
// that no actor need be there for the thousands that are as they should be.

#include <optional>

#include "actors/reconciler/desired_children.hpp"
#include "actors/reconciler/expectations.hpp"
#include "actors/reconciler/happenings.hpp"
#include "actors/reconciler/write_pace.hpp"
#include "runtime/base/time.hpp"

namespace egress::reconciler {

// One thread at a time: that of the reconciler while it is lent.
struct memory {
  expectations expected;
  repair_watch repairs;
  write_pace pace;
  std::optional<remembered_rendering> rendered;
  unsigned cluster_ip_refusals = 0;         // since the Service was last as it should be
  unsigned waits = 0;                       // runs in a row that waited for listeners
  std::optional<steady_time> status_again;  // there was no status subresource: when to try it again
  std::optional<steady_time> status_sent;   // the last one
};

}  // namespace egress::reconciler
