#pragma once
// The supervisor's list: every actor of the operator, how it is made, and its limits.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/metrics/metrics_actor.hpp"
#include "runtime/actor/supervisor.hpp"
#include "runtime/base/options.hpp"
#include "runtime/kube/connection_config.hpp"
#include "runtime/net/listen.hpp"
#include "runtime/program/facts.hpp"

namespace egress {

class io_thread;
namespace metrics {
class registry;
}
namespace leader {
class write_deadline;
}
struct dns_setup;

// Who lives under which id, weakly: for tests that kill, and for the end. From any thread.
class handle_book {
 public:
  void note(const std::string& id, const member_actor& handle);
  bool kill(const std::string& id);
  void end_all();
  std::vector<std::string> ids() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, caf::weak_actor_ptr> handles_;
};

// What the actors are made of; all of it outlives them.
struct child_materials {
  const run_options& options;
  const kube::connection_config& api;
  const std::string& version;
  io_thread& io;
  metrics::registry& registry;
  operator_facts& facts;
  std::shared_ptr<published_board> board;
  dns_setup& dns;
  const net::listening_socket& metrics_socket;
  handle_book& handles;
  // Until when this replica may write; always open without leader election.
  std::shared_ptr<leader::write_deadline> deadline;
  const std::string& pod;       // HOSTNAME; "" where there is none. In Events
  const std::string& identity;  // in the Lease: the same for every life of the leader actor
  bool play_gateways = false;   // see operator_setup
};

// The parts that readiness waits for.
needed_parts needed_for_readiness(bool dns_restored);

std::vector<supervised_child> children_of(const child_materials& from);

}  // namespace egress
