#pragma once
// Owns one packet loop: starts it, hands it new tables, ends with it. Packets never pass through here.

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "runtime/actor/messages.hpp"

namespace egress {

// What the actor does with its loop. The real one is actors/dns/io/worker.hpp.
class packet_loop {
 public:
  virtual ~packet_loop() = default;
  virtual void set_table(hijack_table_ptr table) = 0;
  // The sockets of exactly these siblings are served, too.
  virtual void serve_also(const std::set<std::size_t>& siblings) = 0;
};

// Starts the loop of the worker of this index; `failed` may be called once, from any thread.
using packet_loop_factory =
    std::function<std::unique_ptr<packet_loop>(std::size_t index, std::function<void(std::string)> failed)>;

struct dns_worker_state;
dns_worker_actor::behavior_type dns_worker_behavior(dns_worker_actor::stateful_pointer<dns_worker_state> self,
                                                    std::size_t index, packet_loop_factory start);

struct dns_worker_state {
  static inline const char* name = "dns_worker";
  std::unique_ptr<packet_loop> loop;
  dns_actor subscribed;  // to whose tables
};

// Which siblings' sockets the worker of this index serves: the first worker that is there takes all of those
// that are away. Pure.
std::set<std::size_t> orphans_of(const directory& everyone, std::size_t index);

}  // namespace egress
