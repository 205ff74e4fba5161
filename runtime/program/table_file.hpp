#pragma once
// The file of --dns-snapshot: read once at the start, written whenever the hijack table has changed.

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "actors/dns/saved_table.hpp"

namespace egress {

using saved_table_ptr = std::shared_ptr<const dns::hijack_table>;

// Whether the file's folder is there: a typing error should be told at the start, not at the first save.
result<void> check_folder_of_table(const std::string& path);

// Null when there is no such file yet. Without what it hijacked in the cluster's domain. The error names the
// file.
result<saved_table_ptr> load_table(const std::string& path,
                                   std::string_view cluster_domain = "cluster.local");

// The file is the old one or the new one, whatever happens on the way. The error names the file.
result<void> store_table(const std::string& path, const dns::hijack_table& table);

// Writes on a thread of its own, so that no actor waits for a disk: the newest table, once a second at most.
// What could not be written is tried again ten times that later.
class table_saver {
 public:
  explicit table_saver(std::string path, std::chrono::milliseconds pause = std::chrono::seconds(1));
  // Writes what is due, and ends the thread.
  ~table_saver();
  table_saver(const table_saver&) = delete;
  table_saver& operator=(const table_saver&) = delete;

  // From any thread; returns at once.
  void save(saved_table_ptr table);

 private:
  void run();
  bool write(const dns::hijack_table& table);

  const std::string path_;
  const std::chrono::milliseconds pause_;
  std::string complaint_;  // the last one: the same is said once
  std::mutex mutex_;
  std::condition_variable changed_;
  saved_table_ptr due_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace egress
