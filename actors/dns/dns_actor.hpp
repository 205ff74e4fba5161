#pragma once
// Builds the hijack table of the Services and hands it to the workers: at once when a hijacked name changes
// (at most every 5 ms, in a tenth of a core), for the rest (in-cluster names of gateways that come up) 100 ms
// after the last of a row of changes, within a second (within five where a table takes more than 1 ms to
// build), and not at all for what cannot change it.

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "actors/dns/hijack_table.hpp"
#include "actors/dns/table_memory.hpp"
#include "runtime/actor/health_teller.hpp"
#include "runtime/actor/messages.hpp"

namespace egress {

// What the calling thread has used of a processor so far.
steady_time::duration thread_cpu_time();

struct dns_actor_config {
  std::shared_ptr<dns::table_memory> memory = std::make_shared<dns::table_memory>();
  dns::table_options table;
  // Told of every new table: for the metrics.
  std::function<void(const hijack_table_ptr&)> published = [](auto&) {};
  // Told how long the oldest change that a table brings has waited for it, from its arrival until the loops,
  // which answer from it with their next batch, are handed it. Not of first lists.
  std::function<void(steady_time::duration)> programmed = [](auto) {};
  std::function<void(std::size_t messages)> mailbox = [](auto) {};  // that wait behind the one in work
  // Asked before and after a table is built: what building costs says how often it may be done.
  std::function<steady_time::duration()> cpu_time = thread_cpu_time;
};

enum class urgency : std::uint8_t { none, soon, at_once };

// How soon the table must follow when `now` takes the place of `then` (either may be null). Pure.
urgency urgency_of(const kube::object_ptr& then, const kube::object_ptr& now);

struct dns_state;
dns_actor::behavior_type dns_behavior(dns_actor::stateful_pointer<dns_state> self, dns_actor_config config);

struct dns_state {
  static inline const char* name = "dns";
  dns_actor::pointer self = nullptr;
  dns_actor_config config;
  health_teller health;
  std::array<informer_actor, kube::watched_kinds.size()> subscribed;
  kube::published services, external_services;
  hijack_table_ptr table;  // null until both kinds are known in this life
  std::set<std::string> complaints;
  steady_time built{};                    // when the last table was
  steady_time::duration took{};           // its building
  steady_time paid = steady_time::min();  // when the builds so far are a tenth of a core
  std::optional<steady_time> due;         // of the next one
  urgency due_for = urgency::none;        // what it is due for
  std::optional<steady_time> wakes;       // when the timer comes that is counted on
  std::optional<steady_time>
      waiting_since;  // when the oldest change arrived that the table does not show yet
  std::map<caf::actor_id, caf::weak_actor_ptr> workers;

  void use(const directory_ptr& everyone);
  void learn(const informer_update& update);
  void build();
  void build_at(steady_time wanted, urgency how);
  void wake_at(steady_time when);
  void timer();
  void publish();
  void complain(const std::vector<std::string>& now);
  void report();
};

}  // namespace egress
