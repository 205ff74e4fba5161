#include "runtime/kube/answer_body.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <optional>

#include "runtime/http/inflate.hpp"
#include "runtime/kube/list_splitter.hpp"

namespace egress::kube {

namespace asio = boost::asio;

namespace {

constexpr std::size_t document_bound = 16U << 20U;
constexpr std::size_t page_bound = 512U << 20U;
constexpr std::size_t error_bound = 1U << 20U;

// Undoes the content encoding, and keeps count.
class body_reader {
 public:
  body_reader(answer_body what, std::size_t bound) : what_(what), bound_(bound) {
    if (what.gzip) inflate_.emplace();
  }
  // The next plain bytes; empty at the end.
  asio::awaitable<std::expected<std::string_view, api_error>> next() {
    for (;;) {
      // Each piece comes within the time that is left, which is never none.
      if (std::chrono::steady_clock::now() >= what_.deadline)
        co_return std::unexpected(api_failure(api_errc::timed_out, "the answer did not end in time"));
      auto piece = co_await what_.from.read_some(left_until(what_.deadline));
      if (!piece) co_return std::unexpected(to_api_error(piece.error()));
      if (!inflate_) co_return counted(*piece);
      if (piece->empty()) {
        if (auto whole = inflate_->finish(); !whole)
          co_return std::unexpected(api_failure(api_errc::malformed, whole.error().message));
        co_return *piece;
      }
      plain_.clear();
      if (auto done = inflate_->feed(*piece, plain_); !done)
        co_return std::unexpected(api_failure(api_errc::malformed, done.error().message));
      if (!plain_.empty()) co_return counted(plain_);
    }
  }

 private:
  std::expected<std::string_view, api_error> counted(std::string_view piece) {
    total_ += piece.size();
    if (total_ > bound_)
      return std::unexpected(
          api_failure(api_errc::too_large, fmt::format("the answer is beyond {} bytes", bound_)));
    return piece;
  }
  answer_body what_;
  std::size_t bound_;
  std::size_t total_ = 0;
  std::optional<http::inflater> inflate_;
  std::string plain_;
};

}  // namespace

milliseconds left_until(steady_time deadline) {
  return std::max(milliseconds{1},
                  std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now()));
}

api_error api_failure(api_errc code, std::string message) {
  api_error made;
  made.code = code;
  made.message = std::move(message);
  return made;
}

api_error to_api_error(const http::failure& why) {
  using enum http::failure_kind;
  const auto code = why.kind == timed_out   ? api_errc::timed_out
                    : why.kind == cancelled ? api_errc::cancelled
                    : why.kind == malformed ? api_errc::malformed
                    : why.kind == withheld  ? api_errc::not_leader
                                            : api_errc::transport;
  return api_failure(code, why.message);
}

asio::awaitable<reply> read_list(decoder& decode, answer_body what, kind of) {
  body_reader body(what, page_bound);
  list_splitter splitter;
  list_page page;
  const auto take = [&](std::string_view item) -> result<void> {
    auto decoded = decode.decode(of, item);
    if (!decoded) return std::unexpected(decoded.error());
    page.items.push_back(std::move(*decoded));
    return {};
  };
  for (;;) {
    auto piece = co_await body.next();
    if (!piece) co_return std::unexpected(std::move(piece.error()));
    if (piece->empty()) break;
    if (auto fed = splitter.feed(*piece, take); !fed)
      co_return std::unexpected(api_failure(api_errc::malformed, fed.error().message));
  }
  auto envelope = splitter.finish();
  if (!envelope) co_return std::unexpected(api_failure(api_errc::malformed, envelope.error().message));
  // There is nothing to watch from, and nothing to tell a later list by.
  if (envelope->resource_version.empty())
    co_return std::unexpected(api_failure(api_errc::malformed, "a list without metadata.resourceVersion"));
  page.resource_version = std::move(envelope->resource_version);
  page.continue_token = std::move(envelope->continue_token);
  page.remaining = envelope->remaining;
  co_return reply{std::move(page)};
}

asio::awaitable<reply> read_document(decoder& decode, answer_body from, const request& what) {
  body_reader body(from, document_bound);
  document made;
  for (;;) {
    auto piece = co_await body.next();
    if (!piece) co_return std::unexpected(std::move(piece.error()));
    if (piece->empty()) break;
    made.json.append(*piece);
  }
  // A deletion answers with the object, or with a Status: neither is of use.
  if (what.what != verb::remove && what.what != verb::get_raw) {
    auto decoded =
        what.metadata_only ? decode.decode_metadata(what.of, made.json) : decode.decode(what.of, made.json);
    if (!decoded) co_return std::unexpected(api_failure(api_errc::malformed, decoded.error().message));
    made.decoded = std::move(*decoded);
  }
  co_return reply{std::move(made)};
}

asio::awaitable<std::string> read_error_body(answer_body what) {
  body_reader body(what, error_bound);
  std::string text;
  for (;;) {
    auto piece = co_await body.next();
    if (!piece || piece->empty()) co_return text;
    text.append(*piece);
  }
}

}  // namespace egress::kube
