#include "runtime/kube/text_file.hpp"

#include <fstream>
#include <sstream>

namespace egress::kube {

result<std::string> read_text_file(const std::string& path, std::string_view what) {
  std::ifstream in(path, std::ios::binary);
  // A look first: to insert nothing is a failure of the stream, and a folder is one only when it is read.
  const bool empty = in.is_open() && in.peek() == std::ifstream::traits_type::eof() && !in.bad();
  if (empty) return "";
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return fail("{} {}: the file cannot be read", what, path);
  return text.str();
}

}  // namespace egress::kube
