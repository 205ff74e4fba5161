#include "actors/leader/write_deadline.hpp"

#include <ctime>

namespace egress::leader {

boot_time boot_clock::now() noexcept {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return boot_time{std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}};
}

}  // namespace egress::leader
