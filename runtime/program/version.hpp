#pragma once
// What this build is.

#include <string>

namespace egress {

// "0.1.0"
std::string version();
// Several lines for `version`: version, commit, and the libraries it runs with.
std::string versions();

}  // namespace egress
