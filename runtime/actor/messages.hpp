#pragma once
// What the messages of actors.hpp carry. All are shared immutable; none is copied on its way.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/gateways/listeners.hpp"
#include "actors/reconciler/events.hpp"
#include "actors/reconciler/ineffective.hpp"
#include "actors/reconciler/memory.hpp"
#include "actors/reconciler/work_queue.hpp"
#include "runtime/actor/actors.hpp"
#include "runtime/kube/api.hpp"
#include "runtime/kube/snapshot.hpp"

namespace egress {

// The handle of every singleton, as of generation `generation`. A null handle: not running just now.
struct directory {
  std::uint64_t generation = 0;
  kube_api_actor kube_api;
  gateways_actor gateways;
  std::array<informer_actor, kube::watched_kinds.size()> informers;
  dispatcher_actor dispatcher;
  leader_actor leader;
  dns_actor dns;
  std::vector<dns_worker_actor> dns_workers;
  metrics_actor metrics;
};

struct api_request {
  kube::request what;
};

struct api_reply {
  kube::reply outcome;
};

struct watch_poll {
  std::uint64_t stream = 0;  // chosen by the watcher, never used twice by it
  kube::watch_request what;
  std::chrono::milliseconds quiet{0};  // silence beyond this is a dead stream
};

struct watch_news {
  kube::watch_chunk chunk;
};

// A kind's snapshot, and the names that changed since the update before (all of them in the first one).
struct informer_update {
  kube::published current;
  std::vector<std::string> changed;
  bool initial = false;  // the changes are those of a full list, not of people
};

// All that one run of a reconciler needs; it holds no handle and no snapshot of its own.
struct reconcile_work {
  std::shared_ptr<reconciler::memory> memory;  // lent until the result is sent
  kube_api_actor api;
  gateways_actor gateways;  // may be null just now
  kube::object_ptr external_service;
  std::array<kube::object_ptr, kube::child_count> children;  // by kube::child_index; null: there is none
  std::array<std::uint64_t, kube::child_count> epochs{};     // of the snapshots they are from
  std::uint64_t external_service_epoch = 0;
  reconciler::kind_mask changed = 0;  // since the run before
  std::uint64_t term = 0;             // the leader's, for what it writes
  bool ipv6_elsewhere = false;        // Services of this cluster have addresses of it
  bool status_may_wait = false;       // other keys still wait for their children: this status may be put off
  bool patient = false;               // nobody waits for anything of this run
  std::string name_claimed_by;        // the ExternalService that has our dnsName already; "" when it is ours
  std::array<reconciler::ineffective_fields, kube::child_count> ineffective;  // learnt so far
};

struct reconcile_result {
  std::string key;
  reconciler::verdict how;
  std::array<reconciler::ineffective_fields, kube::child_count> ineffective;  // learnt in this run
  std::vector<reconciler::happening> happenings;                              // for Events
  std::optional<reconciler::happening> no_status;  // the definition has no status subresource
};

// About the pods of one gateway: their addresses, and the listeners that are looked for.
struct gateway_question {
  std::vector<std::string> addresses;
  std::uint16_t port = 0;
  std::vector<std::string> listeners;
};

struct gateway_answer {
  std::vector<gateways::pod_answer> pods;  // in the order of the addresses
};

// How one part is, for /healthz, /readyz and /statusz.
struct health_report {
  std::string part;  // "informer/Service"
  bool ready = false;
  std::string waits_for{};  // for what it waits, one line, when not ready
  std::string says{};       // what the status page shows of it, one line; "" for nothing
  friend bool operator==(const health_report&, const health_report&) = default;
};

// From the I/O thread to the kube_api actor: what became of a ticket.
struct delivery {
  std::uint64_t ticket = 0;
  payload<api_reply> reply;  // of a request
  payload<watch_news> news;  // of a poll
};

}  // namespace egress
