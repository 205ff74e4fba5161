#pragma once
// Asks the pods of gateways which listeners they have: with configDelivery Reload nothing else tells when a
// change has come there. Nobody is asked unless a reconciler waits for it.

#include <functional>
#include <map>
#include <vector>

#include "actors/gateways/listeners.hpp"
#include "runtime/actor/messages.hpp"

namespace egress {

// Asks, and calls `done` once, soon, from any thread, with an answer for each address in their order.
using pods_asker = std::function<void(const gateway_question& what,
                                      std::function<void(std::vector<gateways::pod_answer>)> done)>;

// What `dev` does where nobody runs the gateways: they have every listener.
pods_asker played_pods();

struct gateways_state {
  static inline const char* name = "gateways";
  std::uint64_t next_ticket = 1;
  std::map<std::uint64_t, caf::typed_response_promise<payload<gateway_answer>>> questions;
};

gateways_actor::behavior_type gateways_behavior(gateways_actor::stateful_pointer<gateways_state> self,
                                                pods_asker ask);

}  // namespace egress
