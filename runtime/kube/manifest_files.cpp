#include "runtime/kube/manifest_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

namespace egress::kube {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_bytes = 64U << 20U;

result<std::string> read_all(std::istream& in, const std::string& name) {
  std::string out;
  std::array<char, 65536> part{};
  while (in.read(part.data(), part.size()) || in.gcount() > 0) {
    out.append(part.data(), static_cast<std::size_t>(in.gcount()));
    if (out.size() > most_bytes) return fail("{}: larger than {} MiB", name, most_bytes >> 20U);
  }
  if (in.bad()) return fail("{}: cannot be read", name);
  return out;
}

result<std::string> read_file(const std::string& path) {
  if (path == "-") return read_all(std::cin, "standard input");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail("{}: {}", path, errno != 0 ? std::strerror(errno) : "cannot be opened");
  return read_all(in, path);
}

bool is_manifest_name(const fs::path& path) {
  const auto ending = path.extension();
  return ending == ".yaml" || ending == ".yml" || ending == ".json";
}

result<std::vector<std::string>> files_of(const std::string& path) {
  std::error_code failed;
  if (path == "-" || !fs::is_directory(path, failed)) return std::vector{path};
  std::vector<std::string> out;
  fs::directory_iterator at(path, failed);
  for (; !failed && at != fs::directory_iterator(); at.increment(failed)) {
    std::error_code ignored;
    if (is_manifest_name(at->path()) && !at->is_directory(ignored)) out.push_back(at->path().string());
  }
  if (failed) return fail("{}: {}", path, failed.message());
  if (out.empty()) return fail("{}: no *.yaml, *.yml or *.json in this directory", path);
  std::ranges::sort(out);
  return out;
}

}  // namespace

result<std::vector<manifest>> read_manifests(const std::vector<std::string>& paths) {
  std::vector<manifest> out;
  for (const auto& path : paths) {
    const auto files = files_of(path);
    if (!files) return std::unexpected(files.error());
    for (const auto& file : *files) {
      const auto text = read_file(file);
      if (!text) return std::unexpected(text.error());
      auto read = parse_manifests(*text, file == "-" ? "standard input" : file);
      if (!read) return read;
      std::ranges::move(*read, std::back_inserter(out));
    }
  }
  return out;
}

}  // namespace egress::kube
