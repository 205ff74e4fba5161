#include "runtime/http/server.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <optional>
#include <vector>

namespace egress::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto tuple_awaitable = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t head_limit = 64 * 1024;
constexpr std::size_t read_at_once = 4096;
constexpr std::chrono::milliseconds most_linger{2000};

using request_parser = beast::http::request_parser<beast::http::string_body>;

// What is said to a request that could not be read; nothing to a client that closed or was too slow.
std::optional<server_response> refusal_of(const error_code& failed) {
  if (failed == beast::http::error::body_limit)
    return server_response{413, "text/plain", "the request's body is too large\n", {}};
  if (failed == beast::http::error::header_limit || failed == beast::http::error::buffer_overflow)
    return server_response{431, "text/plain", "the request's head is too large\n", {}};
  const bool ended =
      failed == beast::http::error::end_of_stream || failed == beast::http::error::partial_message;
  if (ended || failed.category() != error_code{beast::http::error::bad_method}.category())
    return std::nullopt;
  return server_response{400, "text/plain", "this is no HTTP/1.1 request\n", {}};
}

server_request request_of(request_parser& parser) {
  auto& from = parser.get();
  return {std::string{from.method_string()},
          std::string{from.target()},
          std::string{from[beast::http::field::content_type]},
          std::string{from[beast::http::field::accept]},
          std::string{from[beast::http::field::host]},
          std::string{from[beast::http::field::origin]},
          std::move(from.body())};
}

// What of the request decides the answer's form.
struct asked {
  bool keep_alive = false, head_only = false;
  bool chunks = true;  // HTTP/1.0 has none: a stream ends with its connection
};

class stream_responder final : public responder {
 public:
  stream_responder(beast::tcp_stream& to, const server_limits& limits, const asked& by)
      : to_(to), limits_(limits), by_(by) {}

  asio::awaitable<bool> answer(server_response what) override {
    beast::http::response<beast::http::string_body> out;
    out.result(what.status);
    out.version(11);
    out.keep_alive(by_.keep_alive);
    out.set(beast::http::field::content_type, what.content_type);
    for (const auto& [name, value] : what.headers)
      out.insert(name, value);  // some come more than once: Warning
    out.content_length(what.body.size());
    if (!by_.head_only) out.body() = std::move(what.body);
    answered_ = true;
    to_.expires_after(limits_.write);
    auto [failed, bytes] = co_await beast::http::async_write(to_, out, tuple_awaitable);
    alive_ = !failed;
    co_return alive_;
  }

  asio::awaitable<bool> begin(unsigned status, std::string content_type) override {
    beast::http::response<beast::http::empty_body> out;
    out.result(status);
    out.version(11);
    out.set(beast::http::field::content_type, content_type);
    out.keep_alive(by_.keep_alive && by_.chunks);
    if (by_.chunks) out.chunked(true);
    answered_ = streaming_ = true;
    beast::http::response_serializer<beast::http::empty_body> head(out);
    to_.expires_after(limits_.write);
    auto [failed, bytes] = co_await beast::http::async_write_header(to_, head, tuple_awaitable);
    alive_ = !failed;
    co_return alive_;
  }

  asio::awaitable<bool> chunk(std::string_view bytes) override {
    if (!alive_ || bytes.empty() || by_.head_only) co_return alive_;
    to_.expires_after(limits_.write);
    const asio::const_buffer plain(bytes.data(), bytes.size());
    error_code failed;
    std::size_t count = 0;
    if (by_.chunks)
      std::tie(failed, count) =
          co_await asio::async_write(to_, beast::http::make_chunk(plain), tuple_awaitable);
    else
      std::tie(failed, count) = co_await asio::async_write(to_, plain, tuple_awaitable);
    alive_ = !failed;
    co_return alive_;
  }

  void cut() override {
    answered_ = streaming_ = true;
    alive_ = false;
  }

  // After the handler: the end of a stream, or an answer for a handler that forgot it.
  asio::awaitable<bool> finish() {
    if (!answered_) co_return co_await answer({500, "text/plain", "no answer\n", {}});
    if (!streaming_ || !alive_ || by_.head_only) co_return alive_;
    if (!by_.chunks) co_return false;
    to_.expires_after(limits_.write);
    auto [failed, count] = co_await asio::async_write(to_, beast::http::make_chunk_last(), tuple_awaitable);
    co_return !failed;
  }

 private:
  beast::tcp_stream& to_;
  const server_limits& limits_;
  asked by_;
  bool answered_ = false, streaming_ = false, alive_ = true;
};

}  // namespace

struct server::state : std::enable_shared_from_this<state> {
  state(asio::any_io_executor executor, request_handler to, server_limits with)
      : on(std::move(executor)), handle(std::move(to)), limits(with), acceptor(on) {}

  asio::awaitable<void> accept_all(std::shared_ptr<state> keep);
  asio::awaitable<void> converse(std::shared_ptr<state> keep, std::shared_ptr<beast::tcp_stream> with);
  asio::awaitable<bool> one_request(beast::tcp_stream& with, beast::flat_buffer& buffer);
  asio::awaitable<error_code> read_head(beast::tcp_stream& with, beast::flat_buffer& buffer,
                                        request_parser& parser);
  asio::awaitable<error_code> read_body(beast::tcp_stream& with, beast::flat_buffer& buffer,
                                        request_parser& parser);
  asio::awaitable<void> refuse(beast::tcp_stream& with, server_response why);
  void make_room();
  void asked_now(const std::shared_ptr<beast::tcp_stream>& by);
  void close();

  asio::any_io_executor on;
  request_handler handle;
  server_limits limits;
  tcp::acceptor acceptor;
  std::vector<std::shared_ptr<beast::tcp_stream>> connections;  // the one that asked longest ago first
  bool stopped = false;
};

// Not the new one is turned away: whoever keeps many open would else keep the kubelet's probes out.
void server::state::make_room() {
  while (!connections.empty() && connections.size() >= limits.connections) {
    const auto oldest = connections.front();
    connections.erase(connections.begin());
    oldest->cancel();
    oldest->close();
  }
}

// One that made room stays out, even if its last answer was under way.
void server::state::asked_now(const std::shared_ptr<beast::tcp_stream>& by) {
  const auto at = std::ranges::find(connections, by);
  if (at != connections.end()) std::rotate(at, at + 1, connections.end());
}

asio::awaitable<void> server::state::accept_all(std::shared_ptr<state> keep) {
  while (!stopped) {
    auto [failed, socket] = co_await acceptor.async_accept(tuple_awaitable);
    if (stopped) co_return;
    if (failed) {
      // Out of descriptors, mostly: others may end meanwhile.
      asio::steady_timer pause(on, std::chrono::milliseconds{50});
      co_await pause.async_wait(tuple_awaitable);
      continue;
    }
    make_room();
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    auto stream = std::make_shared<beast::tcp_stream>(std::move(socket));
    connections.push_back(stream);
    asio::co_spawn(on, converse(keep, stream), asio::detached);
  }
}

// The head of the next request: waits for its first byte as long as a connection may idle, for the rest as
// long as a request may take.
asio::awaitable<error_code> server::state::read_head(beast::tcp_stream& with, beast::flat_buffer& buffer,
                                                     request_parser& parser) {
  if (buffer.size() == 0) {
    with.expires_after(limits.idle);
    auto [nothing, first] = co_await with.async_read_some(buffer.prepare(read_at_once), tuple_awaitable);
    if (nothing) co_return nothing;
    buffer.commit(first);
  }
  with.expires_after(limits.read);
  auto [failed, bytes] = co_await beast::http::async_read_header(with, buffer, parser, tuple_awaitable);
  co_return failed;
}

asio::awaitable<error_code> server::state::read_body(beast::tcp_stream& with, beast::flat_buffer& buffer,
                                                     request_parser& parser) {
  if (beast::iequals(parser.get()[beast::http::field::expect], "100-continue"))
    co_await asio::async_write(with, asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")),
                               tuple_awaitable);
  with.expires_after(limits.read);
  auto [failed, bytes] = co_await beast::http::async_read(with, buffer, parser, tuple_awaitable);
  co_return failed;
}

asio::awaitable<bool> server::state::one_request(beast::tcp_stream& with, beast::flat_buffer& buffer) {
  request_parser parser;
  parser.header_limit(head_limit);
  parser.body_limit(limits.body_bytes);
  auto failed = co_await read_head(with, buffer, parser);
  if (!failed) failed = co_await read_body(with, buffer, parser);
  if (failed) {
    if (const auto why = refusal_of(failed)) co_await refuse(with, *why);
    co_return false;
  }
  const bool keep_alive = parser.keep_alive();
  const bool head_only = parser.get().method() == beast::http::verb::head;
  const asked by{keep_alive, head_only, parser.get().version() >= 11};
  stream_responder reply(with, limits, by);
  co_await handle(request_of(parser), reply);
  co_return co_await reply.finish() && keep_alive;
}

// Answers, and lets the client read it: closed with bytes of the request unread, the connection would be
// reset and the answer lost.
asio::awaitable<void> server::state::refuse(beast::tcp_stream& with, server_response why) {
  stream_responder reply(with, limits, {});
  if (!co_await reply.answer(std::move(why))) co_return;
  error_code ignored;
  with.socket().shutdown(tcp::socket::shutdown_send, ignored);
  std::array<char, read_at_once> rest;
  with.expires_after(std::min(limits.read, most_linger));
  for (;;) {
    auto [ended, bytes] = co_await with.async_read_some(asio::buffer(rest), tuple_awaitable);
    if (ended) co_return;
  }
}

asio::awaitable<void> server::state::converse(std::shared_ptr<state> keep,
                                              std::shared_ptr<beast::tcp_stream> with) {
  // Bodies leave it piece by piece. What is neither head nor body (the line before a chunk, trailers) is
  // within no limit of the parser's.
  beast::flat_buffer buffer{std::size_t{2} * head_limit};
  try {
    while (!stopped && co_await one_request(*with, buffer)) asked_now(with);
  } catch (const std::exception&) {
    // A handler's promise broken, or cancelled: this connection ends, the server goes on.
  }
  error_code ignored;
  with->socket().shutdown(tcp::socket::shutdown_send, ignored);
  std::erase(connections, with);
}

void server::state::close() {
  stopped = true;
  error_code ignored;
  acceptor.close(ignored);
  for (const auto& one : connections) one->cancel();
  for (const auto& one : connections) one->close();
}

request_handler plain_handler(std::function<server_response(const server_request&)> answer) {
  return [answer = std::move(answer)](server_request what, responder& to) -> asio::awaitable<void> {
    auto made = answer(what);
    co_await to.answer(std::move(made));
  };
}

server::server(asio::any_io_executor on, request_handler handle, server_limits limits)
    : state_(std::make_shared<state>(std::move(on), std::move(handle), limits)) {}

server::~server() {
  stop();
}

result<void> server::serve(int listening_fd) {
  error_code bad;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(listening_fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return fail("the listening socket is unusable: {}", std::strerror(errno));
  state_->acceptor.assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), listening_fd, bad);
  if (bad) return fail("the listening socket is unusable: {}", bad.message());
  asio::post(state_->on, [s = state_] { asio::co_spawn(s->on, s->accept_all(s), asio::detached); });
  return {};
}

void server::stop() {
  asio::post(state_->on, [s = state_] { s->close(); });
}

}  // namespace egress::http
