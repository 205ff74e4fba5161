#pragma once
// What /healthz and /readyz answer, from named checks. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace egress::metrics {

struct check {
  std::string name;  // "informer/Service"
  bool ok = false;
  std::string waits_for;  // one line, when not ok
};

struct health_state {
  std::vector<check> live;   // /healthz, /health
  std::vector<check> ready;  // /readyz, /ready
};

struct health_answer {
  bool ok = true;
  std::string body;
};

// "ok", or a line for each failed check and what it waits for. Verbose: a line for every check, as
// kube-apiserver's ?verbose has them.
health_answer judge(std::string_view what, const std::vector<check>& checks, bool verbose);

}  // namespace egress::metrics
