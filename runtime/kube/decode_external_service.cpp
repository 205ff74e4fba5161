#include <fmt/format.h>

#include <array>
#include <charconv>

#include "runtime/kube/decode_fields.hpp"

namespace egress::kube::fields {
namespace {

// Reads the members of one object of the spec; the first of a wrong type is remembered with its path, and
// reads as if it were absent.
class typed_reader {
 public:
  typed_reader(maybe in, std::string path, std::string& wrong) : path_(std::move(path)), wrong_(wrong) {
    if (in && in->type() != dom::element_type::OBJECT) {
      complain(path_, *in, "an object");
      in.reset();
    }
    in_ = in;
  }

  void read(std::string_view name, std::string& into) const {
    if (const auto found = of_type(name, dom::element_type::STRING, "a string")) into = text(found);
  }
  void read(std::string_view name, bool& into) const {
    if (const auto found = of_type(name, dom::element_type::BOOL, "a boolean")) into = boolean(found);
  }
  void read(std::string_view name, std::optional<bool>& into) const {
    if (const auto found = of_type(name, dom::element_type::BOOL, "a boolean")) into = boolean(found);
  }
  void read(std::string_view name, std::optional<std::int64_t>& into) const {
    const auto found = member(in_, name);
    if (!found) return;
    into = integer(found);
    if (!into) complain(below(name), *found, "an integer");
  }
  void read(std::string_view name, std::vector<std::string>& into) const {
    each(name, [&](dom::element item, const std::string& path) {
      if (item.type() == dom::element_type::STRING) {
        into.emplace_back(text(item));
      } else {
        complain(path, item, "a string");
      }
    });
  }

  template <class Visitor>
  void each(std::string_view name, Visitor&& visit) const {
    const auto found = of_type(name, dom::element_type::ARRAY, "a list");
    dom::array items;
    if (!found || found->get(items) != simdjson::SUCCESS) return;
    std::size_t index = 0;
    for (const auto item : items) visit(item, fmt::format("{}[{}]", below(name), index++));
  }

  typed_reader inside(std::string_view name) const { return {member(in_, name), below(name), wrong_}; }
  maybe self() const { return in_; }
  std::string below(std::string_view name) const { return path_ + "." + std::string(name); }

  void complain(const std::string& path, dom::element found, std::string_view wanted) const {
    if (!wrong_.empty()) return;
    // The largest integers are numbers too, but none that fits.
    const bool too_large = wanted == "an integer" && found.type() == dom::element_type::UINT64;
    wrong_ = too_large ? fmt::format("{}: an integer that is too large", path)
                       : fmt::format("{}: {} where {} belongs", path, type_name(found), wanted);
  }

 private:
  maybe of_type(std::string_view name, dom::element_type type, std::string_view wanted) const {
    auto found = member(in_, name);
    if (found && found->type() != type) {
      complain(below(name), *found, wanted);
      found.reset();
    }
    return found;
  }

  maybe in_;
  std::string path_;
  std::string& wrong_;
};

// A quantity may be written as a number; its decimal text is what counts.
std::optional<std::string> quantity_text(dom::element what) {
  std::string_view written;
  std::int64_t whole = 0;
  double fraction = 0;
  if (what.get(written) == simdjson::SUCCESS) return std::string(written);
  if (what.get(whole) == simdjson::SUCCESS) return std::to_string(whole);
  if (!what.is_number() || what.get(fraction) != simdjson::SUCCESS) return std::nullopt;
  std::array<char, 400> digits{};
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), fraction, std::chars_format::fixed);
  return std::string(digits.data(), end.ptr);
}

void read_quantities(const typed_reader& from, std::string_view name,
                     std::map<std::string, std::string>& into) {
  const auto list = from.inside(name);
  dom::object members;
  if (!list.self() || list.self()->get(members) != simdjson::SUCCESS) return;
  for (const auto [key, value] : members) {
    if (value.is_null()) continue;
    if (auto quantity = quantity_text(value)) {
      into.insert_or_assign(std::string(key), std::move(*quantity));
    } else {
      list.complain(list.below(key), value, "a quantity");
    }
  }
}

void read_ports(const typed_reader& spec, std::string& wrong, std::vector<service_port>& into) {
  spec.each("ports", [&](dom::element item, const std::string& path) {
    const typed_reader port(item.is_null() ? maybe{} : maybe{item}, path, wrong);
    auto& out = into.emplace_back();
    std::optional<std::int64_t> number;
    port.read("port", number);
    out.port = number.value_or(0);
    port.read("protocol", out.protocol);
    if (out.protocol.empty()) out.protocol = "TCP";
  });
}

void read_resources(const typed_reader& spec, std::optional<resource_requirements>& into) {
  const auto resources = spec.inside("resources");
  if (!resources.self()) return;
  into.emplace();
  read_quantities(resources, "requests", into->requests);
  read_quantities(resources, "limits", into->limits);
  resources.each("claims", [&](dom::element, const std::string&) { into->claims = true; });
}

external_service_spec read_spec(const maybe& object, std::string& wrong) {
  external_service_spec out;
  const typed_reader spec(member(object, "spec"), "spec", wrong);
  spec.read("dnsName", out.dns_name);
  read_ports(spec, wrong, out.ports);
  spec.read("hijackDns", out.hijack_dns);
  spec.read("minReplicas", out.min_replicas);
  spec.read("maxReplicas", out.max_replicas);
  spec.read("targetCPUUtilizationPercentage", out.target_cpu_utilization_percentage);
  read_resources(spec, out.resources);
  spec.read("ipOverride", out.ip_override);
  spec.read("envoyClusterMaxConnections", out.envoy_cluster_max_connections);
  spec.read("envoyLogLevel", out.envoy_log_level);
  spec.read("envoyDnsRefreshRateS", out.envoy_dns_refresh_rate_s);
  spec.read("envoyRespectDnsTTL", out.envoy_respect_dns_ttl);
  spec.read("serviceTopologyMode", out.service_topology_mode);
  spec.read("envoyJsonAdminAccessLogs", out.envoy_json_admin_access_logs);
  spec.read("envoyJsonClusterAccessLogs", out.envoy_json_cluster_access_logs);
  spec.inside("tls").read("sni", out.tls_sni);
  spec.read("configDelivery", out.config_delivery);
  spec.read("allowPrivate", out.allow_private);
  spec.read("dnsClients", out.dns_clients);
  return out;
}

// A view of the document.
condition_view read_condition(dom::element entry) {
  condition_view one;
  one.type = text(member(entry, "type"));
  one.status = text(member(entry, "status"));
  one.reason = text(member(entry, "reason"));
  one.message = text(member(entry, "message"));
  one.last_transition_time = text(member(entry, "lastTransitionTime"));
  one.observed_generation = integer(member(entry, "observedGeneration")).value_or(0);
  return one;
}

condition_list read_conditions(const maybe& list) {
  std::vector<condition_view> read;
  dom::array conditions;
  if (list && list->get(conditions) == simdjson::SUCCESS)
    for (const dom::element entry : conditions) read.push_back(read_condition(entry));
  return condition_list(read);
}

// Written by us; what somebody else made of it is read as far as it goes, and overwritten.
external_service_status read_status(const maybe& status) {
  external_service_status out;
  out.observed_generation = integer(member(status, "observedGeneration")).value_or(0);
  out.cluster_ip = text(member(status, "clusterIP"));
  out.ready_replicas = integer(member(status, "readyReplicas")).value_or(0);
  out.config_hash = text(member(status, "configHash"));
  out.ports = text(member(status, "ports"));
  out.conditions = read_conditions(member(status, "conditions"));
  return out;
}

}  // namespace

external_service read_external_service(dom::element object) {
  external_service out;
  out.spec = read_spec(object, out.undecodable);
  out.status = read_status(member(object, "status"));
  return out;
}

}  // namespace egress::kube::fields
