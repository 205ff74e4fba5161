#pragma once
// Serves /metrics, health and the status page. The pages are made of what the other actors report and of the
// registry; the HTTP server runs on the I/O thread and reads an immutable board that this actor replaces.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "actors/metrics/http_answer.hpp"
#include "runtime/actor/messages.hpp"

namespace egress {

namespace http {
class server;
}

// What the parts last said of themselves, by name. Immutable once published.
using health_board = std::map<std::string, health_report>;

// The board that the HTTP server reads; outlives the actor.
class published_board {
 public:
  void set(std::shared_ptr<const health_board> now) { board_.store(std::move(now)); }
  std::shared_ptr<const health_board> get() const { return board_.load(); }

 private:
  std::atomic<std::shared_ptr<const health_board>> board_{std::make_shared<const health_board>()};
};

struct needed_parts {
  std::vector<std::string> expected;  // must have reported
  std::set<std::string> may_wait;     // may report what they wait for, and that is nobody's concern
};

// Readiness: all that is needed has reported, and whatever has reported is ready or may wait. Pure.
metrics::health_state health_of(const health_board& board, const needed_parts& needed);

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
