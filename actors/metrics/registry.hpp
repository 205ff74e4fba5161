#pragma once
// Every metric family of the program under the names that existing dashboards know (controller-runtime,
// client-go, CoreDNS), and ours as egress_operator_…. Any thread may call any member; to observe costs a lock
// held for nanoseconds. (DNS packets are not counted here: their workers count for themselves, and a
// Collectable turns the sums into families at each scrape.)

#include <prometheus/collectable.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace egress::metrics {

enum class reconcile_result : std::uint8_t { success, error, requeue, requeue_after };

// What the work queue is like just now.
struct queue_state {
  std::size_t depth = 0;
  std::size_t active_workers = 0;
  std::chrono::duration<double> unfinished{};  // sum over the runs under way
  std::chrono::duration<double> longest_running{};
};

// Gateways by their hijack label.
struct gateway_states {
  std::size_t hijacked = 0, waiting_for_pods = 0, not_hijacked = 0;
};

// Of /proc/self; runtime/program/process_stats.hpp reads it.
struct process_stats {
  double cpu_seconds = 0;
  double resident_bytes = 0, virtual_bytes = 0;
  double open_fds = 0, max_fds = 0;
  double start_time = 0;  // seconds since 1970
};

class registry {
 public:
  using duration = std::chrono::duration<double>;

  registry();
  ~registry();
  registry(const registry&) = delete;
  registry& operator=(const registry&) = delete;

  // controller_runtime_*, controller="externalservice"
  // `terminal`: it was refused, and only a person's change makes it otherwise.
  void reconciled(reconcile_result how, duration took, bool terminal);
  void set_max_concurrent_reconciles(unsigned count);

  // workqueue_*, name and controller "externalservice"
  void queue_added();
  void queue_retried();
  void left_queue(duration waited);
  void worked(duration took);
  void set_queue(const queue_state& now);

  // rest_client_*: fits kube::client_options::observe.
  void requested(std::string_view code, std::string_view method, std::string_view host, duration took);

  void set_leader(std::string_view lease, bool leads);
  void set_process(const process_stats& now);

  // coredns_kubernetes_dns_programming_duration_seconds, service_kind="cluster_ip": from the arrival of a
  // Service's change to the table that answers by it.
  void programmed(duration took);

  // egress_operator_*
  void set_gateways(const gateway_states& now);
  void set_hijack_table(std::size_t names, duration age);
  void actor_restarted(std::string_view actor);
  // What a part of the process reports of itself.
  void set_part_ready(std::string_view part, bool ready);
  // To be called with the messages that wait; looked up once, since actors tell after every message.
  std::function<void(std::size_t messages)> mailbox_of(std::string_view actor);
  // A field, as Kind:/json/pointer, that the API server does not keep as it is written.
  void field_ignored(std::string_view field);

  // Asked at each scrape, from the thread that scrapes; kept.
  void add(std::shared_ptr<const prometheus::Collectable> source);

  // The whole page: what /metrics answers.
  std::string text() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace egress::metrics
