#pragma once
// What the actors last told of the world, for the pages: read when somebody asks, so that telling stays
// cheap. From any thread; outlives the actors.

#include <array>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "actors/metrics/registry.hpp"
#include "actors/metrics/status_page.hpp"
#include "runtime/base/time.hpp"
#include "runtime/kube/snapshot.hpp"

namespace egress {

class operator_facts {
 public:
  void saw(const kube::published& now, steady_time when);
  void built_table(std::size_t names, steady_time when);
  void died(const std::string& actor);
  void queued(std::size_t keys);

  // In the order of kube::watched_kinds; kinds that nothing was heard of are not synced.
  std::vector<metrics::informer_status> informers(steady_time now) const;
  metrics::gateway_states gateways() const;
  // By name, with the message of the condition Ready.
  metrics::all_not_ready not_ready() const;
  // How many names, and for how long; nothing built yet: 0 and 0.
  std::pair<std::size_t, std::chrono::duration<double>> table(steady_time now) const;
  std::size_t queue_depth() const;
  std::uint64_t deaths(const std::string& actor) const;

 private:
  struct kind_facts {
    kube::published last;
    steady_time when{};
  };
  kube::snapshot snapshot_of(kube::kind of) const;

  mutable std::mutex mutex_;
  std::array<kind_facts, kube::watched_kinds.size()> kinds_;
  std::size_t names_ = 0, queued_ = 0;
  steady_time built_{};
  std::map<std::string, std::uint64_t> deaths_;
};

}  // namespace egress
