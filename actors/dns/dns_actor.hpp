#pragma once
// Builds the hijack table of the Services and hands it to the workers. Gives its credit to the informers only
// when the table is built, so that changes arriving meanwhile come merged, in one more table.

#include <functional>
#include <map>

#include "actors/dns/hijack_table.hpp"
#include "runtime/actor/messages.hpp"

namespace egress {

struct dns_actor_config {
  dns::table_options table;
  // Told of every new table, with when it was built: for the metrics.
  std::function<void(const dns::hijack_table&)> published = [](auto&) {};
};

struct dns_state;
dns_actor::behavior_type dns_behavior(dns_actor::stateful_pointer<dns_state> self, dns_actor_config config);

struct dns_state {
  static inline const char* name = "dns";
  dns_actor::pointer self = nullptr;
  dns_actor_config config;
  metrics_actor metrics;
  kube::published services, external_services;
  hijack_table_ptr table;
  std::map<caf::actor_id, caf::weak_actor_ptr> workers;

  void use(const directory_ptr& everyone);
  void learn(const informer_update& update);
  void publish();
  void report();
};

}  // namespace egress
