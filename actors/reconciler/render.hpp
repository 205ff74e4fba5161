#pragma once
// The commands render and validate, below their reading of files: ExternalServices in, text out. Pure.

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/base/settings.hpp"
#include "runtime/kube/object.hpp"

namespace egress::reconciler {

// All children as a v1 List, YAML or JSON, newline at the end: by the ExternalService's name, then in the
// order of kube::child_kinds. ownerReferences only for an ExternalService with a uid; hijackDns is
// waiting-for-pods. The error has one line for each ExternalService that is refused; then nothing is
// rendered.
result<std::string> render_list(const std::vector<kube::object_ptr>& external_services,
                                const gateway_settings& settings, bool as_json);

struct report {
  std::string text;      // one line an ExternalService, by name
  bool refused = false;  // any of them
};

// What the condition Accepted would say of each, dnsNames that more than one claims included.
report validate_report(const std::vector<kube::object_ptr>& external_services,
                       const gateway_settings& settings);

}  // namespace egress::reconciler
