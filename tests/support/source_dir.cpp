#include "tests/support/source_dir.hpp"

namespace egress::testing {

const char* source_dir() {
  return EGRESS_SOURCE_DIR;
}

}  // namespace egress::testing
