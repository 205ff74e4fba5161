#pragma once
// The seam to the API server: turns messages into coroutines on the I/O thread and their outcomes into
// replies. When it dies, all it had under way is cancelled; its requesters learn that by their own time-outs,
// but for those that do not care (Events).

#include <functional>
#include <map>
#include <memory>

#include "runtime/actor/messages.hpp"

namespace egress {

class kube_bridge;

// Makes the bridge of one life of the actor; its outcomes go to `deliver`.
using bridge_factory =
    std::function<std::unique_ptr<kube_bridge>(std::function<void(payload<delivery>)> deliver)>;

struct kube_api_state {
  static inline const char* name = "kube_api";
  std::unique_ptr<kube_bridge> bridge;
  std::uint64_t next_ticket = 1;
  std::map<std::uint64_t, caf::typed_response_promise<payload<api_reply>>> requests;
  std::map<std::uint64_t, caf::typed_response_promise<payload<watch_news>>> polls;
};

kube_api_actor::behavior_type kube_api_behavior(kube_api_actor::stateful_pointer<kube_api_state> self,
                                                bridge_factory make_bridge);

}  // namespace egress
