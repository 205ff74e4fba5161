#include "tests/support/blocked_resolver.hpp"

#include <netdb.h>

#include <condition_variable>
#include <mutex>

namespace {

std::mutex guard;
std::condition_variable changed;
bool blocked = false;

}  // namespace

// In the place of the C library's, for all of the program.
extern "C" int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo** found) {
  std::unique_lock lock(guard);
  changed.wait(lock, [] { return !blocked; });
  *found = nullptr;
  return EAI_NONAME;
}

namespace egress::test {

blocked_resolver::blocked_resolver() {
  const std::scoped_lock lock(guard);
  blocked = true;
}

blocked_resolver::~blocked_resolver() {
  const std::scoped_lock lock(guard);
  blocked = false;
  changed.notify_all();
}

}  // namespace egress::test
