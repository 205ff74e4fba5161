#pragma once
// The body of a watch, cut into its lines (one JSON event each) while it streams in. Pure; one body a
// splitter, used from one thread.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace egress::kube {

class line_splitter {
 public:
  // Called with each line, without its end, valid during the call only. An error stops the stream.
  using line_sink = std::function<result<void>(std::string_view line)>;

  explicit line_splitter(std::size_t most_bytes = 8U << 20U) : most_bytes_(most_bytes) {}

  // The next bytes, cut anywhere. Empty lines are left out; a line beyond the bound is an error.
  result<void> feed(std::string_view bytes, const line_sink& sink);

  // Whether the stream would end in the middle of a line.
  bool partial() const { return !line_.empty(); }

 private:
  result<void> emit(std::string_view end, const line_sink& sink);

  std::size_t most_bytes_;
  std::string line_;  // the part of a line that came with earlier bytes
};

}  // namespace egress::kube
