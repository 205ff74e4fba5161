#include "runtime/program/descriptors.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace egress {

void raise_descriptor_limit() {
  constexpr rlim_t enough = 65'536;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  const auto wanted = std::min(files.rlim_max, enough);
  if (files.rlim_cur >= wanted) return;
  files.rlim_cur = wanted;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace egress
