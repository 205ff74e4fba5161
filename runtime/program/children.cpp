#include "runtime/program/children.hpp"

#include <fmt/format.h>

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <fstream>
#include <iterator>

#include "actors/dns/dns_actor.hpp"
#include "actors/gateways/gateways_actor.hpp"
#include "actors/gateways/io/ask_pods.hpp"
#include "actors/informer/informer_actor.hpp"
#include "actors/leader/leader_actor.hpp"
#include "actors/metrics/registry.hpp"
#include "actors/reconciler/dispatcher_actor.hpp"
#include "actors/reconciler/dns_name.hpp"
#include "actors/reconciler/reconciler_actor.hpp"
#include "actors/reconciler/search_domains.hpp"
#include "runtime/actor/bridge.hpp"
#include "runtime/actor/kube_api_actor.hpp"
#include "runtime/http/server.hpp"
#include "runtime/kube/keys.hpp"
#include "runtime/program/dns_setup.hpp"
#include "runtime/program/observe.hpp"

namespace egress {

void handle_book::note(const std::string& id, const member_actor& handle) {
  const std::lock_guard lock(mutex_);
  handles_[id] = caf::actor_cast<caf::weak_actor_ptr>(handle);
}

bool handle_book::kill(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = handles_.find(id);
  if (found == handles_.end()) return false;
  const auto strong = found->second.lock();
  if (!strong) return false;
  caf::anon_send_exit(caf::actor_cast<caf::actor>(strong), caf::exit_reason::kill);
  return true;
}

void handle_book::end_all() {
  for (const auto& id : ids()) kill(id);
}

std::vector<std::string> handle_book::ids() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [id, handle] : handles_) all.push_back(id);
  return all;
}

namespace {

kube::projection_rules rules_of(const gateway_settings& settings) {
  return {.ip_family_policy = settings.profile == gateway_profile::hardened,
          .topology_mode = settings.service_topology_mode};
}

// Notes the handle of each life under its id.
template <class Start, class Clear>
supervised_child child(handle_book& handles, std::string id, restart_limits limits, Start start,
                       Clear clear) {
  return {id, limits,
          [&handles, id, start](caf::actor_system& system, directory& into) {
            const member_actor made = start(system, into);
            handles.note(id, made);
            return made;
          },
          clear};
}

supervised_child metrics_child(const child_materials& from) {
  readiness ready{needed_for_readiness(from.dns.restored), needed_for_readiness(true)};
  auto page = std::make_shared<const metrics::pages>(
      pages_of(from.registry, from.facts, from.board, std::move(ready), from.version));
  metrics_config config{from.board, [page, &io = from.io, &socket = from.metrics_socket] {
                          return serve_pages(io, socket, page);
                        }};
  return child(
      from.handles, "metrics", {},
      [config](caf::actor_system& system, directory& into) {
        return into.metrics = system.spawn(metrics_behavior, config);
      },
      [](directory& into) { into.metrics = nullptr; });
}

leader::election_settings election_of(const child_materials& from) {
  auto made = leader::election_settings::with_lease(from.options.lease_duration);
  made.name_space = from.options.gateways.name_space;
  made.identity = from.identity;
  return made;
}

supervised_child kube_api_child(const child_materials& from) {
  kube::client_options options;
  options.rules = rules_of(from.options.gateways);
  options.connections = from.options.max_concurrent_reconciles;
  options.queries_per_second = from.options.kube_api_qps;
  options.gzip_lists = from.options.gzip_lists;
  // With the identity that the Lease shows: the server's audit log tells which replica wrote.
  options.user_agent = "egress-operator/" + from.version + " (" + from.identity + ")";
  // Without a Lease none is too late, and an admission webhook may take its ten seconds and more.
  options.write_timeout =
      from.options.leader_election ? election_of(from).write_timeout : kube::request{}.timeout;
  options.may_write = [deadline = from.deadline](std::uint64_t term) { return deadline->open(term); };
  options.observe = [&registry = from.registry](const kube::request_observation& seen) {
    registry.requested(seen.code, seen.method, seen.host, seen.took);
  };
  bridge_factory make = [&io = from.io, api = from.api, options](kube_bridge::deliver_function deliver) {
    return std::make_unique<kube_bridge>(io, api, options, std::move(deliver));
  };
  return child(
      from.handles, "kube_api", {},
      [make](caf::actor_system& system, directory& into) {
        return into.kube_api = system.spawn(kube_api_behavior, make);
      },
      [](directory& into) { into.kube_api = nullptr; });
}

supervised_child gateways_child(const child_materials& from) {
  pods_asker ask = [&io = from.io](const gateway_question& what, auto done) {
    gateways::ask_pods(io.context(), what.addresses, what.port, std::move(done));
  };
  if (from.play_gateways) ask = played_pods();
  return child(
      from.handles, "gateways", {},
      [ask](caf::actor_system& system, directory& into) {
        return into.gateways = system.spawn(gateways_behavior, ask);
      },
      [](directory& into) { into.gateways = nullptr; });
}

supervised_child informer_child(const child_materials& from, kube::kind of) {
  informer::scope about;
  about.of = of;
  about.streaming_lists = !from.options.paged_lists;
  about.watch_timeout = from.options.watch_timeout;
  if (of != kube::kind::external_service) {
    about.name_space = from.options.gateways.name_space;
    about.label_selector = fmt::format("{}={}", kube::keys::app, kube::keys::app_value);
  }
  const auto slot = static_cast<std::size_t>(of);
  return child(
      from.handles, "informer/" + std::string{kube::info(of).name}, {},
      [about, slot](caf::actor_system& system, directory& into) {
        return into.informers[slot] = system.spawn(informer_behavior, about);
      },
      [slot](directory& into) { into.informers[slot] = nullptr; });
}

// Ours (none when the file cannot be read), and those that a kubelet gives to pods.
std::vector<std::string> search_domains(const run_options& options) {
  std::ifstream in(options.dns.resolv_conf);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  auto all = reconciler::search_domains_of(text);
  const auto& cluster = options.gateways.cluster_domain;
  for (const auto& domain : {"svc." + cluster, cluster}) all.push_back(reconciler::dns_name_key(domain));
  return all;
}

supervised_child dispatcher_child(const child_materials& from) {
  auto shared = std::make_shared<reconciler_config>();
  shared->gateways = from.options.gateways;
  shared->rules = rules_of(from.options.gateways);
  shared->search_domains = search_domains(from.options);
  dispatcher_config config;
  config.max_concurrent = from.options.max_concurrent_reconciles;
  config.instance = from.pod;
  config.spawn_reconciler = [shared](caf::local_actor* parent, const std::string&) {
    return parent->spawn(reconciler_behavior, std::shared_ptr<const reconciler_config>{shared});
  };
  config.internal_error = [shared](const kube::object& service) {
    return internal_error_status(service, *shared, "the reconciler failed; see the operator's log");
  };
  config.observe = observe_queue(from.registry, from.facts);
  auto made = child(
      from.handles, "dispatcher", {},
      [config](caf::actor_system& system, directory& into) {
        return into.dispatcher = system.spawn(dispatcher_behavior, config);
      },
      [](directory& into) { into.dispatcher = nullptr; });
  made.only_while_running = true;  // a new one would not know that it is to drain
  return made;
}

supervised_child leader_child(const child_materials& from) {
  leader_config config;
  config.settings = election_of(from);
  config.deadline = from.deadline;
  config.changed = [&registry = from.registry, lease = config.settings.name](bool leads) {
    registry.set_leader(lease, leads);
  };
  auto made = child(
      from.handles, "leader", {},
      [config](caf::actor_system& system, directory& into) {
        return into.leader = system.spawn(leader_behavior, config);
      },
      [](directory& into) { into.leader = nullptr; });
  made.only_while_running = true;  // the Lease is not taken again once it is released
  return made;
}

supervised_child dns_child(const child_materials& from) {
  dns_actor_config config;
  config.memory = from.dns.memory;
  config.table.name_space = from.options.gateways.name_space;
  config.table.cluster_domain = from.options.gateways.cluster_domain;
  config.published = observe_table(from.facts, from.dns.saver);
  config.programmed = [&registry = from.registry](auto took) { registry.programmed(took); };
  config.mailbox = from.registry.mailbox_of("dns");
  // Without it nobody's names are hijacked any more: past the limit a new process is the better start.
  return child(
      from.handles, "dns", {.past_limit_ends_process = true},
      [config](caf::actor_system& system, directory& into) {
        return into.dns = system.spawn(dns_behavior, config);
      },
      [](directory& into) { into.dns = nullptr; });
}

supervised_child worker_child(const child_materials& from, std::size_t index) {
  return child(
      from.handles, "dns_worker/" + std::to_string(index), {},
      [index, loops = from.dns.loops()](caf::actor_system& system, directory& into) {
        if (into.dns_workers.size() <= index) into.dns_workers.resize(index + 1);
        return into.dns_workers[index] = system.spawn(dns_worker_behavior, index, loops);
      },
      [index](directory& into) { into.dns_workers[index] = nullptr; });
}

}  // namespace

needed_parts needed_for_readiness(bool dns_restored) {
  std::set<std::string> controller{"dispatcher"};
  for (const auto kind : kube::watched_kinds)
    controller.insert("informer/" + std::string{kube::info(kind).name});
  // Who waits for us to be ready waits for DNS, which needs no API server when it has a table of an earlier
  // run.
  if (dns_restored) return {{"dns"}, std::move(controller)};
  needed_parts all{{controller.begin(), controller.end()}, {}};
  all.expected.emplace_back("dns");
  return all;
}

std::vector<supervised_child> children_of(const child_materials& from) {
  std::vector<supervised_child> all;
  all.push_back(metrics_child(from));
  all.push_back(kube_api_child(from));
  all.push_back(gateways_child(from));
  for (const auto kind : kube::watched_kinds) all.push_back(informer_child(from, kind));
  all.push_back(dispatcher_child(from));
  if (from.options.leader_election) all.push_back(leader_child(from));
  all.push_back(dns_child(from));
  for (std::size_t i = 0; i < from.dns.sockets->size(); ++i) all.push_back(worker_child(from, i));
  return all;
}

}  // namespace egress
