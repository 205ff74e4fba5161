#include "runtime/program/dev_envoy.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "actors/dns/io/resolv_conf_watch.hpp"
#include "runtime/base/log.hpp"

namespace egress {
namespace {

result<dns::upstream_list> upstreams_of(const dns_options& options) {
  if (options.upstreams.empty()) return dns::read_resolv_conf(options.resolv_conf).servers;
  dns::upstream_list all;
  for (const auto& one : options.upstreams) {
    auto parsed = dns::parse_upstream(one);
    if (!parsed) return fail("--dns-upstream: {}", parsed.error().message);
    all.push_back(*std::move(parsed));
  }
  return all;
}

// A machine's resolv.conf may name the operator: gateways would be sent to themselves.
bool is_ours(const dns::upstream_address& server, const std::string& dns_address) {
  const auto colon = dns_address.rfind(':');
  if (dns_address.substr(colon + 1) != std::to_string(server.port())) return false;
  const auto text = dns::to_text(server);
  return server.address().is_loopback() || text == dns_address;
}

result<std::string> log_folder(const std::string& wanted) {
  std::error_code bad;
  if (!wanted.empty()) {
    std::filesystem::create_directories(wanted, bad);
    const auto path = bad ? std::filesystem::path{} : std::filesystem::absolute(wanted, bad);
    if (bad) return fail("--envoy-logs: {} is no folder to write to: {}", wanted, bad.message());
    return path.lexically_normal().string();
  }
  auto name = (std::filesystem::temp_directory_path(bad) / "egress-gateways-XXXXXX").string();
  if (bad || mkdtemp(name.data()) == nullptr)
    return fail("--envoy-logs: {} cannot be made: {}", name, bad ? bad.message() : std::strerror(errno));
  return name;
}

}  // namespace

result<std::vector<dev::name_server>> gateway_resolvers(const dns_options& dns) {
  const auto upstreams = upstreams_of(dns);
  if (!upstreams) return std::unexpected(upstreams.error());
  std::vector<dev::name_server> all;
  for (const auto& one : *upstreams)
    if (one.tls_name.empty() && !is_ours(one.address, dns.address))
      all.push_back({one.address.address().to_string(), one.address.port()});
  return all;
}

result<void> set_up_envoy(const dev_options& options, dev::dev_server_options& into) {
  if (options.envoy.empty()) return {};
  if (access(options.envoy.c_str(), X_OK) != 0 || std::filesystem::is_directory(options.envoy))
    return fail("--envoy: {} is no program that can be run", options.envoy);
  if (!options.service_range.starts_with("127."))
    return fail(
        "--service-cluster-ip-range: with --envoy it must be in 127.0.0.0/8, where gateways can listen");
  auto resolvers = gateway_resolvers(options.run.dns);
  if (!resolvers) return std::unexpected(resolvers.error());
  if (resolvers->empty())
    log::warn(
        "gateways resolve no names: Envoy needs a DNS server over UDP that is not this operator; give "
        "--dns-upstream IP[:PORT]");
  auto folder = log_folder(options.envoy_logs);
  if (!folder) return std::unexpected(folder.error());
  into.cluster.run_gateways = *std::move(resolvers);
  into.envoy = {std::filesystem::absolute(options.envoy).string(), *std::move(folder)};
  return {};
}

}  // namespace egress
