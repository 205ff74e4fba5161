#include "runtime/kube/client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "runtime/base/chance.hpp"
#include "runtime/kube/answer_body.hpp"
#include "runtime/kube/client_state.hpp"
#include "runtime/kube/is_cancelled.hpp"
#include "runtime/kube/request_target.hpp"
#include "runtime/kube/status_error.hpp"

namespace egress::kube {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

namespace {
constexpr int most_tries = 10;
constexpr milliseconds least_pause{250};
constexpr std::string_view metadata_or_all =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
}  // namespace

client::state::state(asio::any_io_executor executor, connection_config from, client_options with)
    : on(executor),
      options(std::move(with)),
      config(std::move(from)),
      where(http::parse_base_url(config.server)),
      server(where ? where->host_and_port() : ""),
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

asio::awaitable<std::expected<std::unique_ptr<http::connection>, http::failure>> client::state::open(
    credentials::current as, clock::time_point deadline) {
  auto by = way(as);
  by.deadline = deadline;
  auto opened = co_await http::connection::open(on, std::move(by));
  if (!opened && opened.error().kind == http::failure_kind::untrusted) who.distrusted(as);
  co_return opened;
}

http::client_request client::state::message(std::string_view method, std::string_view target,
                                            const credentials::current& with, std::string_view accept) const {
  http::client_request made{
      .method = method,
      .target = target,
      .headers = {{"Accept", accept}, {"User-Agent", options.user_agent}},
      .body = {},
  };
  if (with.authorization) made.headers.push_back({"Authorization", *with.authorization});
  return made;
}

namespace {

// One try: on a connection that is kept alive, or on a new one.
struct attempt {
  reply outcome;
  bool again = false;  // the kept-alive connection was closed, and a second time does no harm
};

// A connection to use, and whether it served before.
struct lent {
  std::unique_ptr<http::connection> connection;
  bool reused = false;
};

attempt failed(api_error why) {
  return {std::unexpected(std::move(why))};
}

// Nothing is begun for who was cancelled meanwhile, or is late.
std::optional<api_error> end_of(const asio::cancellation_state& asker, clock::time_point deadline) {
  if (is_cancelled(asker)) return api_failure(api_errc::cancelled, "cancelled");
  if (clock::now() >= deadline) return api_failure(api_errc::timed_out, "it was not sent in time");
  return std::nullopt;
}

asio::awaitable<reply> read_answer(client::state& state, http::connection& from,
                                   const http::response_head& head, const request& what,
                                   clock::time_point deadline) {
  const answer_body body{from, head.gzip, deadline};
  if (head.status < 200 || head.status > 299) {
    const auto text = co_await read_error_body(body);
    co_return std::unexpected(classify(head.status, text, head.retry_after));
  }
  if (what.what == verb::list) co_return co_await read_list(state.decode, body, what.of);
  co_return co_await read_document(state.decode, body, what);
}

http::client_request message_for(const client::state& state, const http_shape& shape, const request& what,
                                 const credentials::current& who) {
  auto message = state.message(shape.method, shape.target, who,
                               what.metadata_only ? metadata_or_all : std::string_view{"application/json"});
  if (!shape.content_type.empty()) message.headers.push_back({"Content-Type", shape.content_type});
  if (what.what == verb::list && state.options.gzip_lists)
    message.headers.push_back({"Accept-Encoding", "gzip"});
  message.body = shape.body(what);
  return message;
}

asio::awaitable<std::expected<lent, http::failure>> open_one(client::state& state,
                                                             const credentials::current& who,
                                                             clock::time_point deadline) {
  auto opened = co_await state.open(who, deadline);
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  co_return lent{std::move(*opened), false};
}

// On a closed connection, a request that cannot have arrived goes out again, and so does one that only reads.
// A write that went out whole may have been carried out: that is for the caller to find out.
bool may_repeat(const lent& on, const http_shape& shape, const http::failure& why) {
  return on.reused && why.kind == http::failure_kind::stale && (shape.method == "GET" || !why.sent);
}

asio::awaitable<attempt> try_once(client::state& state, const request& what, clock::time_point deadline) {
  // What seldom has to be waited for is no coroutine when it need not be: a frame each, for every request.
  result<credentials::current> now;
  if (state.who.waits())
    now = co_await state.who.get(state.on, deadline);
  else
    now = state.who.at_hand();
  if (auto ended = end_of(co_await asio::this_coro::cancellation_state, deadline))
    co_return failed(std::move(*ended));
  if (!now) co_return failed(api_failure(api_errc::unauthorized, now.error().message));
  const auto shape = shape_of(what, state.options.write_timeout);
  std::expected<lent, http::failure> on = lent{state.pool.take(now->tls.get()), true};
  if (!on->connection) on = co_await open_one(state, *now, deadline);
  if (!on) co_return failed(to_api_error(on.error()));
  if (auto ended = end_of(co_await asio::this_coro::cancellation_state, deadline))
    co_return failed(std::move(*ended));
  auto message = message_for(state, shape, what, *now);
  if (shape.writes && !state.options.may_write(what.term)) {
    state.pool.keep(std::move(on->connection), now->tls.get());
    co_return failed(api_failure(api_errc::not_leader, "held back: this replica may not write now"));
  }
  // Once more at the socket: this process may be paused on the way there, and go on when another one leads.
  if (shape.writes)
    message.may_leave = [&may_write = state.options.may_write, term = what.term] { return may_write(term); };
  const auto began = clock::now();
  auto head = co_await on->connection->send(std::move(message), left_until(deadline));
  const auto code = head ? std::to_string(head->status) : "<error>";
  state.options.observe({shape.method, state.server, code, clock::now() - began});
  // TLS 1.3: the server's refusal of our certificate comes after the handshake.
  if (!head && head.error().kind == http::failure_kind::untrusted) state.who.distrusted(*now);
  // The way of those that were kept may be gone for all of them, unheard of: new ones find another.
  if (!head && on->reused && head.error().kind == http::failure_kind::timed_out) state.pool.drop_idle();
  if (!head)
    co_return attempt{std::unexpected(to_api_error(head.error())), may_repeat(*on, shape, head.error())};
  auto outcome = co_await read_answer(state, *on->connection, *head, what, deadline);
  state.pool.keep(std::move(on->connection), now->tls.get());
  if (head->status == 401) state.who.refused(*now);
  co_return attempt{std::move(outcome)};
}

// What the server asked us to wait (a second when it does not say, a quarter of one at least) and up to half
// a second more, so that those who were throttled together do not come back together; nothing when trying
// again makes no sense.
std::optional<milliseconds> pause_before_retry(client::state& state, const reply& outcome,
                                               clock::time_point deadline) {
  if (outcome || outcome.error().code != api_errc::too_many_requests) return std::nullopt;
  const milliseconds asked = outcome.error().retry_after.value_or(seconds{1});
  const milliseconds more{static_cast<long>(500 * chance(state.random))};
  const auto pause = std::max(asked, least_pause) + more;
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

// How long this request has to wait for its turn within the bound on queries a second.
milliseconds delay_before_turn(client::state& state, const request& what) {
  return urgent(what) ? milliseconds{0} : state.limit.take(clock::now());
}

// Waits so long: what ended the wait before, if anything did.
asio::awaitable<std::optional<api_error>> wait_out(client::state& state, milliseconds wait,
                                                   clock::time_point deadline) {
  if (clock::now() + wait >= deadline) {
    state.limit.give_back();
    co_return api_failure(api_errc::timed_out, "held back: too many queries a second for its time-out");
  }
  if (co_await sleep_for(state.on, wait)) co_return std::nullopt;
  state.limit.give_back();
  co_return api_failure(api_errc::cancelled, "cancelled");
}

// A request's place among those that have a connection, given back with it. One that is urgent needs none.
class place {
 public:
  place(connection_pool& in, const request& what) : in_(in), patient_(what.patient), needed_(!urgent(what)) {}
  ~place() { leave(); }
  place(const place&) = delete;
  place& operator=(const place&) = delete;

  bool try_enter() { return inside_ = !needed_ || in_.try_enter(patient_); }
  // False when cancelled, or at the deadline.
  asio::awaitable<bool> enter(clock::time_point deadline) {
    inside_ = co_await in_.enter(deadline, patient_);
    co_return inside_;
  }
  void leave() {
    if (std::exchange(inside_, false) && needed_) in_.leave(patient_);
  }

 private:
  connection_pool& in_;
  bool patient_, needed_;
  bool inside_ = false;
};

// Others have its place meanwhile: one webhook that asks to wait must not stop all.
asio::awaitable<bool> pause_outside(client::state& state, place& mine, milliseconds pause,
                                    clock::time_point deadline) {
  mine.leave();
  if (!co_await sleep_for(state.on, pause)) co_return false;
  if (mine.try_enter()) co_return true;
  co_return co_await mine.enter(deadline);
}

asio::awaitable<reply> try_until(client::state& state, place& mine, const request& what,
                                 clock::time_point deadline) {
  bool refreshed = false;
  for (int tries = 1;; ++tries) {
    if (const auto wait = delay_before_turn(state, what); wait > milliseconds{0})
      if (auto ended = co_await wait_out(state, wait, deadline)) co_return std::unexpected(std::move(*ended));
    auto made = co_await try_once(state, what, deadline);
    if (made.outcome || tries >= most_tries) co_return std::move(made.outcome);
    if (made.again) {
      state.pool.drop_idle();
      continue;
    }
    if (made.outcome.error().status == 401 && !refreshed) {
      refreshed = true;
      continue;
    }
    const auto pause = pause_before_retry(state, made.outcome, deadline);
    if (!pause || !co_await pause_outside(state, mine, *pause, deadline)) co_return std::move(made.outcome);
  }
}

}  // namespace

client::client(asio::any_io_executor executor, connection_config config, client_options options)
    : state_(std::make_shared<state>(std::move(executor), std::move(config), std::move(options))) {}
client::~client() = default;
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;

request_load client::load() const {
  return state_->pool.load();
}

asio::awaitable<reply> client::call(std::shared_ptr<const request> asked) {
  // An operation that was cancelled says so by its error code; nothing here throws.
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto keep = state_;
  const auto& what = *asked;
  if (!keep->where) co_return std::unexpected(api_failure(api_errc::transport, keep->where.error().message));
  const auto deadline = clock::now() + what.timeout;
  place mine(keep->pool, what);
  if (!mine.try_enter() && !co_await mine.enter(deadline)) {
    if (clock::now() < deadline) co_return std::unexpected(api_failure(api_errc::cancelled, "cancelled"));
    co_return std::unexpected(api_failure(api_errc::timed_out, "no connection became free in time"));
  }
  try {
    co_return co_await try_until(*keep, mine, what, deadline);
  } catch (const std::exception& e) {
    co_return std::unexpected(api_failure(api_errc::transport, e.what()));
  }
}

}  // namespace egress::kube
