#include "runtime/http/connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <charconv>

#include "runtime/net/keep_alive.hpp"

namespace egress::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto tuple_awaitable = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t piece_size = 16 * 1024;
constexpr std::uint32_t head_limit = 64 * 1024;

failure_kind kind_of(const error_code& code, bool answer_began) {
  if (code == beast::error::timeout || code == asio::error::timed_out) return failure_kind::timed_out;
  if (code == asio::error::operation_aborted) return failure_kind::cancelled;
  if (code.category() == error_code{beast::http::error::bad_version}.category() &&
      code != beast::http::error::end_of_stream && code != beast::http::error::partial_message)
    return failure_kind::malformed;
  return answer_began ? failure_kind::cut : failure_kind::stale;
}

response_head head_of(const beast::http::response_parser<beast::http::buffer_body>& parser) {
  const auto& fields = parser.get();
  response_head head;
  head.status = static_cast<int>(fields.result_int());
  head.gzip = fields[beast::http::field::content_encoding] == "gzip";
  const auto after = fields[beast::http::field::retry_after];
  unsigned delay = 0;
  const auto [end, code] = std::from_chars(after.data(), after.data() + after.size(), delay);
  if (code == std::errc{} && end == after.data() + after.size() && !after.empty())
    head.retry_after = std::chrono::seconds{delay};
  return head;
}

}  // namespace

// Either stream; the plain one is the TLS one's lower layer.
struct connection::state {
  state(asio::any_io_executor on, connect_options with) : options(std::move(with)), resolver(on) {
    if (options.tls)
      tls.emplace(beast::tcp_stream(on), *options.tls);
    else
      plain.emplace(on);
  }

  beast::tcp_stream& lowest() { return tls ? tls->next_layer() : *plain; }
  failure failed(failure_kind kind, std::string_view what, const error_code& code) const {
    return {kind, fmt::format("{}: {}: {}", options.where.authority(), what, code.message())};
  }

  asio::awaitable<std::expected<void, failure>> connect();
  asio::awaitable<std::expected<void, failure>> shake_hands();

  connect_options options;
  tcp::resolver resolver;
  std::optional<beast::ssl_stream<beast::tcp_stream>> tls;
  std::optional<beast::tcp_stream> plain;
  beast::flat_buffer buffer;
  std::optional<beast::http::response_parser<beast::http::buffer_body>> parser;
  std::vector<char> piece;
  bool broken = false;
};

connection::connection(std::unique_ptr<state> from) : state_(std::move(from)) {}
connection::~connection() = default;

asio::awaitable<std::expected<void, failure>> connection::state::connect() {
  const auto& where = options.where;
  auto [unresolved, addresses] = co_await resolver.async_resolve(where.host, where.port, tuple_awaitable);
  if (unresolved) co_return std::unexpected(failed(failure_kind::connect, "no address", unresolved));
  lowest().expires_after(options.connect_timeout);
  auto [refused, endpoint] = co_await lowest().async_connect(addresses, tuple_awaitable);
  if (refused) co_return std::unexpected(failed(failure_kind::connect, "no connection", refused));
  net::keep_alive(lowest().socket().native_handle());
  error_code ignored;
  lowest().socket().set_option(tcp::no_delay(true), ignored);
  if (!tls) co_return std::expected<void, failure>{};
  co_return co_await shake_hands();
}

asio::awaitable<std::expected<void, failure>> connection::state::shake_hands() {
  const auto& name = options.server_name.empty() ? options.where.host : options.server_name;
  error_code not_an_address;
  asio::ip::make_address(name, not_an_address);
  // RFC 6066: SNI carries names only.
  if (not_an_address) SSL_set_tlsext_host_name(tls->native_handle(), name.c_str());
  if (options.verify) {
    tls->set_verify_mode(asio::ssl::verify_peer);
    tls->set_verify_callback(asio::ssl::host_name_verification(name));
  } else {
    tls->set_verify_mode(asio::ssl::verify_none);
  }
  lowest().expires_after(options.tls_timeout);
  auto [bad] = co_await tls->async_handshake(asio::ssl::stream_base::client, tuple_awaitable);
  if (bad) co_return std::unexpected(failed(failure_kind::connect, "TLS", bad));
  co_return std::expected<void, failure>{};
}

asio::awaitable<std::expected<std::unique_ptr<connection>, failure>> connection::open(
    asio::any_io_executor on, connect_options options) {
  auto made = std::make_unique<state>(on, std::move(options));
  auto connected = co_await made->connect();
  if (!connected) co_return std::unexpected(std::move(connected.error()));
  co_return std::unique_ptr<connection>(new connection(std::move(made)));
}

asio::awaitable<std::expected<response_head, failure>> connection::send(client_request what,
                                                                        std::chrono::milliseconds timeout) {
  auto& s = *state_;
  beast::http::request<beast::http::string_body> out;
  out.method_string(what.method);
  out.target(what.target);
  out.version(11);
  out.set(beast::http::field::host, s.options.where.authority());
  for (const auto& [name, value] : what.headers) out.set(name, value);
  out.body() = std::move(what.body);
  out.prepare_payload();

  s.broken = true;  // until an answer says otherwise
  s.parser.emplace();
  s.parser->header_limit(head_limit);
  s.parser->body_limit(boost::none);
  s.lowest().expires_after(timeout);
  error_code code;
  std::size_t bytes = 0;
  if (s.tls)
    std::tie(code, bytes) = co_await beast::http::async_write(*s.tls, out, tuple_awaitable);
  else
    std::tie(code, bytes) = co_await beast::http::async_write(*s.plain, out, tuple_awaitable);
  if (code) co_return std::unexpected(s.failed(kind_of(code, false), "the request was not sent", code));

  if (s.tls)
    std::tie(code, bytes) =
        co_await beast::http::async_read_header(*s.tls, s.buffer, *s.parser, tuple_awaitable);
  else
    std::tie(code, bytes) =
        co_await beast::http::async_read_header(*s.plain, s.buffer, *s.parser, tuple_awaitable);
  if (code)
    co_return std::unexpected(s.failed(kind_of(code, bytes > 0 || s.parser->got_some()), "no answer", code));
  co_return head_of(*s.parser);
}

asio::awaitable<std::expected<std::string_view, failure>> connection::read_some(
    std::chrono::milliseconds timeout) {
  auto& s = *state_;
  s.piece.resize(piece_size);
  // A chunk's framing may arrive without a byte of its body: read on until there is one.
  while (!s.parser->is_done()) {
    auto& body = s.parser->get().body();
    body.data = s.piece.data();
    body.size = s.piece.size();
    s.lowest().expires_after(timeout);
    error_code code;
    std::size_t bytes = 0;
    if (s.tls)
      std::tie(code, bytes) =
          co_await beast::http::async_read_some(*s.tls, s.buffer, *s.parser, tuple_awaitable);
    else
      std::tie(code, bytes) =
          co_await beast::http::async_read_some(*s.plain, s.buffer, *s.parser, tuple_awaitable);
    if (code && code != beast::http::error::need_buffer)
      co_return std::unexpected(s.failed(kind_of(code, true), "the answer broke off", code));
    if (const auto got = s.piece.size() - body.size; got > 0) co_return std::string_view(s.piece.data(), got);
  }
  s.broken = !s.parser->get().keep_alive();
  s.lowest().expires_never();
  s.piece = std::vector<char>();  // gives its memory back; an idle connection keeps none
  co_return std::string_view{};
}

bool connection::reusable() const {
  return !state_->broken && state_->lowest().socket().is_open();
}

}  // namespace egress::http
