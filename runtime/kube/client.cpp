#include "runtime/kube/client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/http/inflate.hpp"
#include "runtime/kube/client_state.hpp"
#include "runtime/kube/list_splitter.hpp"
#include "runtime/kube/request_target.hpp"
#include "runtime/kube/status_error.hpp"

namespace egress::kube {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

namespace {

constexpr int most_tries = 10;
constexpr std::size_t document_bound = 16U << 20U;
constexpr std::size_t page_bound = 512U << 20U;

milliseconds left_until(clock::time_point deadline) {
  return std::max(milliseconds{1}, std::chrono::ceil<milliseconds>(deadline - clock::now()));
}

// Undoes the content encoding, and keeps count.
class body_reader {
 public:
  body_reader(http::connection& from, bool gzip, std::size_t bound) : from_(from), bound_(bound) {
    if (gzip) inflate_.emplace();
  }
  // The next plain bytes; empty at the end.
  asio::awaitable<std::expected<std::string_view, api_error>> next(milliseconds timeout) {
    for (;;) {
      auto piece = co_await from_.read_some(timeout);
      if (!piece) co_return std::unexpected(to_api_error(piece.error()));
      if (piece->empty() || !inflate_) co_return counted(*piece);
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
  http::connection& from_;
  std::size_t bound_;
  std::size_t total_ = 0;
  std::optional<http::inflater> inflate_;
  std::string plain_;
};

asio::awaitable<reply> read_list(client::state& state, http::connection& from, bool gzip, kind of,
                                 clock::time_point deadline) {
  body_reader body(from, gzip, page_bound);
  list_splitter splitter;
  list_page page;
  const auto take = [&](std::string_view item) -> result<void> {
    auto decoded = state.decode.decode(of, item);
    if (!decoded) return std::unexpected(decoded.error());
    page.items.push_back(std::move(*decoded));
    return {};
  };
  for (;;) {
    auto piece = co_await body.next(left_until(deadline));
    if (!piece) co_return std::unexpected(std::move(piece.error()));
    if (piece->empty()) break;
    if (auto fed = splitter.feed(*piece, take); !fed)
      co_return std::unexpected(api_failure(api_errc::malformed, fed.error().message));
  }
  auto envelope = splitter.finish();
  if (!envelope) co_return std::unexpected(api_failure(api_errc::malformed, envelope.error().message));
  page.resource_version = std::move(envelope->resource_version);
  page.continue_token = std::move(envelope->continue_token);
  co_return reply{std::move(page)};
}

asio::awaitable<reply> read_document(client::state& state, http::connection& from, bool gzip,
                                     const request& what, clock::time_point deadline) {
  body_reader body(from, gzip, document_bound);
  document made;
  for (;;) {
    auto piece = co_await body.next(left_until(deadline));
    if (!piece) co_return std::unexpected(std::move(piece.error()));
    if (piece->empty()) break;
    made.json.append(*piece);
  }
  // A deletion answers with the object, or with a Status: neither is of use.
  if (what.what != verb::remove && what.what != verb::probe) {
    auto decoded = state.decode.decode(what.of, made.json);
    if (!decoded) co_return std::unexpected(api_failure(api_errc::malformed, decoded.error().message));
    made.decoded = std::move(*decoded);
  }
  co_return reply{std::move(made)};
}

}  // namespace

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
                                            : api_errc::transport;
  return api_failure(code, why.message);
}

asio::awaitable<std::string> read_error_body(http::connection& from, bool gzip, milliseconds timeout) {
  body_reader body(from, gzip, 1U << 20U);
  std::string text;
  for (;;) {
    auto piece = co_await body.next(timeout);
    if (!piece || piece->empty()) co_return text;
    text.append(*piece);
  }
}

client::state::state(asio::any_io_executor executor, connection_config from, client_options with)
    : on(executor),
      options(std::move(with)),
      config(std::move(from)),
      where(http::parse_base_url(config.server)),
      who(config),
      pool(executor, options.connections),
      decode(options.rules),
      limit(options.queries_per_second) {}

http::connect_options client::state::way(const credentials::current& with) const {
  http::connect_options made;
  made.where = *where;
  made.tls = with.tls;
  made.server_name = config.tls_server_name;
  made.verify = !config.insecure_skip_tls_verify;
  return made;
}

http::client_request client::state::message(std::string method, std::string target,
                                            const credentials::current& with) const {
  http::client_request made;
  made.method = std::move(method);
  made.target = where->path_prefix + target;
  made.headers = {{"Accept", "application/json"}, {"User-Agent", options.user_agent}};
  if (!with.token.empty()) made.headers.emplace_back("Authorization", "Bearer " + with.token);
  return made;
}

namespace {

// One try: on a connection that is kept alive, or on a new one.
struct attempt {
  reply outcome;
  bool stale = false;  // the kept-alive connection was closed already: nothing is known to have happened
};

asio::awaitable<reply> read_answer(client::state& state, http::connection& from,
                                   const http::response_head& head, const request& what,
                                   clock::time_point deadline) {
  if (head.status < 200 || head.status > 299) {
    const auto text = co_await read_error_body(from, head.gzip, left_until(deadline));
    co_return std::unexpected(classify(head.status, text, head.retry_after));
  }
  if (what.what == verb::list) co_return co_await read_list(state, from, head.gzip, what.of, deadline);
  co_return co_await read_document(state, from, head.gzip, what, deadline);
}

http::client_request message_for(const client::state& state, const http_shape& shape, const request& what,
                                 const credentials::current& who) {
  auto message = state.message(shape.method, shape.target, who);
  if (!shape.content_type.empty()) message.headers.emplace_back("Content-Type", shape.content_type);
  if (what.what == verb::list) message.headers.emplace_back("Accept-Encoding", "gzip");
  message.body = shape.body;
  return message;
}

asio::awaitable<attempt> try_once(client::state& state, const request& what, clock::time_point deadline) {
  const auto now = co_await state.who.get(state.on);
  if (!now) co_return attempt{std::unexpected(api_failure(api_errc::unauthorized, now.error().message))};
  const auto shape = shape_of(what);
  auto connection = state.pool.take(now->tls.get());
  const bool reused = connection != nullptr;
  if (!connection) {
    auto way = state.way(*now);
    way.connect_timeout = std::min(way.connect_timeout, left_until(deadline));
    auto opened = co_await http::connection::open(state.on, std::move(way));
    if (!opened) co_return attempt{std::unexpected(to_api_error(opened.error()))};
    connection = std::move(*opened);
  }
  auto message = message_for(state, shape, what, *now);
  if (shape.writes && !state.options.may_write()) {
    state.pool.keep(std::move(connection), now->tls.get());
    co_return attempt{
        std::unexpected(api_failure(api_errc::not_leader, "held back: this replica may not write now"))};
  }
  const auto began = clock::now();
  auto head = co_await connection->send(std::move(message), left_until(deadline));
  const auto code = head ? std::to_string(head->status) : "<error>";
  state.options.observe({shape.method, state.where->host, code, clock::now() - began});
  if (!head) {
    const bool stale = reused && head.error().kind == http::failure_kind::stale;
    co_return attempt{std::unexpected(to_api_error(head.error())), stale};
  }
  auto outcome = co_await read_answer(state, *connection, *head, what, deadline);
  state.pool.keep(std::move(connection), now->tls.get());
  co_return attempt{std::move(outcome)};
}

// What the server asked us to wait, or about a second; nothing when trying again makes no sense.
std::optional<milliseconds> pause_before_retry(client::state& state, const reply& outcome,
                                               clock::time_point deadline) {
  if (outcome || outcome.error().code != api_errc::too_many_requests) return std::nullopt;
  std::uniform_real_distribution<double> jitter(0.5, 1.5);
  const auto asked = outcome.error().retry_after.value_or(seconds{1});
  const auto pause =
      std::max(std::chrono::duration_cast<milliseconds>(asked * 1.0),
               std::chrono::duration_cast<milliseconds>(seconds{1} * jitter(state.random)) / 2);
  if (clock::now() + pause >= deadline) return std::nullopt;
  return pause;
}

// Whether it slept to the end.
asio::awaitable<bool> sleep_for(asio::any_io_executor on, milliseconds pause) {
  asio::steady_timer timer(on, pause);
  auto [cancelled] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return !cancelled;
}

// A renewal that waits its turn behind the writes it is for may come too late: it passes the queue for a
// connection, and the bound on queries a second.
bool urgent(const request& what) {
  return what.of == kind::lease;
}

asio::awaitable<reply> try_until(client::state& state, const request& what, clock::time_point deadline) {
  bool refreshed = false;
  for (int tries = 1;; ++tries) {
    const auto wait = urgent(what) ? milliseconds{0} : state.limit.take(clock::now());
    if (wait > milliseconds{0} && !co_await sleep_for(state.on, wait))
      co_return std::unexpected(api_failure(api_errc::cancelled, "cancelled"));
    auto made = co_await try_once(state, what, deadline);
    if (made.outcome || tries >= most_tries) co_return std::move(made.outcome);
    // Safe for writes too: each carries a uid, a resourceVersion or a name that a second time conflicts.
    if (made.stale) {
      state.pool.drop_idle();
      continue;
    }
    if (made.outcome.error().code == api_errc::unauthorized && !refreshed) {
      refreshed = true;
      state.who.refused();
      continue;
    }
    const auto pause = pause_before_retry(state, made.outcome, deadline);
    if (!pause || !co_await sleep_for(state.on, *pause)) co_return std::move(made.outcome);
  }
}

}  // namespace

client::client(asio::any_io_executor executor, connection_config config, client_options options)
    : state_(std::make_shared<state>(std::move(executor), std::move(config), std::move(options))) {}
client::~client() = default;
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;

asio::awaitable<reply> client::call(request what) {
  // An operation that was cancelled says so by its error code; nothing here throws.
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = state_;
  if (!keep->where) co_return std::unexpected(api_failure(api_errc::transport, keep->where.error().message));
  const auto deadline = clock::now() + what.timeout;
  const bool queues = !urgent(what);
  if (queues && !co_await keep->pool.enter(deadline)) {
    if (clock::now() < deadline) co_return std::unexpected(api_failure(api_errc::cancelled, "cancelled"));
    co_return std::unexpected(api_failure(api_errc::timed_out, "no connection became free in time"));
  }
  reply outcome;
  try {
    outcome = co_await try_until(*keep, what, deadline);
  } catch (const std::exception& e) {
    outcome = std::unexpected(api_failure(api_errc::transport, e.what()));
  }
  if (queues) keep->pool.leave();
  co_return outcome;
}

}  // namespace egress::kube
