#include "runtime/base/environment.hpp"

#include <array>
#include <charconv>
#include <limits>

namespace egress {
namespace {

constexpr std::array variables{
    variable_help{"ENVOY_IMAGE", "image of the gateways (default: the profile's Envoy)"},
    variable_help{"ENABLE_SERVICE_TOPOLOGY_MODE",
                  "true: annotate children with service.kubernetes.io/topology-mode"},
    variable_help{"TAINT_TOLERATION_KEY, TAINT_TOLERATION_VALUE",
                  "one NoSchedule toleration of the gateways' pods"},
    variable_help{"NODE_SELECTOR_KEY, NODE_SELECTOR_VALUE", "the label of the nodes that gateways run on"},
    variable_help{"ENABLE_POD_TOPOLOGY_SPREAD", "true: spread pods as the next variables say"},
    variable_help{"POD_TOPOLOGY_ZONE_MAX_SKEW", "how uneven zones may be (1 or more)"},
    variable_help{"POD_TOPOLOGY_ZONE_MAX_SKEW_KEY",
                  "node label of the zone (default: topology.kubernetes.io/zone)"},
    variable_help{"POD_TOPOLOGY_ZONE_WHEN_UNSATISFIABLE", "ScheduleAnyway (default) or DoNotSchedule"},
    variable_help{"POD_TOPOLOGY_HOSTNAME_MAX_SKEW, …_MAX_SKEW_KEY, POD_TOPOLOGY_HOSTNAME_WHEN_UNSATISFIABLE",
                  "the same for nodes (default key: kubernetes.io/hostname)"},
    variable_help{"KUBECONFIG", "kubeconfig files outside a cluster (default: ~/.kube/config)"},
};

// "true" or "false", as manifests write it; unset and empty are false.
result<bool> read_switch(environment_lookup environment, const char* name) {
  const char* raw = environment(name);
  const std::string_view value = raw ? raw : "";
  if (value == "true") return true;
  if (value.empty() || value == "false") return false;
  return fail("{}={}: must be true or false", name, value);
}

// Both variables or neither. The value may be empty (a taint without one), the key may not.
result<std::optional<key_value>> read_pair(environment_lookup environment, const char* key,
                                           const char* value) {
  const char* k = environment(key);
  const char* v = environment(value);
  const bool has_key = k && *k;
  const bool has_value = v && *v;
  if (!has_key && !has_value) return std::nullopt;
  if (!has_key) return fail("{}={} is set, but {} is not: set both or neither", value, v, key);
  if (!v) return fail("{}={} is set, but {} is not: set both or neither", key, k, value);
  return key_value{k, v};
}

result<std::int64_t> read_skew(const char* name, std::string_view value) {
  std::int32_t skew = 0;
  const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), skew);
  if (code != std::errc{} || end != value.data() + value.size() || skew < 1)
    return fail("{}={}: must be a whole number from 1 to {}", name, value,
                std::numeric_limits<std::int32_t>::max());
  return skew;
}

struct spread_variables {
  const char *skew, *key, *when_unsatisfiable, *default_key;
};

// A constraint exists when its skew is set.
result<std::optional<topology_spread>> read_spread(environment_lookup environment,
                                                   const spread_variables& names) {
  const char* raw_skew = environment(names.skew);
  if (!raw_skew || !*raw_skew) return std::nullopt;
  const auto skew = read_skew(names.skew, raw_skew);
  if (!skew) return std::unexpected(skew.error());
  topology_spread spread{.max_skew = *skew, .topology_key = names.default_key};
  if (const char* key = environment(names.key); key && *key) spread.topology_key = key;
  if (const char* when = environment(names.when_unsatisfiable); when && *when)
    spread.when_unsatisfiable = when;
  if (spread.when_unsatisfiable != "ScheduleAnyway" && spread.when_unsatisfiable != "DoNotSchedule")
    return fail("{}={}: must be ScheduleAnyway or DoNotSchedule", names.when_unsatisfiable,
                spread.when_unsatisfiable);
  return spread;
}

constexpr spread_variables zone{"POD_TOPOLOGY_ZONE_MAX_SKEW", "POD_TOPOLOGY_ZONE_MAX_SKEW_KEY",
                                "POD_TOPOLOGY_ZONE_WHEN_UNSATISFIABLE", "topology.kubernetes.io/zone"};
constexpr spread_variables hostname{"POD_TOPOLOGY_HOSTNAME_MAX_SKEW", "POD_TOPOLOGY_HOSTNAME_MAX_SKEW_KEY",
                                    "POD_TOPOLOGY_HOSTNAME_WHEN_UNSATISFIABLE", "kubernetes.io/hostname"};

// Wrong values are refused even while the switch is off: they would surprise whoever turns it on.
result<std::vector<topology_spread>> read_spreads(environment_lookup environment) {
  const auto enabled = read_switch(environment, "ENABLE_POD_TOPOLOGY_SPREAD");
  if (!enabled) return std::unexpected(enabled.error());
  std::vector<topology_spread> spreads;
  for (const auto& names : {zone, hostname}) {
    auto spread = read_spread(environment, names);
    if (!spread) return std::unexpected(spread.error());
    if (*spread) spreads.push_back(**spread);
  }
  if (!*enabled) spreads.clear();
  return spreads;
}

}  // namespace

result<void> apply_environment(environment_lookup environment, gateway_settings& settings) {
  if (const char* image = environment("ENVOY_IMAGE"); image && *image) settings.image = image;
  if (settings.image.find_first_of(" \t\r\n") != std::string::npos)
    return fail("ENVOY_IMAGE={}: an image's name has no blanks", settings.image);
  const auto topology_mode = read_switch(environment, "ENABLE_SERVICE_TOPOLOGY_MODE");
  if (!topology_mode) return std::unexpected(topology_mode.error());
  auto toleration = read_pair(environment, "TAINT_TOLERATION_KEY", "TAINT_TOLERATION_VALUE");
  if (!toleration) return std::unexpected(toleration.error());
  auto selector = read_pair(environment, "NODE_SELECTOR_KEY", "NODE_SELECTOR_VALUE");
  if (!selector) return std::unexpected(selector.error());
  auto spreads = read_spreads(environment);
  if (!spreads) return std::unexpected(spreads.error());
  settings.service_topology_mode = *topology_mode;
  settings.toleration = std::move(*toleration);
  settings.node_selector = std::move(*selector);
  settings.topology_spreads = std::move(*spreads);
  return {};
}

std::span<const variable_help> environment_help() {
  return variables;
}

}  // namespace egress
