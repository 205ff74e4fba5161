#pragma once
// Keeps the snapshot of one kind and tells its subscribers what changed. The protocol is watch_machine; this
// shell carries its commands to the kube_api actor and back.

#include <map>
#include <random>
#include <set>
#include <string>

#include "actors/informer/watch_machine.hpp"
#include "runtime/actor/health_teller.hpp"
#include "runtime/actor/messages.hpp"

namespace egress {

struct informer_state;
informer_actor::behavior_type informer_behavior(informer_actor::stateful_pointer<informer_state> self,
                                                informer::scope about);

struct informer_state {
  static inline const char* name = "informer";

  // Changes wait here, merged, until the subscriber has taken the update before.
  struct subscriber {
    caf::weak_actor_ptr who;
    std::set<std::string> pending;
    bool initial = true;  // nothing but what a first list brought is pending
    bool due = false;
    bool busy = false;
    std::uint64_t sent = 0, taken = 0;  // epochs of the snapshots it was sent, and has taken
  };
  // Who asked for a new list, and the epoch that will be it.
  struct listing_anew {
    caf::typed_response_promise<ok_atom> asked;
    std::uint64_t epoch = 0;
  };

  informer_actor::pointer self = nullptr;
  kube::kind of = kube::kind::external_service;
  std::unique_ptr<informer::watch_machine> machine;
  kube_api_actor api;
  health_teller health;
  std::map<caf::actor_id, subscriber> subscribers;
  std::vector<listing_anew> asked_anew;
  std::mt19937_64 random{std::random_device{}()};
  std::uint64_t stream = 0;
  std::uint64_t streams_opened = 0;
  milliseconds quiet{0};  // how long the open watch may be silent
  // What the API server owes an answer to; told as failed when the kube_api actor is replaced.
  enum class owed : std::uint8_t { nothing, list, chunk } waiting = owed::nothing;
  informer::ticket waiting_id = 0;
  steady_time waiting_until{};  // of a poll
  bool watchdog_set = false;

  moment at();
  void use(const directory_ptr& everyone);
  void perform(informer::outcome what);
  void carry_out(const informer::list_command& what);
  void carry_out(const informer::open_watch_command& what);
  void carry_out(const informer::next_chunk_command& what);
  void carry_out(const informer::close_watch_command& what);
  void carry_out(const informer::wait_command& what);
  void poll(informer::ticket id, const kube::watch_request& what);
  void answered(informer::ticket id);
  void answer_failed(owed what, informer::ticket id, const std::string& why);
  void set_watchdog();
  void watchdog();
  void publish(const informer::changes& changed);
  void subscribe(const update_consumer& who);
  void unsubscribe(caf::actor_id id);
  void flush(caf::actor_id id);
  caf::typed_response_promise<ok_atom> list_anew();
  void answer_asked_anew();
  void report();
};

}  // namespace egress
