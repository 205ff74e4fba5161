#pragma once
// `promtool check metrics`: Prometheus's own judge of names, help texts and the format.

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace egress::metrics::testing {

// Where everything is installed, its absence is a failure, not a reason to skip.
inline bool has_promtool() {
  return std::getenv("EGRESS_CI") != nullptr || std::system("command -v promtool >/dev/null 2>&1") == 0;
}

// What it finds wrong; "" for nothing.
inline std::string promtool_says(const std::string& text) {
  const auto file = std::filesystem::temp_directory_path() / fmt::format("egress-metrics-{}.txt", getpid());
  std::ofstream{file} << text;
  FILE* pipe = popen(fmt::format("promtool check metrics <{} 2>&1", file.string()).c_str(), "r");
  if (!pipe) return "popen failed";
  std::string said;
  for (int c = 0; (c = std::fgetc(pipe)) != EOF;) said += static_cast<char>(c);
  if (pclose(pipe) != 0 && said.empty()) said = "promtool failed";
  std::filesystem::remove(file);
  return said;
}

}  // namespace egress::metrics::testing
