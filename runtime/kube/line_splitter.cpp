#include "runtime/kube/line_splitter.hpp"

#include "runtime/base/give_back.hpp"

namespace egress::kube {

result<void> line_splitter::feed(std::string_view bytes, const line_sink& sink) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto part = bytes.substr(0, end);
    if (part.size() > most_bytes_ - line_.size()) return fail("a line with more than {} bytes", most_bytes_);
    if (end == std::string_view::npos) {
      line_ += part;
      return {};
    }
    if (auto given = emit(part, sink); !given) return given;
    bytes.remove_prefix(end + 1);
  }
  return {};
}

result<void> line_splitter::emit(std::string_view end, const line_sink& sink) {
  auto whole = end;
  if (!line_.empty()) {
    line_ += end;
    whole = line_;
  }
  if (whole.ends_with('\r')) whole.remove_suffix(1);
  result<void> given;
  if (!whole.empty()) given = sink(whole);
  // One large event must not keep its buffer for as long as the watch runs.
  if (line_.capacity() > (64U << 10U)) give_back(line_);
  line_.clear();
  return given;
}

}  // namespace egress::kube
