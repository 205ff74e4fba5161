#pragma once
// Serves /metrics, health and the status page. The pages are made of what the other actors report and of the
// registry; the HTTP server runs on the I/O thread and reads an immutable board that this actor replaces.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/metrics/http_answer.hpp"
#include "runtime/actor/messages.hpp"

namespace egress {

namespace http {
class server;
}

// What the parts last said of themselves, by name. Immutable once published.
using health_board = std::map<std::string, health_report>;

// The board that the HTTP server reads; outlives the actor. On the I/O thread only, where both run.
class published_board {
 public:
  void set(std::shared_ptr<const health_board> now) { board_ = std::move(now); }
  std::shared_ptr<const health_board> get() const { return board_; }

 private:
  std::shared_ptr<const health_board> board_ = std::make_shared<const health_board>();
};

struct needed_parts {
  std::vector<std::string> expected;  // must have reported
  std::set<std::string> may_wait;     // may report what they wait for, and that is nobody's concern
};

// Readiness: all that is needed has reported, and whatever has reported is ready or may wait. Pure.
metrics::health_state health_of(const health_board& board, const needed_parts& needed);

// Once ready, a replica stays ready though a part waits later (for a definition that was removed, or a list
// that is forbidden now): it can still answer from its last table, and otherwise all replicas would leave the
// Service at the same moment.
// One thread.
class readiness {
 public:
  // `first` until all of that is ready, `after` from then on.
  readiness(needed_parts first, needed_parts after) : needed_(std::move(first)), after_(std::move(after)) {}

  metrics::health_state of(const health_board& board);

 private:
  needed_parts needed_;
  std::optional<needed_parts> after_;
};

struct metrics_config {
  std::shared_ptr<published_board> board;
  // Starts the HTTP server of this life of the actor.
  std::function<std::unique_ptr<http::server>()> serve;
};

struct metrics_state {
  static inline const char* name = "metrics";
  metrics_state();
  ~metrics_state();
  metrics_config config;
  health_board parts;
  std::unique_ptr<http::server> server;
};

metrics_actor::behavior_type metrics_behavior(metrics_actor::stateful_pointer<metrics_state> self,
                                              metrics_config config);

}  // namespace egress
