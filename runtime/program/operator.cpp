#include "runtime/program/operator.hpp"

#include <fmt/format.h>

#include <atomic>
#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <cstdlib>
#include <random>

#include "actors/dns/io/sockets.hpp"
#include "actors/leader/write_deadline.hpp"
#include "actors/metrics/dns_families.hpp"
#include "actors/metrics/registry.hpp"
#include "runtime/actor/io_thread.hpp"
#include "runtime/actor/system.hpp"
#include "runtime/base/log.hpp"
#include "runtime/net/listen.hpp"
#include "runtime/program/children.hpp"
#include "runtime/program/dns_setup.hpp"

namespace egress {
namespace {

std::string pod_name() {
  const auto* host = std::getenv("HOSTNAME");
  return host ? host : "";
}

// A pod's name comes again after a restart of its container (and is another's in another cluster).
std::string unique_identity(const std::string& pod) {
  std::random_device random;
  return fmt::format("{}_{:08x}{:08x}", pod.empty() ? "egress-operator" : pod, random(), random());
}

std::shared_ptr<leader::write_deadline> deadline_of(const run_options& options) {
  return options.leader_election ? std::make_shared<leader::write_deadline>()
                                 : std::make_shared<leader::write_deadline>(leader::boot_time::max());
}

}  // namespace

// In the order of destruction reversed: the actor system goes first, the sockets last.
struct egress_operator::parts {
  parts(operator_setup from, dns_setup dns_with, net::listening_socket metrics)
      : setup(std::move(from)), dns(std::move(dns_with)), metrics_socket(std::move(metrics)) {}

  // The first to say so says with what.
  void end_with(int code) {
    if (!over.exchange(true)) ended.set_value(code);
  }

  operator_setup setup;
  dns_setup dns;
  net::listening_socket metrics_socket;
  metrics::registry registry;
  operator_facts facts;
  std::shared_ptr<leader::write_deadline> deadline = deadline_of(setup.options);
  const std::string pod = pod_name();
  const std::string identity = unique_identity(pod);
  std::shared_ptr<published_board> board = std::make_shared<published_board>();
  std::atomic<bool> over = false;
  std::promise<int> ended;
  std::future<int> end = ended.get_future();
  io_thread io{"egress-io"};
  handle_book handles;
  system_config config{io.context()};
  std::unique_ptr<caf::actor_system> system;
  supervisor_actor supervisor;
};

result<std::unique_ptr<egress_operator>> egress_operator::start(operator_setup setup) {
  auto dns = prepare_dns(setup.options.dns, setup.options.gateways.cluster_domain);
  if (!dns) return std::unexpected(dns.error());
  auto metrics = net::listen_tcp(setup.options.metrics_address);
  if (!metrics) return fail("--metrics-addr: {}", metrics.error().message);
  auto made = std::make_unique<parts>(std::move(setup), std::move(*dns), std::move(*metrics));
  made->registry.set_max_concurrent_reconciles(made->setup.options.max_concurrent_reconciles);
  made->registry.set_leader("egress-operator", !made->setup.options.leader_election);
  made->registry.add(std::make_shared<metrics::dns_source>(
      "dns://" + made->dns.address, made->setup.version,
      metrics::dns_counters{made->dns.counters.begin(), made->dns.counters.end()}));
  return std::unique_ptr<egress_operator>(new egress_operator(std::move(made)));
}

egress_operator::egress_operator(std::unique_ptr<parts> made) : parts_(std::move(made)) {
  auto& p = *parts_;
  p.dns.follow_resolv_conf(p.io.context());
  p.system = std::make_unique<caf::actor_system>(p.config);
  if (const auto restored = p.dns.memory->get())
    p.facts.built_table(restored->size(), std::chrono::steady_clock::now());
  supervisor_config config;
  config.children =
      children_of({p.setup.options, p.setup.api, p.setup.version, p.io, p.registry, p.facts, p.board, p.dns,
                   p.metrics_socket, p.handles, p.deadline, p.pod, p.identity, p.setup.play_gateways});
  config.times = p.setup.times;
  config.ended = [&p](int code) { p.end_with(code); };
  config.died = [&p](const std::string& id) {
    p.registry.actor_restarted(id);
    p.facts.died(id);
  };
  p.supervisor = p.system->spawn(supervisor_behavior, std::move(config));
  // Without it nobody is started again, and nobody hears of SIGTERM: rather a new process.
  caf::actor_cast<caf::actor>(p.supervisor)->attach_functor([&p](const caf::error& why) {
    if (p.over) return;
    log::error("the supervisor died, and with it the process", {{"reason", caf::to_string(why)}});
    p.end_with(1);
  });
  caf::anon_send(p.supervisor, start_atom{});
}

egress_operator::~egress_operator() {
  parts_->over = true;
  caf::anon_send_exit(parts_->supervisor, caf::exit_reason::kill);
  // It may be starting children just now: those have to be in the book.
  caf::scoped_actor(*parts_->system)->wait_for(parts_->supervisor);
  parts_->supervisor = nullptr;
  parts_->handles.end_all();
  parts_->system.reset();
}

void egress_operator::shutdown() {
  caf::anon_send(parts_->supervisor, shutdown_atom{});
}

int egress_operator::wait() {
  return parts_->end.get();
}

std::string egress_operator::dns_address() const {
  return parts_->dns.address;
}

std::string egress_operator::metrics_address() const {
  return parts_->metrics_socket.address;
}

bool egress_operator::kill(const std::string& id) {
  if (id == "supervisor") {
    caf::anon_send_exit(parts_->supervisor, caf::exit_reason::kill);
    return true;
  }
  return parts_->handles.kill(id);
}

std::vector<std::string> egress_operator::actor_ids() const {
  return parts_->handles.ids();
}

}  // namespace egress
