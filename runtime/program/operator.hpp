#pragma once
// The operator, put together: what outlives the actors, and the list of actors that the supervisor keeps
// alive.

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "runtime/actor/supervisor.hpp"
#include "runtime/base/options.hpp"
#include "runtime/kube/connection_config.hpp"

namespace egress {

struct operator_setup {
  run_options options;
  kube::connection_config api;
  shutdown_times times;
  std::string version;
  // Nobody runs the gateways: pods that are ready have whatever listeners they should.
  bool play_gateways = false;
};

class egress_operator {
 public:
  // Opens the sockets and starts the actors. An error is one line about a flag or an address: exit code 2.
  static result<std::unique_ptr<egress_operator>> start(operator_setup setup);
  ~egress_operator();

  // Begins the ordered shutdown; a second call cuts its present phase short. From any thread.
  void shutdown();
  // Waits until all is over; the process' exit code.
  int wait();

  std::string dns_address() const;
  std::string metrics_address() const;

  // For tests of supervision: ends the actor of this id ("supervisor" itself, too) as a crash would. False:
  // there is none just now.
  bool kill(const std::string& id);
  std::vector<std::string> actor_ids() const;

 private:
  struct parts;
  explicit egress_operator(std::unique_ptr<parts> made);
  std::unique_ptr<parts> parts_;
};

}  // namespace egress
