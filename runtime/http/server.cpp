#include "runtime/http/server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <set>

namespace egress::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto tuple_awaitable = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t head_limit = 64 * 1024;

using request_parser = beast::http::request_parser<beast::http::string_body>;

server_request request_of(request_parser& parser) {
  auto& from = parser.get();
  return {std::string{from.method_string()}, std::string{from.target()},
          std::string{from[beast::http::field::content_type]}, std::string{from[beast::http::field::accept]},
          std::move(from.body())};
}

class stream_responder final : public responder {
 public:
  stream_responder(beast::tcp_stream& to, const server_limits& limits, bool keep_alive, bool head_only)
      : to_(to), limits_(limits), keep_alive_(keep_alive), head_only_(head_only) {}

  asio::awaitable<bool> answer(server_response what) override {
    beast::http::response<beast::http::string_body> out;
    out.result(what.status);
    out.version(11);
    out.keep_alive(keep_alive_);
    out.set(beast::http::field::content_type, what.content_type);
    for (const auto& [name, value] : what.headers)
      out.insert(name, value);  // some come more than once: Warning
    out.content_length(what.body.size());
    if (!head_only_) out.body() = std::move(what.body);
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
    out.chunked(true);
    answered_ = streaming_ = true;
    beast::http::response_serializer<beast::http::empty_body> head(out);
    to_.expires_after(limits_.write);
    auto [failed, bytes] = co_await beast::http::async_write_header(to_, head, tuple_awaitable);
    alive_ = !failed;
    co_return alive_;
  }

  asio::awaitable<bool> chunk(std::string_view bytes) override {
    if (!alive_ || bytes.empty()) co_return alive_;
    to_.expires_after(limits_.write);
    auto [failed, count] = co_await asio::async_write(
        to_, beast::http::make_chunk(asio::const_buffer(bytes.data(), bytes.size())), tuple_awaitable);
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
    if (!streaming_ || !alive_) co_return alive_;
    to_.expires_after(limits_.write);
    auto [failed, count] = co_await asio::async_write(to_, beast::http::make_chunk_last(), tuple_awaitable);
    co_return !failed;
  }

 private:
  beast::tcp_stream& to_;
  const server_limits& limits_;
  bool keep_alive_, head_only_;
  bool answered_ = false, streaming_ = false, alive_ = true;
};

}  // namespace

struct server::state : std::enable_shared_from_this<state> {
  state(asio::any_io_executor executor, request_handler to, server_limits with)
      : on(std::move(executor)), handle(std::move(to)), limits(with), acceptor(on) {}

  asio::awaitable<void> accept_all(std::shared_ptr<state> keep);
  asio::awaitable<void> converse(std::shared_ptr<state> keep, std::shared_ptr<beast::tcp_stream> with);
  asio::awaitable<bool> one_request(beast::tcp_stream& with, beast::flat_buffer& buffer);
  void close();

  asio::any_io_executor on;
  request_handler handle;
  server_limits limits;
  tcp::acceptor acceptor;
  std::set<std::shared_ptr<beast::tcp_stream>> connections;
  bool stopped = false;
};

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
    if (connections.size() >= limits.connections) continue;
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    auto stream = std::make_shared<beast::tcp_stream>(std::move(socket));
    connections.insert(stream);
    asio::co_spawn(on, converse(keep, stream), asio::detached);
  }
}

asio::awaitable<bool> server::state::one_request(beast::tcp_stream& with, beast::flat_buffer& buffer) {
  request_parser parser;
  parser.header_limit(head_limit);
  parser.body_limit(limits.body_bytes);
  with.expires_after(buffer.size() == 0 ? limits.idle : limits.read);
  auto [no_head, head_bytes] = co_await beast::http::async_read_header(with, buffer, parser, tuple_awaitable);
  if (no_head == beast::http::error::end_of_stream || no_head == beast::error::timeout) co_return false;
  // Asked of half a head, as a cancelled read leaves it, Beast would abort.
  const bool stays = parser.is_header_done() && parser.keep_alive();
  stream_responder reply(with, limits, stays, parser.get().method() == beast::http::verb::head);
  if (!no_head && parser.get()[beast::http::field::expect] == "100-continue")
    co_await asio::async_write(with, asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")),
                               tuple_awaitable);
  error_code failed = no_head;
  if (!failed) {
    with.expires_after(limits.read);
    std::size_t bytes = 0;
    std::tie(failed, bytes) = co_await beast::http::async_read(with, buffer, parser, tuple_awaitable);
  }
  if (failed == beast::http::error::body_limit) {
    co_await reply.answer({413, "text/plain", "the request's body is too large\n", {}});
    co_return false;
  }
  if (failed) {
    if (failed.category() == error_code{beast::http::error::bad_method}.category())
      co_await reply.answer({400, "text/plain", "this is no HTTP/1.1 request\n", {}});
    co_return false;
  }
  const bool keep_alive = parser.keep_alive();
  co_await handle(request_of(parser), reply);
  co_return co_await reply.finish() && keep_alive;
}

asio::awaitable<void> server::state::converse(std::shared_ptr<state> keep,
                                              std::shared_ptr<beast::tcp_stream> with) {
  beast::flat_buffer buffer;
  try {
    while (!stopped && co_await one_request(*with, buffer)) {
    }
  } catch (const std::exception&) {
    // A handler's promise broken, or cancelled: this connection ends, the server goes on.
  }
  error_code ignored;
  with->socket().shutdown(tcp::socket::shutdown_send, ignored);
  connections.erase(with);
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
