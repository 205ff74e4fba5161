#include "runtime/kube/kind.hpp"

namespace egress::kube {
namespace {

// In the order of the enumeration.
constexpr std::array infos{
    kind_info{"ExternalService", "egress.monzo.com/v1", "externalservices", false},
    kind_info{"ConfigMap", "v1", "configmaps", true},
    kind_info{"Deployment", "apps/v1", "deployments", true},
    kind_info{"HorizontalPodAutoscaler", "autoscaling/v1", "horizontalpodautoscalers", true},
    kind_info{"Service", "v1", "services", true},
    kind_info{"NetworkPolicy", "networking.k8s.io/v1", "networkpolicies", true},
    kind_info{"PodDisruptionBudget", "policy/v1", "poddisruptionbudgets", true},
    kind_info{"Event", "v1", "events", true},
    kind_info{"Lease", "coordination.k8s.io/v1", "leases", true},
};

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// With a name, a subresource and a query behind it.
constexpr std::size_t usual_target = 160;

// RFC 3986: a name can neither leave its segment nor begin a query, whatever is in it.
void append_segment(std::string& path, std::string_view segment) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  path += '/';
  if (segment == "." || segment == "..") {  // a client or proxy may remove dot segments
    for (std::size_t i = 0; i < segment.size(); ++i) path += "%2E";
    return;
  }
  for (const char c : segment) {
    const auto byte = static_cast<unsigned char>(c);
    if (unreserved(c)) {
      path += c;
    } else {
      path += '%';
      path += digits[byte >> 4U];
      path += digits[byte & 15U];
    }
  }
}

}  // namespace

const kind_info& info(kind of) {
  return infos[static_cast<std::size_t>(of)];
}

std::string collection_path(kind of, std::string_view name_space) {
  const auto& which = info(of);
  // The core group has no name and lives below /api.
  std::string path;
  path.reserve(usual_target);
  path = which.api_version.contains('/') ? "/apis/" : "/api/";
  path += which.api_version;
  if (which.namespaced && !name_space.empty()) {
    path += "/namespaces";
    append_segment(path, name_space);
  }
  append_segment(path, which.plural);
  return path;
}

std::string object_path(kind of, std::string_view name_space, std::string_view name) {
  auto path = collection_path(of, name_space);
  append_segment(path, name);
  return path;
}

}  // namespace egress::kube
