#include "runtime/kube/kubeconfig.hpp"

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <optional>

#include "runtime/kube/base64.hpp"

namespace egress::kube {
namespace {

// An entry of clusters, users or contexts, and the file it is from.
struct entry {
  YAML::Node node;
  const kubeconfig_file* file = nullptr;
};

struct parsed_file {
  const kubeconfig_file* file;
  YAML::Node root;
};

std::string text_of(const YAML::Node& from, const char* key) {
  if (!from || !from.IsMap()) return "";
  const auto found = from[key];
  return found && found.IsScalar() ? found.Scalar() : "";
}

bool flag_of(const YAML::Node& from, const char* key) {
  return text_of(from, key) == "true";
}

result<std::vector<parsed_file>> parse_all(const std::vector<kubeconfig_file>& files) {
  std::vector<parsed_file> all;
  for (const auto& file : files) {
    try {
      all.push_back({&file, YAML::Load(file.text)});
    } catch (const YAML::Exception& e) {
      return fail("kubeconfig {}:{}: {}", file.path, e.mark.line + 1, e.msg);
    }
    if (all.back().root && !all.back().root.IsNull() && !all.back().root.IsMap())
      return fail("kubeconfig {}: it is no mapping; is it a kubeconfig?", file.path);
  }
  return all;
}

// The entry `name` of the list `list`, whose content stands under `inner`.
result<entry> find(const std::vector<parsed_file>& files, const char* list, const char* inner,
                   const std::string& name) {
  for (const auto& [file, root] : files) {
    if (!root.IsMap() || !root[list] || !root[list].IsSequence()) continue;
    for (const auto& one : root[list])
      if (text_of(one, "name") == name) return entry{one[inner], file};
  }
  return fail("kubeconfig {}: there is no entry {:?} in {}", files.empty() ? "" : files.front().file->path,
              name, list);
}

std::string resolve(const std::string& path, const entry& of) {
  if (path.empty() || path.front() == '/') return path;
  // Absolute, or a command beside a kubeconfig that is itself named without a folder would be looked for in
  // PATH.
  std::error_code no_folder;
  const auto file = std::filesystem::absolute(of.file->path, no_folder);
  return (file.parent_path() / path).lexically_normal().string();
}

result<pem_source> pem(const entry& of, const char* key) {
  pem_source made;
  const auto data_key = std::string{key} + "-data";
  if (const auto data = text_of(of.node, data_key.c_str()); !data.empty()) {
    auto decoded = from_base64(data);
    if (!decoded) return fail("kubeconfig {}: {} is not base64", of.file->path, data_key);
    made.data = std::move(*decoded);
    return made;
  }
  made.file = resolve(text_of(of.node, key), of);
  return made;
}

result<void> read_cluster(const entry& from, connection_config& into) {
  into.server = text_of(from.node, "server");
  if (into.server.empty()) return fail("kubeconfig {}: the cluster has no server", from.file->path);
  if (const auto proxy = text_of(from.node, "proxy-url"); !proxy.empty())
    return fail("kubeconfig {}: the cluster's proxy-url {} cannot be used: connect directly", from.file->path,
                proxy);
  into.tls_server_name = text_of(from.node, "tls-server-name");
  into.insecure_skip_tls_verify = flag_of(from.node, "insecure-skip-tls-verify");
  auto authority = pem(from, "certificate-authority");
  if (!authority) return std::unexpected(authority.error());
  into.certificate_authority = std::move(*authority);
  return {};
}

result<exec_plugin> read_exec(const entry& from, const YAML::Node& node) {
  exec_plugin made;
  made.api_version = text_of(node, "apiVersion");
  made.command = text_of(node, "command");
  made.install_hint = text_of(node, "installHint");
  if (made.api_version != "client.authentication.k8s.io/v1" &&
      made.api_version != "client.authentication.k8s.io/v1beta1")
    return fail("kubeconfig {}: exec.apiVersion {:?} is not client.authentication.k8s.io/v1 or v1beta1",
                from.file->path, made.api_version);
  if (made.command.empty()) return fail("kubeconfig {}: exec has no command", from.file->path);
  // A command with a slash that is not absolute is relative to the file, as kubectl has it.
  if (made.command.find('/') != std::string::npos) made.command = resolve(made.command, from);
  if (node["args"] && node["args"].IsSequence())
    for (const auto& one : node["args"]) made.args.push_back(one.IsScalar() ? one.Scalar() : "");
  if (node["env"] && node["env"].IsSequence())
    for (const auto& one : node["env"]) made.env[text_of(one, "name")] = text_of(one, "value");
  return made;
}

result<void> read_user(const entry& from, connection_config& into) {
  auto certificate = pem(from, "client-certificate");
  if (!certificate) return std::unexpected(certificate.error());
  auto key = pem(from, "client-key");
  if (!key) return std::unexpected(key.error());
  into.client_certificate = std::move(*certificate);
  into.client_key = std::move(*key);
  into.token = text_of(from.node, "token");
  into.token_file = resolve(text_of(from.node, "tokenFile"), from);
  // As in client-go, a token file goes before a token.
  if (!into.token_file.empty()) into.token.clear();
  if (from.node && from.node.IsMap() && from.node["exec"] && from.node["exec"].IsMap()) {
    auto plugin = read_exec(from, from.node["exec"]);
    if (!plugin) return std::unexpected(plugin.error());
    into.exec = std::move(*plugin);
  }
  if (from.node && from.node.IsMap() && (from.node["auth-provider"] || from.node["username"]))
    return fail(
        "kubeconfig {}: auth-provider and username/password are not supported; use a token, a certificate or "
        "exec",
        from.file->path);
  return {};
}

}  // namespace

result<connection_config> parse_kubeconfigs(const std::vector<kubeconfig_file>& files,
                                            const std::string& context) {
  if (files.empty()) return fail("kubeconfig: no file is given");
  auto parsed = parse_all(files);
  if (!parsed) return std::unexpected(parsed.error());
  std::string chosen = context;
  for (const auto& one : *parsed)
    if (chosen.empty()) chosen = text_of(one.root, "current-context");
  if (chosen.empty())
    return fail("kubeconfig {}: it has no current-context; choose one with --context", files.front().path);
  const auto found = find(*parsed, "contexts", "context", chosen);
  if (!found) return std::unexpected(found.error());
  const auto cluster = find(*parsed, "clusters", "cluster", text_of(found->node, "cluster"));
  if (!cluster) return std::unexpected(cluster.error());

  connection_config made;
  made.default_namespace = text_of(found->node, "namespace");
  if (auto done = read_cluster(*cluster, made); !done) return std::unexpected(done.error());
  const auto user_name = text_of(found->node, "user");
  if (user_name.empty()) return made;
  const auto user = find(*parsed, "users", "user", user_name);
  if (!user) return std::unexpected(user.error());
  if (auto done = read_user(*user, made); !done) return std::unexpected(done.error());
  return made;
}

}  // namespace egress::kube
