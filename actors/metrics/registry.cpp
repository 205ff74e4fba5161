#include "actors/metrics/registry.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <tuple>
#include <vector>

#include "actors/metrics/buckets.hpp"
#include "actors/metrics/exposition.hpp"

namespace egress::metrics {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;
using prometheus::Registry;
template <class T>
using family = prometheus::Family<T>;

const Labels controller{{"controller", "externalservice"}};
const Labels queue{{"name", "externalservice"}, {"controller", "externalservice"}};

family<Counter>& counters(Registry& in, const char* name, const char* help) {
  return BuildCounter().Name(name).Help(help).Register(in);
}
family<Gauge>& gauges(Registry& in, const char* name, const char* help) {
  return BuildGauge().Name(name).Help(help).Register(in);
}
family<Histogram>& histograms(Registry& in, const char* name, const char* help) {
  return BuildHistogram().Name(name).Help(help).Register(in);
}
Counter& counter(Registry& in, const char* name, const char* help, const Labels& labels) {
  return counters(in, name, help).Add(labels);
}
Gauge& gauge(Registry& in, const char* name, const char* help, const Labels& labels = {}) {
  return gauges(in, name, help).Add(labels);
}
Histogram& histogram(Registry& in, const char* name, const char* help, const Labels& labels,
                     const std::vector<double>& buckets) {
  return histograms(in, name, help).Add(labels, buckets);
}

struct controller_metrics {
  explicit controller_metrics(Registry& in)
      : total(counters(in, "controller_runtime_reconcile_total",
                       "Total number of reconciliations per controller")),
        errors(counter(in, "controller_runtime_reconcile_errors_total",
                       "Total number of reconciliation errors per controller", controller)),
        terminal(counter(in, "controller_runtime_terminal_reconcile_errors_total",
                         "Total number of terminal reconciliation errors per controller", controller)),
        time(histogram(in, "controller_runtime_reconcile_time_seconds",
                       "Length of time per reconciliation per controller", controller, reconcile_buckets())),
        max_concurrent(gauge(in, "controller_runtime_max_concurrent_reconciles",
                             "Maximum number of concurrent reconciles per controller", controller)),
        active(gauge(in, "controller_runtime_active_workers",
                     "Number of currently used workers per controller", controller)) {
    // All four from the start: a rate() needs the zero before the one.
    for (const auto* result : {"success", "error", "requeue", "requeue_after"})
      results.push_back(&total.Add({{"controller", "externalservice"}, {"result", result}}));
  }
  family<Counter>& total;
  std::vector<Counter*> results;
  Counter &errors, &terminal;
  Histogram& time;
  Gauge &max_concurrent, &active;
};

struct queue_metrics {
  explicit queue_metrics(Registry& in)
      : depth(gauge(in, "workqueue_depth", "Current depth of workqueue", queue)),
        adds(counter(in, "workqueue_adds_total", "Total number of adds handled by workqueue", queue)),
        retries(
            counter(in, "workqueue_retries_total", "Total number of retries handled by workqueue", queue)),
        waited(histogram(in, "workqueue_queue_duration_seconds",
                         "How long in seconds an item stays in workqueue before being requested", queue,
                         workqueue_buckets())),
        worked(histogram(in, "workqueue_work_duration_seconds",
                         "How long in seconds processing an item from workqueue takes.", queue,
                         workqueue_buckets())),
        unfinished(
            gauge(in, "workqueue_unfinished_work_seconds",
                  "How many seconds of work has been done that is in progress and hasn't been observed by "
                  "work_duration",
                  queue)),
        longest(gauge(in, "workqueue_longest_running_processor_seconds",
                      "How many seconds has the longest running processor for workqueue been running",
                      queue)) {}
  Gauge& depth;
  Counter &adds, &retries;
  Histogram &waited, &worked;
  Gauge &unfinished, &longest;
};

struct process_metrics {
  explicit process_metrics(Registry& in)
      : cpu(gauge(in, "process_cpu_seconds_total", "")),
        resident(gauge(in, "process_resident_memory_bytes", "Resident memory size in bytes.")),
        virtual_size(gauge(in, "process_virtual_memory_bytes", "Virtual memory size in bytes.")),
        open_fds(gauge(in, "process_open_fds", "Number of open file descriptors.")),
        max_fds(gauge(in, "process_max_fds", "Maximum number of open file descriptors.")),
        start_time(gauge(in, "process_start_time_seconds",
                         "Start time of the process since unix epoch in seconds.")) {}
  Gauge &cpu, &resident, &virtual_size, &open_fds, &max_fds, &start_time;
};

// The kernel counts CPU time for us: a counter whose value is set, which prometheus-cpp has no class for.
void make_counter(std::vector<prometheus::MetricFamily>& families, std::string_view name,
                  std::string_view help) {
  const auto found = std::ranges::find(families, name, &prometheus::MetricFamily::name);
  if (found == families.end()) return;
  found->help = help;
  found->type = prometheus::MetricType::Counter;
  for (auto& metric : found->metric) metric.counter.value = metric.gauge.value;
}

struct own_metrics {
  explicit own_metrics(Registry& in)
      : gateways(gauges(in, "egress_operator_gateways", "Gateways by the state of their DNS hijack")),
        hijacked(gateways.Add({{"hijack", "true"}})),
        waiting(gateways.Add({{"hijack", "waiting-for-pods"}})),
        not_hijacked(gateways.Add({{"hijack", "false"}})),
        names(gauge(in, "egress_operator_hijack_table_names", "Names in the hijack table")),
        age(gauge(in, "egress_operator_hijack_table_age_seconds",
                  "Seconds since the hijack table was last built")),
        restarts(counters(in, "egress_operator_actor_restarts_total", "Restarts of actors")),
        parts(gauges(in, "egress_operator_part_ready",
                     "1 when a part of the process is ready, 0 while it waits: /statusz says what for")),
        mailboxes(
            gauges(in, "egress_operator_actor_mailbox_messages", "Messages that wait in an actor's mailbox")),
        ignored(counters(in, "egress_operator_ignored_fields_total",
                         "Fields that the API server does not keep as written")),
        programmed(histogram(in, "coredns_kubernetes_dns_programming_duration_seconds",
                             "Histogram of the time (in seconds) it took to program a dns instance.",
                             {{"service_kind", "cluster_ip"}}, programming_buckets())) {}
  family<Gauge>& gateways;
  Gauge &hijacked, &waiting, &not_hijacked, &names, &age;
  family<Counter>& restarts;
  family<Gauge>& parts;
  family<Gauge>& mailboxes;
  family<Counter>& ignored;
  Histogram& programmed;
};

}  // namespace

struct registry::state {
  Registry families;
  controller_metrics controller{families};
  queue_metrics queue{families};
  family<Counter>& requests =
      counters(families, "rest_client_requests_total",
               "Number of HTTP requests, partitioned by status code, method, and host.");
  family<Histogram>& request_time = histograms(families, "rest_client_request_duration_seconds",
                                               "Request latency in seconds. Broken down by verb, and host.");
  family<Gauge>& leaders = gauges(
      families, "leader_election_master_status",
      "Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates "
      "master. 'name' is the string used to identify the lease. Please make sure to group by name.");
  process_metrics process{families};
  own_metrics own{families};

  // To be found without making labels: there are few, and requests are many.
  struct request_metrics {
    Counter* count;
    Histogram* time;
  };
  const request_metrics& request_metrics_of(std::string_view code, std::string_view method,
                                            std::string_view host) {
    const std::lock_guard lock{requests_guard};
    const auto found = known_requests.find(std::tuple{code, method, host});
    if (found != known_requests.end()) return found->second;
    std::tuple key{std::string(code), std::string(method), std::string(host)};
    const auto& [status, verb, where] = key;
    const request_metrics made{&requests.Add({{"code", status}, {"method", verb}, {"host", where}}),
                               &request_time.Add({{"verb", verb}, {"host", where}}, rest_client_buckets())};
    return known_requests.emplace(std::move(key), made).first->second;
  }
  std::mutex requests_guard;
  std::map<std::tuple<std::string, std::string, std::string>, request_metrics, std::less<>> known_requests;

  mutable std::mutex guard;  // of sources
  std::vector<std::shared_ptr<const prometheus::Collectable>> sources;
};

registry::registry() : state_(std::make_unique<state>()) {}
registry::~registry() = default;

void registry::reconciled(reconcile_result how, duration took, bool terminal) {
  auto& of = state_->controller;
  of.results[static_cast<std::size_t>(how)]->Increment();
  if (how == reconcile_result::error) of.errors.Increment();
  if (terminal) of.terminal.Increment();
  of.time.Observe(took.count());
}

void registry::set_max_concurrent_reconciles(unsigned count) {
  state_->controller.max_concurrent.Set(count);
}

void registry::queue_added() {
  state_->queue.adds.Increment();
}
void registry::queue_retried() {
  state_->queue.retries.Increment();
}
void registry::left_queue(duration waited) {
  state_->queue.waited.Observe(waited.count());
}
void registry::worked(duration took) {
  state_->queue.worked.Observe(took.count());
}

void registry::set_queue(const queue_state& now) {
  state_->queue.depth.Set(static_cast<double>(now.depth));
  state_->queue.unfinished.Set(now.unfinished.count());
  state_->queue.longest.Set(now.longest_running.count());
  state_->controller.active.Set(static_cast<double>(now.active_workers));
}

void registry::requested(std::string_view code, std::string_view method, std::string_view host,
                         duration took) {
  const auto& of = state_->request_metrics_of(code, method, host);
  of.count->Increment();
  of.time->Observe(took.count());
}

void registry::set_leader(std::string_view lease, bool leads) {
  state_->leaders.Add({{"name", std::string(lease)}}).Set(leads ? 1 : 0);
}

void registry::set_process(const process_stats& now) {
  auto& of = state_->process;
  of.cpu.Set(now.cpu_seconds);
  of.resident.Set(now.resident_bytes);
  of.virtual_size.Set(now.virtual_bytes);
  of.open_fds.Set(now.open_fds);
  of.max_fds.Set(now.max_fds);
  of.start_time.Set(now.start_time);
}

void registry::programmed(duration took) {
  state_->own.programmed.Observe(took.count());
}

void registry::set_gateways(const gateway_states& now) {
  state_->own.hijacked.Set(static_cast<double>(now.hijacked));
  state_->own.waiting.Set(static_cast<double>(now.waiting_for_pods));
  state_->own.not_hijacked.Set(static_cast<double>(now.not_hijacked));
}

void registry::set_hijack_table(std::size_t names, duration age) {
  state_->own.names.Set(static_cast<double>(names));
  state_->own.age.Set(age.count());
}

void registry::actor_restarted(std::string_view actor) {
  state_->own.restarts.Add({{"actor", std::string(actor)}}).Increment();
}

void registry::set_part_ready(std::string_view part, bool ready) {
  state_->own.parts.Add({{"part", std::string(part)}}).Set(ready ? 1 : 0);
}

std::function<void(std::size_t)> registry::mailbox_of(std::string_view actor) {
  auto& gauge = state_->own.mailboxes.Add({{"actor", std::string(actor)}});
  return [&gauge](std::size_t messages) { gauge.Set(static_cast<double>(messages)); };
}

void registry::field_ignored(std::string_view field) {
  state_->own.ignored.Add({{"field", std::string(field)}}).Increment();
}

void registry::add(std::shared_ptr<const prometheus::Collectable> source) {
  const std::lock_guard lock{state_->guard};
  state_->sources.push_back(std::move(source));
}

std::string registry::text() const {
  auto families = state_->families.Collect();
  make_counter(families, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.");
  std::vector<std::shared_ptr<const prometheus::Collectable>> sources;
  {
    const std::lock_guard lock{state_->guard};
    sources = state_->sources;
  }
  for (const auto& source : sources) std::ranges::move(source->Collect(), std::back_inserter(families));
  std::ranges::sort(families, {}, &prometheus::MetricFamily::name);
  for (auto& family : families) std::ranges::sort(family.metric, {}, &prometheus::ClientMetric::label);
  return to_text(families);
}

}  // namespace egress::metrics
