#include "runtime/base/command_flags.hpp"

#include <algorithm>

#include "runtime/base/flag_values.hpp"

namespace egress {

namespace values = flag_values;

const std::array<command_info, 5> commands{
    command_info{
        "run", "the operator, in a cluster or by kubeconfig (the default command)", "[run] [flags]", run_bit,
        "Makes a gateway (ConfigMap, Deployment, autoscaler, Service, NetworkPolicy) for every\n"
        "ExternalService, and answers DNS queries for their names with the gateway's address.\n"
        "In a cluster it uses its service account; elsewhere --kubeconfig, $KUBECONFIG or ~/.kube/config.\n\n"
        "  egress-operator run --kubeconfig ~/.kube/config --dns-addr 127.0.0.1:5353 --log-format text\n"},
    command_info{
        "dev", "the operator on an embedded API server that kubectl can use: no cluster needed",
        "dev [-f FILE|DIR]… [flags]", dev_bit,
        "Starts an API server in memory on loopback, loads the files into it, runs the operator on it, and\n"
        "prints the kubeconfig's path and what to try. Takes the flags of `run` too, but for those that name "
        "a server.\n"
        "With --envoy every gateway is an Envoy on its Service's ClusterIP, which is on loopback: one "
        "process\n"
        "a Deployment, whose replicas are ready together. Envoy resolves names by the operator's upstreams,\n"
        "plain ones only. Ports below 1024 are for root.\n\n"
        "  egress-operator dev -f deploy/samples\n"
        "  dig @127.0.0.1 -p 5353 NAME\n"},
    command_info{"render", "print the children of ExternalServices, for GitOps and review: no cluster needed",
                 "render -f FILE… [-o yaml|json] [flags]", render_bit,
                 "Writes to stdout a v1 List of the objects that the operator would make. Takes the flags of "
                 "`run` too:\n"
                 "those about gateways change the output.\n\n"
                 "  egress-operator render -f externalservice.yaml --gateway-profile compatible\n"},
    command_info{"validate", "say whether the operator would accept ExternalServices; exit 1 when refused",
                 "validate -f FILE… [flags]", validate_bit,
                 "Prints one line for each ExternalService: what its condition Accepted would say.\n\n"
                 "  egress-operator validate -f externalservice.yaml\n"},
    command_info{"version", "print version, commit and library versions", "version", version_bit,
                 "Prints what this program was built from.\n"},
};

const command_info* find_command(std::string_view name) {
  const auto found = std::ranges::find(commands, name, &command_info::name);
  return found == commands.end() ? nullptr : &*found;
}

namespace {

constexpr unsigned takes_run_flags = run_bit | dev_bit | render_bit | validate_bit;
constexpr unsigned takes_files = dev_bit | render_bit | validate_bit;

flag value_flag(std::string name, std::string placeholder, std::string help, std::string fallback,
                values::setter set) {
  return {.name = std::move(name),
          .placeholder = std::move(placeholder),
          .help = std::move(help),
          .fallback = std::move(fallback),
          .set = std::move(set)};
}

flag bool_flag(std::string name, std::string help, bool& into) {
  return {.name = std::move(name),
          .help = std::move(help),
          .fallback = into ? "true" : "false",
          .set = values::boolean(into)};
}

void add_group(flag_set& flags, std::string_view group, unsigned of_commands, std::vector<flag> members) {
  for (auto& member : members) {
    member.group = group;
    member.commands = of_commands;
    flags.add(std::move(member));
  }
}

void bind_own(flag_set& flags, all_options& into) {
  auto filename = value_flag("f", "FILE|DIR", "file or folder of YAML or JSON, - for stdin; repeatable", "",
                             values::repeated(into.files, values::not_empty));
  filename.alias = "filename";
  add_group(flags, "Input and output", takes_files, {filename});
  auto output = value_flag("o", "yaml|json", "format of the output", into.as_json ? "json" : "yaml",
                           values::choice(into.as_json, {{"yaml", false}, {"json", true}}));
  output.alias = "output";
  add_group(flags, "Input and output", render_bit, {output});
}

void bind_dev(flag_set& flags, dev_options& dev) {
  add_group(
      flags, "Embedded API server", dev_bit,
      {bool_flag("api-only", "only the API server, for an operator in another process", dev.api_only),
       value_flag("api-addr", "ADDR", "where it listens (loopback; port 0 is any)", dev.api_address,
                  values::text(dev.api_address, values::listen_address)),
       value_flag("kubeconfig-out", "FILE",
                  "where to write its kubeconfig (default: a new folder under /tmp)", dev.kubeconfig_out,
                  values::text(dev.kubeconfig_out, values::not_empty)),
       value_flag("service-cluster-ip-range", "CIDR", "where Services get their addresses", dev.service_range,
                  values::text(dev.service_range, values::cidr)),
       value_flag("envoy", "FILE",
                  "run gateways: a process of this Envoy for each (default: they are played)", dev.envoy,
                  values::text(dev.envoy, values::not_empty)),
       value_flag("envoy-logs", "DIR",
                  "for gateways' logs and configurations (default: a new folder under /tmp, which stays)",
                  dev.envoy_logs, values::text(dev.envoy_logs, values::not_empty))});
}

void bind_kubernetes(flag_set& flags, run_options& run) {
  add_group(flags, "Kubernetes", takes_run_flags & ~dev_bit,  // which has a server of its own
            {value_flag("kubeconfig", "FILE", "kubeconfig to use outside a cluster", run.kubeconfig,
                        values::text(run.kubeconfig)),
             value_flag("context", "NAME", "context of the kubeconfig (default: its current one)",
                        run.context, values::text(run.context))});
  add_group(
      flags, "Kubernetes", takes_run_flags,
      {value_flag("namespace", "NAME", "where the gateways live", run.gateways.name_space,
                  values::text(run.gateways.name_space, values::namespace_name)),
       value_flag("cluster-domain", "DOMAIN", "the cluster's domain: no name in it is hijacked",
                  run.gateways.cluster_domain,
                  values::text(run.gateways.cluster_domain, values::domain_name)),
       bool_flag("enable-leader-election", "write only while holding the Lease; DNS is served regardless",
                 run.leader_election),
       value_flag("leader-elect-lease-duration", "DURATION",
                  "how long a dead leader's Lease is left alone; a leader writes two thirds of it",
                  values::to_text(run.lease_duration),
                  values::duration(run.lease_duration, std::chrono::seconds{3}, std::chrono::seconds{3600})),
       value_flag("max-concurrent-reconciles", "N",
                  "ExternalServices worked on at once, and connections for requests",
                  fmt::format("{}", run.max_concurrent_reconciles),
                  values::whole(run.max_concurrent_reconciles, 1, 1000)),
       value_flag("kube-api-qps", "N", "requests a second to the API server, 0 is no limit of ours",
                  fmt::format("{}", run.kube_api_qps), values::real(run.kube_api_qps, 0, 100'000)),
       bool_flag("kube-paged-lists", "no streaming lists: short lists come page by page, too",
                 run.paged_lists),
       bool_flag("kube-gzip-lists", "ask for compressed pages: less network, more of the API server's CPU",
                 run.gzip_lists),
       value_flag(
           "kube-watch-timeout", "DURATION",
           "how long a watch lasts before it is asked for again: up to twice this, at random",
           values::to_text(run.watch_timeout),
           values::duration(run.watch_timeout, std::chrono::seconds{10}, std::chrono::seconds{3600}))});
}

void bind_gateways(flag_set& flags, gateway_settings& gateways) {
  add_group(
      flags, "Gateways", takes_run_flags,
      {value_flag("gateway-profile", "PROFILE",
                  "hardened, or compatible: byte for byte what monzo/egress-operator makes", "hardened",
                  values::choice(gateways.profile, {{"compatible", gateway_profile::compatible},
                                                    {"hardened", gateway_profile::hardened}})),
       bool_flag("enable-pod-disruption-budgets", "give every gateway a PodDisruptionBudget",
                 gateways.pod_disruption_budgets),
       value_flag("gateway-drain-seconds", "N",
                  "how long a gateway that is to end serves on, for connections in flight (hardened)",
                  fmt::format("{}", gateways.drain_seconds), values::whole(gateways.drain_seconds, 0, 3600)),
       value_flag("private-range", "CIDR",
                  "of the cluster's own, if public: wildcards do not lead there; repeatable (hardened)", "",
                  values::list(gateways.private_ranges, values::cidr)),
       value_flag("metrics-from", "SELECTOR",
                  "labels of the pods that may scrape gateways, such as app=prometheus",
                  gateways.metrics_from, values::text(gateways.metrics_from, values::equality_selector))});
}

// off, errors, all, 1/N
values::setter query_log(dns_log_options& into) {
  return [&into](std::string_view value) -> result<void> {
    using queries = dns_log_options::queries;
    dns_log_options wanted;
    if (value == "errors")
      wanted.which = queries::errors;
    else if (value == "all")
      wanted.which = queries::all;
    else if (value.starts_with("1/") && values::whole(wanted.one_in, 1, 1'000'000)(value.substr(2)))
      wanted.which = queries::all;
    else if (value != "off")
      return fail("must be off, errors, all, or 1/N for one of N, 1000000 at most");
    into = wanted;
    return {};
  };
}

void bind_dns(flag_set& flags, dns_options& dns) {
  using std::chrono::seconds;
  add_group(
      flags, "DNS", takes_run_flags,
      {value_flag("dns-addr", "ADDR", "where DNS is served, over UDP and TCP", dns.address,
                  values::text(dns.address, values::listen_address)),
       value_flag("dns-ttl", "DURATION", "TTL of answers with a gateway's address", values::to_text(dns.ttl),
                  values::duration(dns.ttl, seconds{0}, seconds{3600})),
       value_flag("dns-max-ttl", "DURATION",
                  "upper bound of the TTL of forwarded addresses, aliases and SVCB",
                  values::to_text(dns.max_ttl), values::duration(dns.max_ttl, seconds{1}, seconds{86400})),
       value_flag("dns-allow", "CIDR",
                  "who may ask; repeatable (default: loopback, link-local and private ranges)", "",
                  values::list(dns.allow, values::cidr)),
       value_flag("dns-snapshot", "FILE",
                  "where the table of hijacked names is saved: a restart answers from it at once", "",
                  values::text(dns.snapshot, values::not_empty)),
       value_flag("dns-workers", "N", "threads that serve DNS, 0 is one a core",
                  fmt::format("{}", dns.workers), values::whole(dns.workers, 0, 256)),
       value_flag("dns-max-concurrent", "N",
                  "forwarded queries in flight a domain, divided by the workers; more are refused",
                  fmt::format("{}", dns.max_concurrent), values::whole(dns.max_concurrent, 1, 1'000'000)),
       value_flag("dns-cache-size", "BYTES", "memory for forwarded answers, such as 64Mi; 0 is no cache",
                  values::byte_size_text(dns.cache_size),
                  values::byte_size(dns.cache_size, std::uint64_t{1} << 20, std::uint64_t{64} << 30)),
       value_flag("dns-log", "WHICH",
                  "queries written to stdout as JSON lines: off, errors, all, or 1/N for one of N", "off",
                  query_log(dns.log))});
}

void bind_forwarding(flag_set& flags, dns_options& dns) {
  using enum upstream_policy;
  add_group(
      flags, "DNS", takes_run_flags,
      {value_flag(
           "dns-upstream", "SERVER",
           "for other names: IP[:PORT], tls://IP[:PORT]#NAME; repeatable (default: --dns-resolv-conf's)", "",
           values::list(dns.upstreams, values::dns_server)),
       value_flag("dns-forward", "DOMAIN=SERVER[,SERVER…]",
                  "servers for the names of one domain, such as cluster.local=10.96.0.10; repeatable", "",
                  values::repeated(dns.forwards, values::dns_forward)),
       value_flag("dns-policy", "POLICY",
                  "whom to ask first: least_outstanding (default), round_robin, random or sequential", "",
                  values::choice(dns.policy, {{"least_outstanding", least_outstanding},
                                              {"round_robin", round_robin},
                                              {"random", random},
                                              {"sequential", sequential}})),
       value_flag("dns-resolv-conf", "FILE", "names the upstreams when --dns-upstream does not; followed",
                  dns.resolv_conf, values::text(dns.resolv_conf, values::not_empty))});
}

void bind_observing(flag_set& flags, run_options& run) {
  add_group(
      flags, "Observing", takes_run_flags,
      {value_flag("metrics-addr", "ADDR", "where /metrics, /healthz, /readyz and /statusz are served",
                  run.metrics_address, values::text(run.metrics_address, values::listen_address)),
       value_flag("log-format", "FORMAT", "json or text", "json",
                  values::choice(run.log.format, {{"json", log_format::json}, {"text", log_format::text}})),
       value_flag("log-level", "LEVEL", "debug, info, warn or error", "info",
                  values::choice(run.log.level, {{"debug", log_level::debug},
                                                 {"info", log_level::info},
                                                 {"warn", log_level::warn},
                                                 {"error", log_level::error}}))});
}

}  // namespace

flag_set bind_flags(all_options& into) {
  flag_set flags;
  bind_own(flags, into);
  bind_dev(flags, into.dev);
  bind_kubernetes(flags, into.run);
  bind_gateways(flags, into.run.gateways);
  bind_dns(flags, into.run.dns);
  bind_forwarding(flags, into.run.dns);
  bind_observing(flags, into.run);
  auto help = bool_flag("help", "print this", into.help);
  help.alias = "h";
  help.fallback.clear();
  add_group(flags, "Help", ~0u, {help});
  return flags;
}

}  // namespace egress
