#include "runtime/program/process_stats.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>

namespace egress {
namespace {

TEST(ProcessStats, AreThoseOfThisProcess) {
  const auto made = read_process_stats();
  EXPECT_GT(made.resident_bytes, 1e5);
  EXPECT_GE(made.virtual_bytes, made.resident_bytes);
  EXPECT_GE(made.open_fds, 3);
  EXPECT_GE(made.max_fds, made.open_fds);
  EXPECT_GE(made.cpu_seconds, 0);
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_LE(made.start_time, now + 2);
  EXPECT_GT(made.start_time, now - 600);
}

TEST(ProcessStats, AnOpenedFileIsCounted) {
  const auto before = read_process_stats().open_fds;
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(read_process_stats().open_fds, before + 1);
  close(fd);
}

}  // namespace
}  // namespace egress
