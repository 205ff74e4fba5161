// The server against clients that send what they like, when they like.

#include "runtime/http/server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <latch>
#include <thread>

#include "runtime/net/listen.hpp"
#include "tests/support/raw_peer.hpp"

namespace egress::http {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::raw_peer;

// Says what it was asked: "GET /a [body]\n".
server_response echo(const server_request& what) {
  return {200, "text/plain", what.method + " " + what.target + " [" + what.body + "]\n", {}};
}

class serving {
 public:
  explicit serving(request_handler handle = plain_handler(echo), server_limits limits = {})
      : server_(std::in_place, io_.get_executor(), std::move(handle), limits) {
    auto socket = net::listen_tcp("127.0.0.1:0");
    EXPECT_TRUE(socket);
    port_ = socket->port;
    EXPECT_TRUE(server_->serve(socket->fd.release()));
    thread_ = std::thread([this] { io_.run(); });
  }
  // The thread ends when nothing is left to do: what goes on behind stop() would hang here.
  ~serving() {
    server_.reset();
    thread_.join();
  }
  serving(const serving&) = delete;
  serving& operator=(const serving&) = delete;

  raw_peer connect() const { return raw_peer(port_); }
  void stop() { server_->stop(); }
  // The whole of what the server says to these bytes until it closes.
  std::string says(std::string_view bytes) const {
    auto peer = connect();
    peer.send(bytes);
    return peer.read_all();
  }

 private:
  asio::io_context io_;
  std::optional<server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
const std::string close_field = "Connection: close\r\n";

TEST(http_server, answers_requests_of_one_connection_one_after_the_other) {
  const serving server;
  auto peer = server.connect();
  for (const std::string target : {"/a", "/b"}) {
    peer.send(get(target));
    const auto head = peer.read_until("\r\n\r\n");
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n")) << head;
    EXPECT_FALSE(head.contains("close")) << head;
    EXPECT_EQ(peer.read_until("\n"), "GET " + target + " []\n");
  }
}

TEST(http_server, answers_requests_that_came_together_in_order) {
  const serving server;
  const std::string post = "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyz";
  const auto all = server.says(get("/a") + post + get("/c", close_field));
  const auto a = all.find("GET /a []"), b = all.find("POST /b [xyz]"), c = all.find("GET /c []");
  EXPECT_LT(a, b) << all;
  EXPECT_LT(b, c) << all;
  EXPECT_NE(c, std::string::npos) << all;
}

TEST(http_server, closes_when_the_client_wants_it_or_cannot_do_otherwise) {
  const serving server;
  for (const auto& request : {get("/a", close_field), std::string("GET /a HTTP/1.0\r\n\r\n")}) {
    const auto all = server.says(request);
    EXPECT_TRUE(all.starts_with("HTTP/1.1 200 OK\r\n")) << all;
    EXPECT_TRUE(all.contains("Connection: close\r\n")) << all;
    EXPECT_TRUE(all.ends_with("GET /a []\n")) << all;
  }
}

TEST(http_server, hands_a_method_it_does_not_know_to_the_handler) {
  EXPECT_TRUE(serving()
                  .says("BREW /pot HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                  .ends_with("BREW /pot []\n"));
}

TEST(http_server, answers_a_head_request_without_a_body) {
  const serving server;
  const auto all = server.says("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n" + get("/b", close_field));
  EXPECT_TRUE(all.contains("Content-Length: 11\r\n")) << all;
  EXPECT_FALSE(all.contains("HEAD /a")) << all;
  EXPECT_TRUE(all.ends_with("GET /b []\n")) << all;
}

TEST(http_server, takes_a_body_in_chunks_and_says_to_go_on) {
  const auto all = serving().says(
      "POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nConnection: close\r\n"
      "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
  EXPECT_TRUE(all.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")) << all;
  EXPECT_TRUE(all.ends_with("POST /a [abc]\n")) << all;
}

TEST(http_server, refuses_what_is_too_large_or_no_http) {
  server_limits limits;
  limits.body_bytes = 10;
  const std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const struct {
    std::string bytes;
    int status;
  } table[] = {
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n12345678901", 413},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n", 413},
      {chunked + "b\r\n12345678901\r\n0\r\n\r\n", 413},
      {get("/" + std::string(70'000, 'a')), 431},
      {get("/", "X: " + std::string(70'000, 'a') + "\r\n"), 431},
      {"GET / HTTP/9.9\r\n\r\n", 400},
      {"GET /\r\n\r\n", 400},
      {"\x16\x03\x01 a TLS hello\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {chunked + "zz\r\n", 400},
      {chunked + std::string(300'000, 'a'), 431},
      {chunked + "1;" + std::string(300'000, 'a'), 431},
      {chunked + "0\r\nX: " + std::string(300'000, 'a'), 431},
      {get("/", "no colon\r\n"), 400},
  };
  const serving server(plain_handler(echo), limits);
  for (const auto& [bytes, status] : table) {
    const auto all = server.says(bytes);
    EXPECT_TRUE(all.starts_with("HTTP/1.1 " + std::to_string(status) + " "))
        << bytes.substr(0, 80) << ": " << all;
    EXPECT_TRUE(all.contains("Connection: close\r\n")) << all;
  }
}

TEST(http_server, lets_a_client_read_the_refusal_that_sends_on) {
  server_limits limits;
  limits.body_bytes = 10;
  const serving server(plain_handler(echo), limits);
  auto peer = server.connect();
  peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + std::string(1'000'000, 'x'));
  peer.send_no_more();
  EXPECT_TRUE(peer.read_all().starts_with("HTTP/1.1 413 "));
}

TEST(http_server, closes_on_clients_that_are_slow_or_silent) {
  server_limits limits;
  limits.read = 30ms;
  limits.idle = 60'000ms;
  const serving slow(plain_handler(echo), limits);
  EXPECT_EQ(slow.says("G"), "");
  EXPECT_EQ(slow.says("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nx"), "");
  limits.read = 60'000ms;
  limits.idle = 30ms;
  const serving idle(plain_handler(echo), limits);
  EXPECT_EQ(idle.says(""), "");
  EXPECT_TRUE(idle.says(get("/a")).ends_with("GET /a []\n"));
}

TEST(http_server, says_nothing_to_half_a_request) {
  const serving server;
  for (const std::string bytes : {"", "GET / HTT", "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nx"}) {
    auto peer = server.connect();
    peer.send(bytes);
    peer.send_no_more();
    EXPECT_EQ(peer.read_all(), "");
  }
}

TEST(http_server, makes_room_for_who_comes_by_closing_what_asked_longest_ago) {
  server_limits limits;
  limits.connections = 2;
  const serving server(plain_handler(echo), limits);
  auto first = server.connect();
  first.send(get("/a"));
  first.read_until("[]\n");
  auto second = server.connect();
  second.send(get("/b"));
  second.read_until("[]\n");
  first.send(get("/c"));
  first.read_until("[]\n");
  auto third = server.connect();
  third.send(get("/d"));
  EXPECT_TRUE(third.read_until("[]\n").ends_with("GET /d []\n"));
  EXPECT_EQ(second.read_all(), "");
  first.send(get("/e"));
  EXPECT_TRUE(first.read_until("[]\n").ends_with("GET /e []\n"));
}

TEST(http_server, answers_while_others_hold_all_places_with_half_a_request) {
  server_limits limits;
  limits.connections = 4;
  const serving server(plain_handler(echo), limits);
  std::vector<raw_peer> holding;
  for (int i = 0; i < 8; ++i) {
    holding.push_back(server.connect());
    holding.back().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nx");
  }
  EXPECT_TRUE(server.says(get("/a", close_field)).ends_with("GET /a []\n"));
  EXPECT_EQ(holding.front().read_all(), "");
}

asio::awaitable<void> stream_two(server_request, responder& to) {
  co_await to.begin(200, "text/plain");
  co_await to.chunk("one,");
  co_await to.chunk("");
  co_await to.chunk("two");
}

TEST(http_server, streams_in_the_form_that_the_client_can_read) {
  const serving server(stream_two);
  const auto chunks = server.says(get("/") + get("/", close_field));
  EXPECT_TRUE(chunks.contains("4\r\none,\r\n3\r\ntwo\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n")) << chunks;
  EXPECT_TRUE(chunks.ends_with("3\r\ntwo\r\n0\r\n\r\n")) << chunks;
  const auto plain = server.says("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(plain.ends_with("\r\n\r\none,two")) << plain;
  EXPECT_FALSE(plain.contains("chunked")) << plain;
  const auto head = server.says("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(head.ends_with("\r\n\r\n") && !head.contains("one")) << head;
}

asio::awaitable<void> forget(server_request, responder&) {
  co_return;
}
asio::awaitable<void> break_down(server_request, responder&) {
  throw std::runtime_error("broken");
  co_return;
}
asio::awaitable<void> cut_short(server_request, responder& to) {
  co_await to.begin(200, "text/plain");
  co_await to.chunk("one");
  to.cut();
}

TEST(http_server, outlives_handlers_that_break_their_promise) {
  EXPECT_TRUE(serving(forget).says(get("/", close_field)).starts_with("HTTP/1.1 500 "));
  EXPECT_EQ(serving(break_down).says(get("/")), "");
  EXPECT_TRUE(serving(cut_short).says(get("/")).ends_with("3\r\none\r\n"));
}

// A handler that waits until its client, or the server, has gone.
struct patient {
  std::latch began{1};
  std::atomic<bool> told = false;

  asio::awaitable<void> handle(server_request, responder& to) {
    co_await to.begin(200, "text/plain");
    began.count_down();
    while (co_await to.chunk("x")) {
      asio::steady_timer pause(co_await asio::this_coro::executor, 1ms);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    told = true;
  }
};

TEST(http_server, ends_requests_under_way_when_it_stops) {
  patient handler;
  {
    serving server([&](server_request what, responder& to) { return handler.handle(std::move(what), to); });
    auto streaming = server.connect();
    streaming.send(get("/"));
    handler.began.wait();
    auto half = server.connect();
    half.send("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nx");
    server.stop();
    EXPECT_FALSE(streaming.read_all().ends_with("0\r\n\r\n"));
    EXPECT_EQ(half.read_all(), "");
  }
  EXPECT_TRUE(handler.told);
}

TEST(http_server, tells_a_handler_that_its_client_has_gone) {
  patient handler;
  const serving server(
      [&](server_request what, responder& to) { return handler.handle(std::move(what), to); });
  {
    auto peer = server.connect();
    peer.send(get("/"));
    handler.began.wait();
  }
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (!handler.told && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(handler.told);
}

}  // namespace
}  // namespace egress::http
