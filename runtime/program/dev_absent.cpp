#include "runtime/program/dev.hpp"

namespace egress {

result<std::unique_ptr<dev_environment>> start_dev(const dev_options&) {
  return fail("this build has no dev command (it was configured with EGRESS_DEV=OFF)");
}

}  // namespace egress
