#include "tests/unit/render/samples.hpp"

#include <boost/json/parse.hpp>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/source_dir.hpp"

namespace egress::samples {
namespace {

kube::external_service_spec golden_spec(const std::string& file) {
  kube::external_service_spec spec;
  if (file == "minimal") {
    spec.dns_name = "api.github.com";
    spec.ports = {{443, "TCP"}};
  } else if (file == "readme-google") {
    spec.dns_name = "google.com";
    spec.ports = {{443, "TCP"}};
    spec.hijack_dns = true;
    spec.min_replicas = 5;
    spec.max_replicas = 10;
    spec.target_cpu_utilization_percentage = 30;
    spec.resources = {
        {.requests = {{"cpu", "1"}, {"memory", "100Mi"}}, .limits = {{"cpu", "2"}, {"memory", "200Mi"}}}};
  } else if (file == "udp-and-tcp") {
    spec.dns_name = "time.cloudflare.com";
    spec.hijack_dns = true;
    spec.ports = {{123, "UDP"}, {4460, "TCP"}};
  } else if (file == "override") {
    spec.dns_name = "gateway.bank.example";
    spec.hijack_dns = true;
    spec.ports = {{8443, "TCP"}, {11000, "TCP"}};
    spec.ip_override = {"192.0.2.10", "192.0.2.11"};
    spec.envoy_cluster_max_connections = 4096;
    spec.envoy_dns_refresh_rate_s = 30;
    spec.envoy_respect_dns_ttl = true;
  } else if (file == "json-logs-debug") {
    spec.dns_name = "logs.example.com";
    spec.ports = {{443, "TCP"}};
    spec.envoy_log_level = "debug";
    spec.envoy_json_admin_access_logs = true;
    spec.envoy_json_cluster_access_logs = true;
    spec.service_topology_mode = "Disabled";
  } else {
    throw std::invalid_argument(file);
  }
  return spec;
}

}  // namespace

kube::object external_service(std::string name, kube::external_service_spec spec) {
  kube::object made{.of = kube::kind::external_service, .meta = {}, .body = {}};
  made.meta.name = std::move(name);
  made.body = kube::external_service{.spec = std::move(spec), .status = {}, .undecodable = {}};
  return made;
}

kube::object external_service(std::string name) {
  kube::external_service_spec spec;
  spec.dns_name = "api.example.com";
  spec.ports = {{443, "TCP"}};
  return external_service(std::move(name), std::move(spec));
}

void change_spec(kube::object& of, const std::function<void(kube::external_service_spec&)>& edit) {
  auto changed = of.as_external_service();
  edit(changed.spec);
  of.body = std::move(changed);
}

kube::object golden(const std::string& file) {
  const auto metadata = file_json("tests/golden/" + file + ".json")["ConfigMap"].at("metadata");
  auto made = external_service(metadata.at("name").as_string().c_str(), golden_spec(file));
  made.meta.uid = metadata.at("ownerReferences").at(0).at("uid").as_string().c_str();
  return made;
}

gateway_settings compatible() {
  gateway_settings settings;
  settings.profile = gateway_profile::compatible;
  return settings;
}

gateway_settings hardened() {
  return {};
}

std::string file_text(const std::string& path) {
  std::ifstream in(std::string(testing::source_dir()) + "/" + path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

json::object file_json(const std::string& path) {
  return boost::json::parse(file_text(path)).as_object();
}

const json::value& at(const json::object& root, const std::string& pointer) {
  const json::value* now = nullptr;
  std::istringstream steps(pointer.substr(1));
  for (std::string step; std::getline(steps, step, '/');) {
    if (!now)
      now = &root.at(step);
    else
      now = now->is_array() ? &now->as_array().at(std::stoul(step)) : &now->as_object().at(step);
  }
  return *now;
}

}  // namespace egress::samples
