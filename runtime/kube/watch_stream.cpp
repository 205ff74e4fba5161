#include <boost/asio/this_coro.hpp>

#include "runtime/kube/answer_body.hpp"
#include "runtime/kube/client.hpp"
#include "runtime/kube/client_state.hpp"
#include "runtime/kube/is_cancelled.hpp"
#include "runtime/kube/line_splitter.hpp"
#include "runtime/kube/request_target.hpp"
#include "runtime/kube/status_error.hpp"

namespace egress::kube {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

namespace {
constexpr milliseconds answer_timeout{30'000};
}

struct watch_stream::state {
  state(std::shared_ptr<client::state> from, std::unique_ptr<http::connection> on, kind about)
      : shared(std::move(from)), connection(std::move(on)), of(about) {}

  void take_line(std::string_view line, watch_chunk& into) {
    auto event = shared->decode.decode_watch_line(of, line);
    if (event) {
      into.events.push_back(std::move(*event));
      return;
    }
    into.ended = true;
    into.failure = std::move(event.error());
  }

  std::shared_ptr<client::state> shared;
  std::unique_ptr<http::connection> connection;
  kind of;
  line_splitter lines;
};

watch_stream::watch_stream(std::unique_ptr<state> from) : state_(std::move(from)) {}
watch_stream::~watch_stream() = default;
watch_stream::watch_stream(watch_stream&&) noexcept = default;
watch_stream& watch_stream::operator=(watch_stream&&) noexcept = default;

asio::awaitable<watch_chunk> watch_stream::next(milliseconds quiet) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto& s = *state_;
  watch_chunk chunk;
  // What came before a bad line counts: the events are in order.
  const auto take = [&](std::string_view line) -> result<void> {
    if (!chunk.ended) s.take_line(line, chunk);
    return {};
  };
  while (chunk.events.empty() && !chunk.ended) {
    if (is_cancelled(co_await asio::this_coro::cancellation_state)) {
      chunk.ended = true;
      chunk.failure = api_failure(api_errc::cancelled, "cancelled");
      break;
    }
    auto piece = co_await s.connection->read_some(quiet);
    if (!piece || piece->empty()) {
      chunk.ended = true;
      if (!piece) chunk.failure = to_api_error(piece.error());
      if (piece && s.lines.partial())
        chunk.failure = api_failure(api_errc::malformed, "the watch ended inside an event");
      break;
    }
    if (auto fed = s.lines.feed(*piece, take); !fed) {
      chunk.ended = true;
      chunk.failure = api_failure(api_errc::malformed, fed.error().message);
    }
  }
  co_return chunk;
}

namespace {

asio::awaitable<std::expected<std::unique_ptr<http::connection>, api_error>> open_watch(
    client::state& shared, const watch_request& what) {
  const auto deadline = clock::now() + answer_timeout;
  const auto who = co_await shared.who.get(shared.on, deadline);
  if (is_cancelled(co_await asio::this_coro::cancellation_state))
    co_return std::unexpected(api_failure(api_errc::cancelled, "cancelled"));
  if (!who) co_return std::unexpected(api_failure(api_errc::unauthorized, who.error().message));
  auto opened = co_await shared.open(*who, deadline);
  if (!opened) co_return std::unexpected(to_api_error(opened.error()));
  if (is_cancelled(co_await asio::this_coro::cancellation_state))
    co_return std::unexpected(api_failure(api_errc::cancelled, "cancelled"));
  const auto target = target_of(what);
  const auto began = clock::now();
  auto head = co_await (*opened)->send(shared.message("GET", target, *who), answer_timeout);
  const auto code = head ? std::to_string(head->status) : "<error>";
  shared.options.observe({"GET", shared.server, code, clock::now() - began});
  if (!head) {
    if (head.error().kind == http::failure_kind::untrusted) shared.who.distrusted(*who);
    co_return std::unexpected(to_api_error(head.error()));
  }
  if (head->status == 200) co_return std::move(*opened);
  if (head->status == 401) shared.who.refused(*who);
  const answer_body rest{**opened, head->gzip, clock::now() + answer_timeout};
  const auto text = co_await read_error_body(rest);
  co_return std::unexpected(classify(head->status, text, head->retry_after));
}

}  // namespace

asio::awaitable<std::expected<watch_stream, api_error>> client::watch(watch_request what) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = state_;
  if (!keep->where) co_return std::unexpected(api_failure(api_errc::transport, keep->where.error().message));
  auto opened = co_await open_watch(*keep, what);
  // With what the refusal made us read again.
  if (!opened && opened.error().status == 401) opened = co_await open_watch(*keep, what);
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  co_return watch_stream(std::make_unique<watch_stream::state>(keep, std::move(*opened), what.of));
}

}  // namespace egress::kube
