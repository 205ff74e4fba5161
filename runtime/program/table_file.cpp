#include "runtime/program/table_file.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "runtime/base/log.hpp"
#include "runtime/net/unique_fd.hpp"

namespace egress {
namespace {

constexpr std::size_t largest_file = 1 << 30;

std::string reason() {
  return std::strerror(errno);
}

bool write_all(int to, dns::bytes data) {
  while (!data.empty()) {
    const auto written = ::write(to, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    data = data.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string(".") : path.substr(0, slash + 1);
}

unique_fd open_folder_of(const std::string& path) {
  return unique_fd(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace

result<void> check_folder_of_table(const std::string& path) {
  if (!open_folder_of(path)) return fail("{}: its folder cannot be opened: {}", path, reason());
  return {};
}

result<saved_table_ptr> load_table(const std::string& path, std::string_view cluster_domain) {
  const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return nullptr;
  struct stat about{};
  if (!file || ::fstat(file.get(), &about) != 0) return fail("{}: cannot read it: {}", path, reason());
  if (!S_ISREG(about.st_mode) || static_cast<std::size_t>(about.st_size) > largest_file)
    return fail("{}: it is no saved DNS table", path);
  std::vector<std::uint8_t> content(static_cast<std::size_t>(about.st_size));
  std::size_t have = 0;
  while (have < content.size()) {
    const auto got = ::read(file.get(), content.data() + have, content.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail("{}: cannot read it: {}", path, reason());
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  const auto cluster = dns::parse_name(cluster_domain);
  auto table =
      dns::decode_table(dns::bytes(content).first(have), cluster ? std::optional(*cluster) : std::nullopt);
  if (!table) return fail("{}: {}", path, table.error().message);
  return std::move(*table);
}

result<void> store_table(const std::string& path, const dns::hijack_table& table) {
  const auto content = dns::encode_table(table);
  const auto beside = path + ".new";
  unique_fd file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return fail("{}: cannot write it: {}", beside, reason());
  if (!write_all(file.get(), content) || ::fsync(file.get()) != 0)
    return fail("{}: cannot write it: {}", beside, reason());
  file.reset();
  if (::rename(beside.c_str(), path.c_str()) != 0) return fail("{}: cannot write it: {}", path, reason());
  // The rename lasts when its folder is written. Where that cannot be had, an old table is still a whole one.
  if (const auto folder = open_folder_of(path)) ::fsync(folder.get());
  return {};
}

table_saver::table_saver(std::string path, std::chrono::milliseconds pause)
    : path_(std::move(path)), pause_(pause), thread_([this] { run(); }) {}

table_saver::~table_saver() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void table_saver::save(saved_table_ptr table) {
  {
    const std::lock_guard lock(mutex_);
    due_ = std::move(table);
  }
  changed_.notify_all();
}

void table_saver::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return due_ || ending_; });
    if (!due_) return;
    const auto table = std::exchange(due_, nullptr);
    lock.unlock();
    const bool written = write(*table);
    lock.lock();
    changed_.wait_for(lock, written ? pause_ : 10 * pause_, [this] { return ending_; });
    if (!written && !due_ && !ending_) due_ = table;
  }
}

bool table_saver::write(const dns::hijack_table& table) {
  const auto stored = store_table(path_, table);
  const auto complaint = stored ? std::string() : stored.error().message;
  if (complaint != complaint_ && !stored)
    log::warn("the DNS table is not saved: a restart without an API server would not know it",
              {{"why", complaint}});
  if (stored && !complaint_.empty()) log::info("the DNS table is saved again", {{"file", path_}});
  complaint_ = complaint;
  return stored.has_value();
}

}  // namespace egress
