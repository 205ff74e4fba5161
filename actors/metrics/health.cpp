#include "actors/metrics/health.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace egress::metrics {

health_answer judge(std::string_view what, const std::vector<check>& checks, bool verbose) {
  health_answer made{std::ranges::all_of(checks, &check::ok), {}};
  for (const auto& one : checks) {
    if (!one.ok)
      made.body +=
          fmt::format("[-]{}: waits for {}\n", one.name, one.waits_for.empty() ? "itself" : one.waits_for);
    else if (verbose)
      made.body += fmt::format("[+]{} ok\n", one.name);
  }
  if (made.ok && !verbose)
    made.body = "ok\n";
  else
    made.body += fmt::format("{} check {}\n", what, made.ok ? "passed" : "failed");
  return made;
}

}  // namespace egress::metrics
