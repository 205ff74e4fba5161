#pragma once
// A folder that is removed with all it holds.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace egress::test {

class temporary_folder {
 public:
  temporary_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "egress-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  std::string path(const std::string& name = "") const { return name.empty() ? path_ : path_ + "/" + name; }

  // Writes a file, and gives its path.
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream out(path(name), std::ios::binary);
    if (!(out << text << std::flush)) throw std::runtime_error(path(name) + " cannot be written");
    return path(name);
  }
  // In the place of one of that name, which may be about to run: a program cannot be written to meanwhile
  // (ETXTBSY).
  std::string write_program(const std::string& name, const std::string& text) const {
    const auto made = write(name + ".new", text);
    std::filesystem::permissions(made, std::filesystem::perms::owner_all);
    std::filesystem::rename(made, path(name));
    return path(name);
  }

 private:
  std::string path_;
};

}  // namespace egress::test
