#pragma once
// The command line as a value. Flags keep the form of the program we replace: --flag value, --flag=value,
// -flag, booleans bare or =true. Flags win over environment variables.

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/environment.hpp"
#include "runtime/base/log_options.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/settings.hpp"
#include "runtime/base/upstream_policy.hpp"

namespace egress {

// --dns-log: off, errors (all but NOERROR and NXDOMAIN), all, or of all every one_in-th.
struct dns_log_options {
  enum class queries : std::uint8_t { none, errors, all };
  queries which = queries::none;
  unsigned one_in = 1;
};

struct dns_options {
  std::string address = ":5353";
  // "ADDR", "ADDR:PORT", "tls://ADDR:PORT#NAME"; empty: the nameservers of resolv_conf
  std::vector<std::string> upstreams;
  std::vector<std::string> forwards;  // "DOMAIN=SERVER,SERVER": domains with upstreams of their own
  upstream_policy policy = upstream_policy::least_outstanding;
  std::string resolv_conf = "/etc/resolv.conf";
  std::chrono::seconds ttl{5};
  std::chrono::seconds max_ttl{30};
  std::vector<std::string> allow;                      // CIDRs; empty: loopback, link-local, private ranges
  std::string snapshot;                                // file of the saved hijack table; "" saves none
  unsigned workers = 0;                                // 0: one a core
  unsigned max_concurrent = 1000;                      // forwarded queries in flight, of each domain
  std::uint64_t cache_size = std::uint64_t{64} << 20;  // bytes, of all workers; 0: no cache
  dns_log_options log;
};

// What `run` does; `dev`, `render` and `validate` take its flags, too (`dev` but for those that name a
// server).
struct run_options {
  std::string kubeconfig, context;
  std::string metrics_address = ":8080";
  bool leader_election = false;
  std::chrono::seconds lease_duration{30};  // the election's other times keep their proportion to it
  unsigned max_concurrent_reconciles = 16;
  double kube_api_qps = 0;   // 0: no limit of ours
  bool paged_lists = false;  // no streaming lists
  bool gzip_lists = false;   // pages are asked for compressed
  // What a watch is asked to last at least; each is asked for a random time up to twice this.
  std::chrono::seconds watch_timeout{300};
  dns_options dns;
  gateway_settings gateways;
  log_options log;
};

struct dev_options {
  run_options run;
  std::vector<std::string> files;  // -f FILE|DIR
  bool api_only = false;
  std::string api_address = "127.0.0.1:0";
  std::string kubeconfig_out;  // where to write the kubeconfig; "" is a file in a new folder under /tmp
  std::string service_range = "127.96.0.0/12";
  std::string envoy;       // gateways are processes of this program; "" plays them
  std::string envoy_logs;  // "" is a new folder under /tmp
};

struct render_options {
  run_options run;
  std::vector<std::string> files;
  bool as_json = false;  // -o json
};

struct validate_options {
  run_options run;
  std::vector<std::string> files;
};

struct version_options {};
struct help_options {
  std::string text;  // what --help prints
};

using command =
    std::variant<run_options, dev_options, render_options, validate_options, version_options, help_options>;

// Pure: the words after the program's name, and environment variables (null where unset) by a lookup.
// An error's line names the flag or the variable; the caller exits with 2.
result<command> parse_command_line(const std::vector<std::string>& words, environment_lookup environment);

}  // namespace egress
