#include "runtime/devserver/ended_how.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

namespace egress::dev {
namespace {

std::string_view last_line(std::string_view text) {
  const auto end = text.find_last_not_of("\r\n \t");
  if (end == std::string_view::npos) return "";
  text = text.substr(0, end + 1);
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

std::string ended_how(int wait_status, std::string_view output) {
  if (WIFSIGNALED(wait_status)) return fmt::format("signal {}", WTERMSIG(wait_status));
  const int code = WEXITSTATUS(wait_status);
  const auto line = last_line(output);
  if (code == 0 || line.empty()) return fmt::format("exit code {}", code);
  // Envoy's own words for EACCES.
  const bool low_port = line.contains("cannot bind") && line.contains("Permission denied");
  return fmt::format("exit code {}: {}{}", code, line,
                     low_port ? " (ports below 1024 are for root, or who sysctl "
                                "net.ipv4.ip_unprivileged_port_start lets have them)"
                              : "");
}

}  // namespace egress::dev
