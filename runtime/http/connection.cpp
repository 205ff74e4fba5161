#include "runtime/http/connection.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <charconv>
#include <memory_resource>
#include <tuple>

#include "runtime/http/resolve.hpp"
#include "runtime/http/withheld_stream.hpp"
#include "runtime/net/keep_alive.hpp"
#include "runtime/net/tls.hpp"

namespace egress::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

// The header fields of an exchange, the request's and its answer's, usually live in one block, and go
// together.
using field_allocator = std::pmr::polymorphic_allocator<char>;
using request_message =
    beast::http::request<beast::http::string_body, beast::http::basic_fields<field_allocator>>;
using response_parser = beast::http::response_parser<beast::http::buffer_body, field_allocator>;
constexpr std::size_t usual_fields = 3 * 1024;  // with a service account's token

constexpr auto tuple_awaitable = asio::as_tuple(asio::use_awaitable);
// A piece is what one read brought. Beast reads as much as its buffer has room for, and 512 bytes when it has
// none.
constexpr std::size_t piece_size = 8 * 1024;
constexpr std::uint32_t head_limit = 64 * 1024;

// An idle connection on which something came, the end included, is of no more use.
bool is_quiet(int fd) {
  char byte = 0;
  const auto got = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool is_tls(const error_code& code) {
  return code.category() == asio::error::get_ssl_category();
}

failure_kind kind_of(const error_code& code, bool answer_began) {
  if (code == beast::error::timeout || code == asio::error::timed_out) return failure_kind::timed_out;
  if (code == asio::error::operation_aborted) return failure_kind::cancelled;
  if (is_tls(code) && !answer_began) return failure_kind::untrusted;
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

void fill(request_message& made, client_request& what, const base_url& to) {
  made.method_string(what.method);
  made.target(what.target);
  made.version(11);
  made.set(beast::http::field::host, to.authority());
  for (const auto& [name, value] : what.headers) made.set(name, value);
  made.body() = std::move(what.body);
  made.prepare_payload();
}

}  // namespace

// Either stream; the plain one is the TLS one's lower layer.
struct connection::state {
  state(asio::any_io_executor on, connect_options with) : options(std::move(with)) {
    if (options.tls)
      tls.emplace(withheld_stream(on), *options.tls);
    else
      plain.emplace(on);
  }

  withheld_stream& lowest() { return tls ? tls->next_layer() : *plain; }
  failure failed(failure_kind kind, std::string_view what, const error_code& code) const {
    return {kind, fmt::format("{}: {}: {}", options.where.authority(), what, code.message())};
  }
  // The same operation on whichever there is.
  template <class Operation>
  auto on_stream(Operation what) {
    return tls ? what(*tls) : what(*plain);
  }
  failure not_connected(std::string_view what, const error_code& code) const {
    return failed(code == asio::error::operation_aborted ? failure_kind::cancelled : failure_kind::connect,
                  what, code);
  }

  asio::awaitable<std::expected<void, failure>> connect();
  asio::awaitable<std::expected<void, failure>> shake_hands();
  asio::awaitable<error_code> write(client_request what);

  connect_options options;
  std::optional<beast::ssl_stream<withheld_stream>> tls;
  std::optional<withheld_stream> plain;
  beast::flat_buffer buffer;
  std::array<std::byte, usual_fields> first_fields;
  std::pmr::monotonic_buffer_resource fields{first_fields.data(), first_fields.size()};
  std::optional<request_message> message;  // while it is written
  std::optional<response_parser> parser;
  std::unique_ptr<char[]> piece;  // of piece_size, while an answer is read
  bool broken = false;
};

connection::connection(std::unique_ptr<state> from) : state_(std::move(from)) {}
connection::~connection() = default;

asio::awaitable<std::expected<void, failure>> connection::state::connect() {
  const auto until = std::min(steady_clock::now() + options.connect_timeout, options.deadline);
  auto addresses = co_await resolve(lowest().get_executor(), options.where, until);
  if (!addresses) co_return std::unexpected(not_connected("no address", addresses.error()));
  lowest().expires_at(until);
  auto [refused, endpoint] = co_await lowest().async_connect(*addresses, tuple_awaitable);
  if (refused) co_return std::unexpected(not_connected("no connection", refused));
  net::keep_alive(lowest().socket().native_handle());
  error_code ignored;
  lowest().socket().set_option(tcp::no_delay(true), ignored);
  if (!tls) co_return std::expected<void, failure>{};
  co_return co_await shake_hands();
}

asio::awaitable<std::expected<void, failure>> connection::state::shake_hands() {
  const auto& name = options.server_name.empty() ? options.where.host : options.server_name;
  net::expect_peer(tls->native_handle(), name, options.verify);
  lowest().expires_at(std::min(steady_clock::now() + options.tls_timeout, options.deadline));
  auto [bad] = co_await tls->async_handshake(asio::ssl::stream_base::client, tuple_awaitable);
  if (!bad) co_return std::expected<void, failure>{};
  auto why = not_connected("TLS", bad);
  if (is_tls(bad)) why.kind = failure_kind::untrusted;
  if (const auto refused = net::why_refused(tls->native_handle(), name); options.verify && !refused.empty())
    why.message = fmt::format("{}: TLS: {}", options.where.authority(), refused);
  co_return std::unexpected(std::move(why));
}

asio::awaitable<std::expected<std::unique_ptr<connection>, failure>> connection::open(
    asio::any_io_executor on, connect_options options) {
  auto made = std::make_unique<state>(on, std::move(options));
  auto connected = co_await made->connect();
  if (!connected) co_return std::unexpected(std::move(connected.error()));
  co_return std::unique_ptr<connection>(new connection(std::move(made)));
}

asio::awaitable<error_code> connection::state::write(client_request what) {
  message.emplace(std::piecewise_construct, std::tuple(), std::tuple(field_allocator(&fields)));
  fill(*message, what, options.where);
  auto [code, bytes] = co_await on_stream(
      [this](auto& to) { return beast::http::async_write(to, *message, tuple_awaitable); });
  message.reset();
  co_return code;
}

asio::awaitable<std::expected<response_head, failure>> connection::send(client_request what,
                                                                        std::chrono::milliseconds timeout) {
  auto& s = *state_;
  s.broken = true;  // until an answer says otherwise
  s.message.reset();
  s.parser.reset();
  s.fields.release();
  s.parser.emplace(std::piecewise_construct, std::tuple(), std::tuple(field_allocator(&s.fields)));
  s.parser->header_limit(head_limit);
  s.parser->body_limit(boost::none);
  s.lowest().expires_after(timeout);
  s.lowest().ask(std::move(what.may_leave));
  const auto unsent = co_await s.write(std::move(what));
  const bool withheld = s.lowest().withheld();
  s.lowest().ask({});
  if (withheld)
    co_return std::unexpected(s.failed(failure_kind::withheld, "the request was held back", unsent));
  // TLS 1.3: a server that refuses our certificate says so after the handshake, and closes. What it said can
  // be read still.
  const bool closed = unsent == asio::error::broken_pipe || unsent == asio::error::connection_reset;
  if (unsent && !(s.tls && closed))
    co_return std::unexpected(s.failed(kind_of(unsent, false), "the request was not sent", unsent));
  s.buffer.reserve(piece_size);
  auto [code, bytes] = co_await s.on_stream([&s](auto& from) {
    return beast::http::async_read_header(from, s.buffer, *s.parser, tuple_awaitable);
  });
  if (unsent && !is_tls(code))
    co_return std::unexpected(s.failed(kind_of(unsent, false), "the request was not sent", unsent));
  if (code) {
    auto why =
        s.failed(kind_of(code, bytes > 0 || s.parser->got_some()), is_tls(code) ? "TLS" : "no answer", code);
    why.sent = !unsent;
    co_return std::unexpected(std::move(why));
  }
  co_return head_of(*s.parser);
}

asio::awaitable<std::expected<std::string_view, failure>> connection::read_some(
    std::chrono::milliseconds timeout) {
  auto& s = *state_;
  if (!s.piece) s.piece = std::make_unique_for_overwrite<char[]>(piece_size);
  // A chunk's framing may arrive without a byte of its body: read on until there is one.
  while (!s.parser->is_done()) {
    auto& body = s.parser->get().body();
    body.data = s.piece.get();
    body.size = piece_size;
    s.lowest().expires_after(timeout);
    auto [code, bytes] = co_await s.on_stream([&s](auto& from) {
      return beast::http::async_read_some(from, s.buffer, *s.parser, tuple_awaitable);
    });
    if (code && code != beast::http::error::need_buffer) {
      auto why = s.failed(kind_of(code, true), "the answer broke off", code);
      why.sent = true;
      co_return std::unexpected(std::move(why));
    }
    if (const auto got = piece_size - body.size; got > 0) co_return std::string_view(s.piece.get(), got);
  }
  s.broken = !s.parser->get().keep_alive();
  s.lowest().expires_never();
  // An idle connection keeps none.
  s.piece.reset();
  s.buffer.shrink_to_fit();
  co_return std::string_view{};
}

bool connection::idle() const {
  auto& s = *state_;
  return !s.broken && s.buffer.size() == 0 && s.lowest().socket().is_open();
}

bool connection::reusable() const {
  return idle() && is_quiet(state_->lowest().socket().native_handle());
}

}  // namespace egress::http
