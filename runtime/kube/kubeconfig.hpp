#pragma once
// Where the API server is: --kubeconfig, the service account of a pod, $KUBECONFIG, ~/.kube/config.

#include <string>
#include <vector>

#include "runtime/base/environment.hpp"
#include "runtime/base/result.hpp"
#include "runtime/kube/connection_config.hpp"

namespace egress::kube {

struct kubeconfig_file {
  std::string path;  // relative paths inside are relative to its folder
  std::string text;
};

// Pure. Several files are merged as kubectl does: the first that names a cluster, user, context or the
// current context wins. `context` "" is the current one. Errors name the file and the field.
result<connection_config> parse_kubeconfigs(const std::vector<kubeconfig_file>& files,
                                            const std::string& context);

// Reads what there is, in the order above. `service_account` is the folder of the pod's token and CA.
result<connection_config> load_connection(
    const std::string& kubeconfig, const std::string& context, environment_lookup environment,
    const std::string& service_account = "/var/run/secrets/kubernetes.io/serviceaccount");

}  // namespace egress::kube
