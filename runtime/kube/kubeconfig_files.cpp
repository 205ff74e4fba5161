#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/kube/kubeconfig.hpp"
#include "runtime/kube/text_file.hpp"

namespace egress::kube {
namespace {

std::string variable(environment_lookup environment, const char* name) {
  const auto* value = environment(name);
  return value ? value : "";
}

result<kubeconfig_file> read(const std::string& path) {
  auto text = read_text_file(path, "kubeconfig");
  if (!text) return std::unexpected(text.error());
  return kubeconfig_file{path, std::move(*text)};
}

result<connection_config> from_files(const std::vector<std::string>& paths, const std::string& context,
                                     bool all_must_exist) {
  std::vector<kubeconfig_file> files;
  for (const auto& path : paths) {
    if (!all_must_exist && !std::filesystem::exists(path)) continue;
    auto file = read(path);
    if (!file) return std::unexpected(file.error());
    files.push_back(std::move(*file));
  }
  if (files.empty())
    return fail("kubeconfig {}: the file does not exist", paths.empty() ? "" : paths.front());
  return parse_kubeconfigs(files, context);
}

connection_config in_cluster(const std::string& host, const std::string& port, const std::string& folder) {
  connection_config made;
  const auto bracketed = host.find(':') == std::string::npos ? host : "[" + host + "]";
  made.server = "https://" + bracketed + ":" + port;
  made.certificate_authority.file = folder + "/ca.crt";
  made.token_file = folder + "/token";
  // Absent from accounts that are not projected as usual: then there is no default.
  std::ifstream(folder + "/namespace") >> made.default_namespace;
  return made;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> all;
  std::istringstream in(list);
  for (std::string one; std::getline(in, one, ':');)
    if (!one.empty()) all.push_back(one);
  return all;
}

}  // namespace

result<connection_config> load_connection(const std::string& kubeconfig, const std::string& context,
                                          environment_lookup environment,
                                          const std::string& service_account) {
  if (!kubeconfig.empty()) return from_files({kubeconfig}, context, true);
  const auto host = variable(environment, "KUBERNETES_SERVICE_HOST");
  const auto port = variable(environment, "KUBERNETES_SERVICE_PORT");
  if (!host.empty() && !port.empty() && std::filesystem::exists(service_account + "/token"))
    return in_cluster(host, port, service_account);
  if (const auto list = split(variable(environment, "KUBECONFIG")); !list.empty())
    return from_files(list, context, false);
  const auto home = variable(environment, "HOME");
  const auto usual = home + "/.kube/config";
  if (!home.empty() && std::filesystem::exists(usual)) return from_files({usual}, context, true);
  return fail(
      "no API server is known: give --kubeconfig, set KUBECONFIG, or run in a pod with a service account; "
      "`egress-operator dev` needs none");
}

}  // namespace egress::kube
