#pragma once
// What the kernel says about this process. I/O: reads /proc/self; what cannot be read is 0.

#include "actors/metrics/registry.hpp"

namespace egress {

metrics::process_stats read_process_stats();

}  // namespace egress
