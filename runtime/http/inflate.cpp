#include "runtime/http/inflate.hpp"

#include <zlib.h>

#include <array>

namespace egress::http {

struct inflater::state {
  z_stream stream{};
  bool ready = false;
  bool begun = false, ended = false;
  ~state() {
    if (ready) inflateEnd(&stream);
  }
};

inflater::inflater() : state_(std::make_unique<state>()) {
  // 16: a gzip wrapper is expected, and its checksum verified.
  state_->ready = inflateInit2(&state_->stream, 16 + MAX_WBITS) == Z_OK;
}
inflater::~inflater() = default;
inflater::inflater(inflater&&) noexcept = default;
inflater& inflater::operator=(inflater&&) noexcept = default;

result<void> inflater::feed(std::string_view compressed, std::string& out) {
  if (!state_->ready) return fail("gzip: zlib could not be set up");
  auto& stream = state_->stream;
  if (!compressed.empty()) state_->begun = true;
  if (state_->ended && !compressed.empty()) return fail("gzip: something follows the end of the body");
  std::array<unsigned char, 16 * 1024> piece;
  // zlib does not write through next_in; its type has no const for C's sake.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  while (stream.avail_in > 0) {
    stream.next_out = piece.data();
    stream.avail_out = piece.size();
    const int code = ::inflate(&stream, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return fail("gzip: the body is damaged");
    out.append(reinterpret_cast<const char*>(piece.data()), piece.size() - stream.avail_out);
    if (code != Z_STREAM_END) continue;
    state_->ended = true;
    if (stream.avail_in > 0) return fail("gzip: something follows the end of the body");
  }
  return {};
}

result<void> inflater::finish() const {
  // Nothing at all is an empty body, which servers send with any encoding.
  if (state_->begun && !state_->ended) return fail("gzip: the body is cut short");
  return {};
}

}  // namespace egress::http
