#include "runtime/devserver/config_volume.hpp"

#include <filesystem>
#include <fstream>
#include <utility>

namespace egress::dev {

namespace fs = std::filesystem;

namespace {

result<void> write_files(const fs::path& folder, const config_files& files) {
  std::error_code bad;
  fs::create_directories(folder, bad);
  if (bad) return fail("{}: it cannot be made: {}", folder.string(), bad.message());
  for (const auto& [name, text] : files) {
    std::ofstream out(folder / name, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out) return fail("{}: it cannot be written", (folder / name).string());
  }
  return {};
}

}  // namespace

config_volume::config_volume(std::string folder) : folder_(std::move(folder)) {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

result<void> config_volume::update(const config_files& files) {
  const fs::path top(folder_);
  const auto before = "..revision_" + std::to_string(revision_),
             now = "..revision_" + std::to_string(++revision_);
  if (auto written = write_files(top / now, files); !written) return written;
  std::error_code bad, ignored;
  fs::remove(top / "..data_tmp", bad);
  fs::create_directory_symlink(now, top / "..data_tmp", bad);
  if (!bad) fs::rename(top / "..data_tmp", top / "..data", bad);
  for (const auto& [name, text] : files)
    if (!bad && !fs::is_symlink(top / name, ignored)) fs::create_symlink("..data/" + name, top / name, bad);
  if (bad) return fail("{}: its files cannot be swapped: {}", folder_, bad.message());
  fs::remove_all(top / before, ignored);
  return {};
}

}  // namespace egress::dev
