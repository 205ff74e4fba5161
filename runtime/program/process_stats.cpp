#include "runtime/program/process_stats.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace egress {
namespace {

// Field 22 of /proc/self/stat, in clock ticks since boot; the name before it may hold blanks and brackets.
double start_ticks() {
  std::ifstream file{"/proc/self/stat"};
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields{line.substr(name_end + 1)};
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  double ticks = 0;
  fields >> ticks;
  return ticks;
}

double boot_time() {
  std::ifstream file{"/proc/stat"};
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

double open_fds() {
  std::error_code error;
  double count = 0;
  std::filesystem::directory_iterator at{"/proc/self/fd", error}, end;
  for (; !error && at != end; at.increment(error)) ++count;
  return count > 0 ? count - 1 : 0;  // without the one that listed them
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

metrics::process_stats read_process_stats() {
  metrics::process_stats made;
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  std::ifstream memory{"/proc/self/statm"};
  double pages = 0, resident = 0;
  if (memory >> pages >> resident) {
    made.virtual_bytes = pages * page;
    made.resident_bytes = resident * page;
  }
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0)
    made.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) made.max_fds = static_cast<double>(limit.rlim_cur);
  made.open_fds = open_fds();
  made.start_time = boot_time() + start_ticks() / static_cast<double>(sysconf(_SC_CLK_TCK));
  return made;
}

}  // namespace egress
