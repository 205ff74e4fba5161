#pragma once
// Where the API server is and who we are there: the outcome of reading a kubeconfig or the in-cluster files.

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace egress::kube {

// An exec credential plugin (client.authentication.k8s.io v1, v1beta1).
struct exec_plugin {
  std::string api_version, command;
  std::vector<std::string> args;
  std::map<std::string, std::string> env;
  std::string install_hint;
};

// PEM text, or the file to (re-)read it from; both empty when there is none.
struct pem_source {
  std::string data, file;
};

struct connection_config {
  std::string server;  // "https://10.0.0.1:443", scheme included
  pem_source certificate_authority, client_certificate, client_key;
  std::string tls_server_name;  // SNI and the name verified; "" is the server's host
  bool insecure_skip_tls_verify = false;
  std::string token, token_file;  // token_file is re-read every 60 s, and at once on 401
  std::optional<exec_plugin> exec;
  std::string default_namespace;
};

}  // namespace egress::kube
