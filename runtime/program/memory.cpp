#include "runtime/program/memory.hpp"

#include <malloc.h>

namespace egress {

void set_up_memory() {
  mallopt(M_ARENA_MAX, 2);
  // Fixed: glibc's own threshold grows with every large block that is freed, and keeps their pages.
  mallopt(M_MMAP_THRESHOLD, 256 * 1024);
}

void give_back_memory() {
  malloc_trim(0);
}

}  // namespace egress
