#pragma once
// Plays the kubelet for gateways whose Envoy really runs: which processes to start and to end, and when their
// Deployments are ready. Pure: it gives orders, and is told what became of them.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/devserver/crash_backoff.hpp"
#include "runtime/devserver/gateway_config.hpp"
#include "runtime/devserver/store.hpp"

namespace egress::dev {

class cluster;
class deployment_stand_in;
struct gateway_plan;

struct gateway_order {
  enum class kind : std::uint8_t { start, stop, deliver, complain };
  kind what = kind::start;
  object_key key{};
  std::uint64_t number = 0;  // of the process; each start has a new one
  // For start and deliver: the mounted files. Of one alone it is not expected that the process looks again.
  config_files files{};
  // For start.
  std::vector<std::string> arguments{};
  std::string address{};
  std::uint16_t ready_port = 0;
  std::string ready_path{};
  // For complain: why it cannot be started, or given what has changed.
  std::string why{};
};

class gateway_runs {
 public:
  gateway_runs(const cluster& on, deployment_stand_in& deployments, std::vector<name_server> resolvers)
      : on_(on), deployments_(deployments), resolvers_(std::move(resolvers)) {}

  void observe(const change& what);
  // Returns when the next gateway has waited long enough.
  std::optional<wall_time> run(wall_time now);
  // What is to be done now, in this order.
  std::vector<gateway_order> take_orders() { return std::exchange(orders_, {}); }

  struct look {
    milliseconds next_in;
    bool news;  // the Deployment's readiness changed: run() has something to do
  };
  // One look at the readiness of a process: three failures in a row make a ready one unready, as in its pods'
  // probe.
  look probed(const object_key& key, std::uint64_t number, bool ready);
  // The process is gone, or could not be started. How long until it is started again; nothing when it was
  // ordered to end, or is none of ours.
  std::optional<milliseconds> ended(const object_key& key, std::uint64_t number, wall_time now);

 private:
  struct gateway {
    std::uint64_t number = 0;  // of the process there is; 0 is none
    bool ending = false, ready = false;
    unsigned failures = 0;     // of the probe, in a row
    std::size_t identity = 0;  // of the process there is or was
    config_files mounted;      // what the process was given last, as it is in the ConfigMap
    wall_time began;
    std::optional<wall_time> rests_until;
    crash_backoff backoff;
    std::string complaint;
  };

  void decide(const object_key& key, wall_time now);
  void decide_without_process(const object_key& key, gateway& one, gateway_plan plan, wall_time now);
  void start(const object_key& key, gateway& one, gateway_plan plan, wall_time now);
  void deliver(const object_key& key, gateway& one, gateway_plan plan);
  // As they are for this machine; nothing, and a complaint, when they cannot be read.
  std::optional<config_files> prepared(const object_key& key, gateway& one, const gateway_plan& plan);
  void set_ready(const object_key& key, gateway& one, bool ready);

  const cluster& on_;
  deployment_stand_in& deployments_;
  std::vector<name_server> resolvers_;
  std::map<object_key, gateway> all_;
  std::set<object_key> dirty_, resting_;
  std::vector<gateway_order> orders_;
  std::uint64_t last_number_ = 0;
};

}  // namespace egress::dev
