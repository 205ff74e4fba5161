#include "runtime/http/connection.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <charconv>
#include <memory_resource>
#include <tuple>

#include "runtime/http/moving_deadline.hpp"
#include "runtime/http/request_text.hpp"
#include "runtime/http/resolve.hpp"
#include "runtime/net/client_stream.hpp"
#include "runtime/net/keep_alive.hpp"
#include "runtime/net/tls.hpp"

namespace egress::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

// The header fields of an answer usually live in one block, and go together.
using field_allocator = std::pmr::polymorphic_allocator<char>;
using response_parser = beast::http::response_parser<beast::http::buffer_body, field_allocator>;
constexpr std::size_t usual_fields = 1024;

constexpr auto tuple_awaitable = asio::as_tuple(asio::use_awaitable);
// What one system call reads at most, and one piece holds.
constexpr std::size_t piece_size = 8 * 1024;
constexpr std::uint32_t head_limit = 64 * 1024;
constexpr int most_interim = 16;        // answers of 1xx before the answer
constexpr int most_reads_in_a_row = 8;  // without a wait: then whatever else is ready has its turn

// An idle connection on which something came, the end included, is of no more use.
bool is_quiet(int fd) {
  char byte = 0;
  const auto got = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool is_tls_error(const error_code& code) {
  return code.category() == asio::error::get_ssl_category();
}

failure_kind kind_of(const error_code& code, bool answer_began) {
  if (code == beast::error::timeout || code == asio::error::timed_out) return failure_kind::timed_out;
  if (code == asio::error::operation_aborted) return failure_kind::cancelled;
  if (is_tls_error(code) && !answer_began) return failure_kind::untrusted;
  if (code.category() == error_code{beast::http::error::bad_version}.category() &&
      code != beast::http::error::end_of_stream && code != beast::http::error::partial_message)
    return failure_kind::malformed;
  return answer_began ? failure_kind::cut : failure_kind::stale;
}

response_head head_of(const response_parser& parser) {
  const auto& fields = parser.get();
  response_head head;
  head.status = static_cast<int>(fields.result_int());
  head.gzip = beast::iequals(fields[beast::http::field::content_encoding], "gzip");
  const auto after = fields[beast::http::field::retry_after];
  unsigned delay = 0;
  const auto [end, code] = std::from_chars(after.data(), after.data() + after.size(), delay);
  if (code == std::errc{} && end == after.data() + after.size() && !after.empty())
    head.retry_after = std::chrono::seconds{delay};
  return head;
}

}  // namespace

struct connection::state {
  state(const asio::any_io_executor& on, connect_options with)
      : options(std::move(with)), socket(on), stream(options.tls), deadline(on, [this] { end_late(); }) {}

  bool is_tls() const { return stream.session() != nullptr; }
  // What waits ends with operation_aborted then, which is told as a time-out.
  void end_late() {
    late = true;
    if (waiting) close();
  }
  // The descriptor's number may be somebody else's from here on.
  void close() {
    error_code ignored;
    socket.close(ignored);
    stream.use(-1);
  }
  void expires_after(std::chrono::milliseconds timeout) {
    late = false;
    deadline.move_to(steady_clock::now() + timeout);
  }
  // Asked between reads, too: a peer may keep them from ever waiting.
  error_code ended(asio::cancellation_state cancellation) const {
    if (late) return beast::error::timeout;
    if (cancellation.cancelled() == asio::cancellation_type::none) return {};
    return asio::error::operation_aborted;
  }
  error_code told(const error_code& code) const {
    return late && code ? error_code{beast::error::timeout} : code;
  }
  failure failed(failure_kind kind, std::string_view what, const error_code& code) const {
    return {kind, fmt::format("{}: {}: {}", options.where.authority(), what, code.message())};
  }
  failure not_sent(const error_code& code) const {
    return failed(kind_of(code, false), "the request was not sent", code);
  }
  failure not_connected(std::string_view what, const error_code& code) const {
    return failed(code == asio::error::operation_aborted ? failure_kind::cancelled : failure_kind::connect,
                  what, code);
  }

  asio::awaitable<std::expected<void, failure>> connect();
  asio::awaitable<std::expected<void, failure>> shake_hands();
  asio::awaitable<error_code> wait(net::client_stream::wait until);
  // As much as the socket takes at once goes without a coroutine.
  net::client_stream::step write_at_once(std::string_view& from);
  asio::awaitable<error_code> write(std::string_view from, net::client_stream::wait until);
  asio::awaitable<error_code> receive();
  asio::awaitable<error_code> read_final_head();
  void expect_answer();
  error_code parse();
  error_code parse_head();
  error_code parse_body();
  // A status of 1xx that another one follows.
  bool is_interim() const;
  bool answer_began() const { return parser && parser->got_some(); }

  connect_options options;
  tcp::socket socket;
  net::client_stream stream;
  moving_deadline deadline;
  bool late = false, waiting = false;
  bool more_is_likely = false;  // a read that gives nothing costs a system call
  int reads_in_a_row = 0;
  beast::flat_buffer buffer;
  std::array<std::byte, usual_fields> first_fields;
  std::pmr::monotonic_buffer_resource fields{first_fields.data(), first_fields.size()};
  std::optional<response_parser> parser;
  std::unique_ptr<char[]> piece;  // of piece_size, while an answer is read
  bool broken = false;
};

connection::connection(std::unique_ptr<state> from) : state_(std::move(from)) {}
connection::~connection() = default;

asio::awaitable<std::expected<void, failure>> connection::state::connect() {
  const auto until = std::min(steady_clock::now() + options.connect_timeout, options.deadline);
  auto addresses = co_await resolve(socket.get_executor(), options.where, until);
  if (!addresses) co_return std::unexpected(not_connected("no address", addresses.error()));
  deadline.move_to(until);
  waiting = true;
  auto [refused, endpoint] = co_await asio::async_connect(socket, *addresses, tuple_awaitable);
  waiting = false;
  if (refused) co_return std::unexpected(not_connected("no connection", told(refused)));
  error_code ignored;
  // Anew, as Asio asks for EPOLLOUT from a connect on: each wait for an answer would first hear of that.
  socket = tcp::socket(socket.get_executor(), endpoint.protocol(), socket.release(ignored));
  net::keep_alive(socket.native_handle());
  socket.set_option(tcp::no_delay(true), ignored);
  stream.use(socket.native_handle());
  if (!is_tls()) co_return std::expected<void, failure>{};
  co_return co_await shake_hands();
}

asio::awaitable<std::expected<void, failure>> connection::state::shake_hands() {
  const auto& name = options.server_name.empty() ? options.where.host : options.server_name;
  net::expect_peer(stream.session(), name, options.verify);
  deadline.move_to(std::min(steady_clock::now() + options.tls_timeout, options.deadline));
  error_code bad;
  for (;;) {
    const auto step = stream.shake_hands();
    bad = told(step.failed);
    if (bad || step.until == net::client_stream::wait::none) break;
    bad = co_await wait(step.until);
    if (bad) break;
  }
  if (!bad) co_return std::expected<void, failure>{};
  auto why = not_connected("TLS", bad);
  if (is_tls_error(bad)) why.kind = failure_kind::untrusted;
  if (const auto refused = net::why_refused(stream.session(), name); options.verify && !refused.empty())
    why.message = fmt::format("{}: TLS: {}", options.where.authority(), refused);
  co_return std::unexpected(std::move(why));
}

asio::awaitable<std::expected<std::unique_ptr<connection>, failure>> connection::open(
    asio::any_io_executor on, connect_options options) {
  auto made = std::make_unique<state>(on, std::move(options));
  auto connected = co_await made->connect();
  if (!connected) co_return std::unexpected(std::move(connected.error()));
  made->deadline.move_to(steady_clock::time_point::max());
  co_return std::unique_ptr<connection>(new connection(std::move(made)));
}

asio::awaitable<error_code> connection::state::wait(net::client_stream::wait until) {
  // Of what was cancelled before it began, nothing more is heard.
  if (const auto code = ended(co_await asio::this_coro::cancellation_state)) co_return code;
  reads_in_a_row = 0;
  waiting = true;
  const auto what =
      until == net::client_stream::wait::readable ? tcp::socket::wait_read : tcp::socket::wait_write;
  auto [code] = co_await socket.async_wait(what, tuple_awaitable);
  waiting = false;
  co_return told(code);
}

net::client_stream::step connection::state::write_at_once(std::string_view& from) {
  net::client_stream::step last;
  while (!from.empty() && !last.failed && last.until == net::client_stream::wait::none) {
    last = stream.write(from);
    from.remove_prefix(last.size);
  }
  return last;
}

asio::awaitable<error_code> connection::state::write(std::string_view from, net::client_stream::wait until) {
  for (;;) {
    if (const auto code = co_await wait(until)) co_return code;
    const auto step = write_at_once(from);
    if (step.failed || from.empty()) co_return told(step.failed);
    until = step.until;
  }
}

// At least a byte more of the answer.
asio::awaitable<error_code> connection::state::receive() {
  // The parser has no limit for the line before a chunk, and for trailers.
  if (buffer.size() > head_limit) co_return beast::http::error::buffer_overflow;
  if (++reads_in_a_row > most_reads_in_a_row) {
    reads_in_a_row = 0;
    co_await asio::post(socket.get_executor(), tuple_awaitable);
    if (const auto code = ended(co_await asio::this_coro::cancellation_state)) co_return code;
  }
  auto until = net::client_stream::wait::readable;
  for (;;) {
    if (more_is_likely || stream.has_more()) {
      const auto room = buffer.prepare(piece_size);
      const auto step = stream.read({static_cast<char*>(room.data()), room.size()});
      buffer.commit(step.size);
      more_is_likely = step.size == room.size();
      if (step.failed || step.size > 0) co_return told(step.failed);
      until = step.until;
    }
    if (const auto code = co_await wait(until)) co_return code;
    more_is_likely = true;
  }
}

// need_more: what has come is all there is.
error_code connection::state::parse() {
  error_code code = beast::http::error::need_more;
  if (buffer.size() > 0) buffer.consume(parser->put(buffer.data(), code));
  return code;
}

// need_more: it is not there as a whole yet.
error_code connection::state::parse_head() {
  while (!parser->is_header_done())
    if (const auto code = parse()) return code;
  return {};
}

// Until there is a byte of the body, or its end.
error_code connection::state::parse_body() {
  auto& body = parser->get().body();
  while (!parser->is_done()) {
    const auto code = parse();
    const bool some = body.size < piece_size;
    if (code == beast::http::error::need_buffer || (some && code == beast::http::error::need_more)) return {};
    if (code) return code;
  }
  return {};
}

bool connection::state::is_interim() const {
  const auto status = parser->get().result_int();
  return status < 200 && parser->get().result() != beast::http::status::switching_protocols;
}

void connection::state::expect_answer() {
  parser.reset();
  fields.release();
  parser.emplace(std::piecewise_construct, std::tuple(), std::tuple(field_allocator(&fields)));
  parser->header_limit(head_limit);
  parser->body_limit(boost::none);
}

// What a proxy says before the answer (RFC 9110 15.2) is passed over.
asio::awaitable<error_code> connection::state::read_final_head() {
  for (int interim = 0;;) {
    auto code = parse_head();
    if (!code && !is_interim()) co_return code;
    if (!code) {
      if (++interim > most_interim) co_return beast::http::error::bad_status;
      expect_answer();
      continue;
    }
    if (code != beast::http::error::need_more) co_return code;
    code = co_await receive();
    if (code == asio::error::eof)
      code = answer_began() ? beast::http::error::partial_message : beast::http::error::end_of_stream;
    if (code) co_return code;
  }
}

asio::awaitable<std::expected<response_head, failure>> connection::send(client_request what,
                                                                        std::chrono::milliseconds timeout) {
  auto& s = *state_;
  s.broken = true;  // until an answer says otherwise
  auto text = request_text(what, s.options.where);
  if (!text)
    co_return std::unexpected(failure{
        failure_kind::malformed,
        fmt::format("{}: the request was not sent: {}", s.options.where.authority(), text.error().message)});
  s.expect_answer();
  s.expires_after(timeout);
  s.stream.ask(std::move(what.may_leave));
  std::string_view rest = *text;
  const auto begun = s.write_at_once(rest);
  auto unsent = s.told(begun.failed);
  if (!begun.failed && !rest.empty()) unsent = co_await s.write(rest, begun.until);
  const bool withheld = s.stream.withheld();
  s.stream.ask({});
  if (withheld) {
    s.close();
    co_return std::unexpected(s.failed(failure_kind::withheld, "the request was held back", unsent));
  }
  // TLS 1.3: a server that refuses our certificate says so after the handshake, and closes. What it said can
  // be read still.
  const bool closed = unsent == asio::error::broken_pipe || unsent == asio::error::connection_reset;
  if (unsent && !(s.is_tls() && closed)) co_return std::unexpected(s.not_sent(unsent));
  text->clear();
  text->shrink_to_fit();
  const auto code = co_await s.read_final_head();
  if (unsent && !is_tls_error(code)) co_return std::unexpected(s.not_sent(unsent));
  if (code) {
    auto why = s.failed(kind_of(code, s.answer_began()), is_tls_error(code) ? "TLS" : "no answer", code);
    why.sent = !unsent;
    co_return std::unexpected(std::move(why));
  }
  // From here on as much at a time as has come, not a chunk.
  s.parser->eager(true);
  co_return head_of(*s.parser);
}

asio::awaitable<std::expected<std::string_view, failure>> connection::read_some(
    std::chrono::milliseconds timeout) {
  auto& s = *state_;
  if (!s.piece) s.piece = std::make_unique_for_overwrite<char[]>(piece_size);
  s.expires_after(timeout);
  s.parser->get().body() = {.data = s.piece.get(), .size = piece_size, .more = true};
  auto code = s.parse_body();
  while (code == beast::http::error::need_more) {
    code = co_await s.receive();
    if (code == asio::error::eof) {
      code = {};
      s.parser->put_eof(code);
    }
    if (!code) code = s.parse_body();
  }
  if (code) {
    auto why = s.failed(kind_of(code, true), "the answer broke off", code);
    why.sent = true;
    co_return std::unexpected(std::move(why));
  }
  if (const auto got = piece_size - s.parser->get().body().size; got > 0)
    co_return std::string_view(s.piece.get(), got);
  const bool speaks_http = s.parser->get().result() != beast::http::status::switching_protocols;
  s.broken = !s.parser->keep_alive() || !speaks_http;
  s.deadline.move_to(steady_clock::time_point::max());
  // An idle connection keeps none.
  s.piece.reset();
  s.buffer.shrink_to_fit();
  co_return std::string_view{};
}

bool connection::idle() const {
  auto& s = *state_;
  return !s.broken && s.buffer.size() == 0 && s.socket.is_open();
}

bool connection::reusable() const {
  return idle() && !state_->stream.has_more() && is_quiet(state_->socket.native_handle());
}

}  // namespace egress::http
