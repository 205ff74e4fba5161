#include "tests/integration/in_process.hpp"

#include <stdexcept>

#include "runtime/base/log.hpp"
#include "tests/support/raw_peer.hpp"

namespace egress::test {
namespace {

const char* no_environment(const char*) {
  return nullptr;
}

template <class T>
T value_of(result<T> made) {
  if (!made) throw std::runtime_error(made.error().message);
  return std::move(*made);
}

std::uint16_t port_of(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

const dev::resource& resource_of(const std::string& plural) {
  for (const auto& one : dev::all_resources())
    if (one.plural == plural) return one;
  throw std::runtime_error("no such resource: " + plural);
}

}  // namespace

in_process_world::in_process_world() {
  log::configure({log_format::text, log_level::error});
  dev::dev_server_options options;
  options.cluster.readiness_delay = milliseconds{10};
  server_ = value_of(dev::dev_server::start(options, no_environment));
  operator_setup setup;
  setup.version = "test";
  setup.api.server = server_->url();
  setup.options.metrics_address = "127.0.0.1:0";
  setup.options.dns.address = "127.0.0.1:0";
  setup.options.dns.upstreams = {"127.0.0.1:1"};  // nobody there: what is forwarded fails, never leaks
  setup.times.lame_duck = seconds{0};
  operator_ = value_of(egress_operator::start(std::move(setup)));
}

in_process_world::~in_process_world() = default;

std::uint16_t in_process_world::dns_port() const {
  return port_of(operator_->dns_address());
}

std::string in_process_world::page(const std::string& path) const {
  raw_peer client(port_of(operator_->metrics_address()));
  client.send("GET " + path + " HTTP/1.1\r\nHost: operator\r\nConnection: close\r\n\r\n");
  return client.read_all();
}

void in_process_world::apply(const std::string& name, const std::string& dns_name) {
  const json::object manifest{{"apiVersion", "egress.monzo.com/v1"},
                              {"kind", "ExternalService"},
                              {"metadata", json::object{{"name", name}}},
                              {"spec", json::object{{"dnsName", dns_name},
                                                    {"hijackDns", true},
                                                    {"ports", json::array{json::object{{"port", 443}}}}}}};
  if (auto done = server_->apply(manifest); !done) throw std::runtime_error(done.error().message);
}

void in_process_world::remove_external_service(const std::string& name) {
  server_->run([&](dev::cluster& on, dev::fault_table&) {
    dev::delete_options with;
    with.now = std::chrono::system_clock::now();
    (void)on.remove(resource_of("externalservices"), {"", name}, with);
  });
}

void in_process_world::remove(const std::string& plural, const std::string& name) {
  server_->run([&](dev::cluster& on, dev::fault_table&) {
    dev::delete_options with;
    with.now = std::chrono::system_clock::now();
    (void)on.remove(resource_of(plural), {"egress-operator-system", name}, with);
  });
}

bool in_process_world::ready(const std::string& name) {
  return server_->run([&](dev::cluster& on, dev::fault_table&) {
    const auto found = on.objects().find(resource_of("externalservices"), {"", name});
    if (!found) return false;
    const auto* status = found->if_contains("status");
    if (!status || !status->is_object()) return false;
    const auto* conditions = status->get_object().if_contains("conditions");
    if (!conditions || !conditions->is_array()) return false;
    for (const auto& one : conditions->get_array())
      if (one.at("type") == "Ready") return one.at("status") == "True";
    return false;
  });
}

bool in_process_world::has(const std::string& plural, const std::string& name) {
  const auto& what = resource_of(plural);
  return server_->run([&](dev::cluster& on, dev::fault_table&) {
    return bool(on.objects().find(what, {what.namespaced ? "egress-operator-system" : "", name}));
  });
}

std::string in_process_world::cluster_ip(const std::string& name) {
  return server_->run([&](dev::cluster& on, dev::fault_table&) -> std::string {
    const auto found = on.objects().find(resource_of("services"), {"egress-operator-system", name});
    return found ? std::string{found->at("spec").at("clusterIP").as_string()} : "";
  });
}

}  // namespace egress::test
