#pragma once
// Holds the Lease, or waits for it: a thin shell over the election, which says what to ask and when. The way
// to write is gated by the shared deadline, not by messages; those only say that leadership came (the
// dispatcher reconciles everything again) and who leads (the status page). Losing the Lease ends nothing: DNS
// and the informers go on.
//
// What this replica knows may be behind what its predecessor acted on: with the Lease alone it would put back
// what a person changed since. So a term begins when the kinds that decide what is written have been listed
// anew, and only what is decided after that is written.
//
// A candidate watches the Lease, so that one that was handed on is taken at once. It asks at the election's
// own times, too: a watch that is late, refused or gone costs a few seconds, never the election.

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "actors/leader/election.hpp"
#include "runtime/actor/health_teller.hpp"
#include "runtime/actor/messages.hpp"

namespace egress {

struct leader_config {
  leader::election_settings settings;
  // Of the process: it outlives the actor, whose successor closes it first and then earns it again.
  std::shared_ptr<leader::write_deadline> deadline;
  // Told when leadership comes or goes, and once at the start; on the actor's thread.
  std::function<void(bool leads)> changed = [](bool) {};
  // Must be what the write path compares the deadline with; virtual in tests.
  std::function<leader::boot_time()> clock = leader::boot_clock::now;
  wall_time (*wall)() = [] { return std::chrono::system_clock::now(); };
};

struct leader_state;
leader_actor::behavior_type leader_behavior(leader_actor::stateful_pointer<leader_state> self,
                                            leader_config config);

struct leader_state {
  static inline const char* name = "leader";

  leader_actor::pointer self = nullptr;
  leader_config config;
  std::unique_ptr<leader::election> election;
  directory_ptr everyone;
  health_teller health;
  bool stopping = false, finished = false;
  caf::typed_response_promise<ok_atom> released;
  std::uint64_t timer = 0;
  leader::boot_time write_until = leader::boot_time::min();
  std::uint64_t term = 0;                         // 0: nothing may be written
  std::uint64_t claim = 0;                        // counts the times that the Lease came
  std::map<kube::kind, informer_actor> unlisted;  // what a term waits for, and who was asked
  std::string complained;                         // the last complaint: not repeated every two seconds
  bool watching = false;
  std::uint64_t stream = 0;  // of the watch; never used twice
  std::uint64_t streams_opened = 0;
  leader::boot_time watch_after = leader::boot_time::min();
  std::mt19937_64 random{std::random_device{}()};

  leader::moment at();
  void use(const directory_ptr& next);
  void perform(leader::step step);
  void announce(const leader::step& step);
  void ask_for_lists();
  void begin_term();
  void ask(const leader::lease_request& what);
  void answered(const leader::lease_answer& answer);
  void arm(leader::boot_time when);
  void watch_if_candidate();
  void poll_watch();
  void watched(const kube::watch_chunk& news);
  void watch_ended(const std::optional<kube::api_error>& why);
  void report();
};

}  // namespace egress
