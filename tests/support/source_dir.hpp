#pragma once
// Where the tests find golden and other data files.

namespace egress::testing {

// The root of the source tree, without a slash at the end.
const char* source_dir();

}  // namespace egress::testing
