// How opening a connection ends at each of its stages: the name, the connection, TLS, the answer.

#include "runtime/http/connection.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <numeric>

#include "runtime/net/tls.hpp"
#include "runtime/net/unique_fd.hpp"
#include "tests/support/blocked_resolver.hpp"

namespace egress::http {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

// A listening socket that nobody accepts from. The kernel completes as many connections as its queue holds.
struct silent_listener {
  explicit silent_listener(int backlog) : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(fd.get(), any, size), 0);
    EXPECT_EQ(::listen(fd.get(), backlog), 0);
    EXPECT_EQ(::getsockname(fd.get(), any, &size), 0);
    port = ntohs(address.sin_port);
  }
  // Fills the queue: who comes after that waits for an answer to its SYN.
  void fill() {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port);
    queued = unique_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(queued.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  }
  unique_fd fd, queued;
  std::uint16_t port = 0;
};

connect_options options_for(const std::string& host, std::uint16_t port) {
  connect_options made;
  made.where = {false, host, std::to_string(port), ""};
  return made;
}

connect_options with_tls(connect_options made) {
  made.where.tls = true;
  made.tls = net::make_tls_context({}).value();
  return made;
}

// Opens, asks, and says how that failed.
asio::awaitable<failure> failure_of(asio::any_io_executor on, connect_options how) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto opened = co_await connection::open(on, std::move(how));
  if (!opened) co_return opened.error();
  client_request what;
  what.method = "GET";
  what.target = "/";
  auto head = co_await (*opened)->send(std::move(what), 60s);
  co_return head ? failure{} : head.error();
}

// The listener with room for one completed connection, at each stage where a client may be left waiting.
struct stage {
  const char* name;
  std::function<connect_options(silent_listener&)> way;
};
const std::vector<stage> stages{
    {"name", [](silent_listener& at) { return options_for("api.example", at.port); }},
    {"connection",
     [](silent_listener& at) {
       at.fill();
       return options_for("127.0.0.1", at.port);
     }},
    {"tls", [](silent_listener& at) { return with_tls(options_for("127.0.0.1", at.port)); }},
};

TEST(http_connection, ends_in_time_at_each_stage) {
  for (const auto& stage : stages)
    for (const bool by_deadline : {false, true}) {
      SCOPED_TRACE(stage.name);
      const auto began = clock::now();
      asio::io_context io;
      std::optional<test::blocked_resolver> resolver(std::in_place);
      silent_listener server(0);
      auto way = stage.way(server);
      if (by_deadline)
        way.deadline = began + 30ms;
      else
        way.connect_timeout = way.tls_timeout = 30ms;
      std::optional<failure> got;
      asio::co_spawn(io, failure_of(io.get_executor(), std::move(way)),
                     [&](const std::exception_ptr&, failure why) { got = std::move(why); });
      while (!got) io.run_one();
      EXPECT_EQ(got->kind, failure_kind::connect) << got->message;
      EXPECT_FALSE(got->sent);
      EXPECT_LT(clock::now() - began, 25s) << "its own limits are 30 s and 10 s";
      resolver.reset();
      io.run();
    }
}

TEST(http_connection, ends_when_cancelled_at_each_stage) {
  auto all = stages;
  all.push_back({"answer", [](silent_listener& at) { return options_for("127.0.0.1", at.port); }});
  for (const auto& stage : all) {
    SCOPED_TRACE(stage.name);
    asio::io_context io;
    std::optional<test::blocked_resolver> resolver(std::in_place);
    silent_listener server(0);
    asio::cancellation_signal signal;
    std::optional<failure> got;
    asio::co_spawn(io, failure_of(io.get_executor(), stage.way(server)),
                   asio::bind_cancellation_slot(
                       signal.slot(), [&](const std::exception_ptr&, failure why) { got = std::move(why); }));
    // Until it waits for what does not come: nothing more is ready to be run.
    while (io.poll_one() > 0) {
    }
    EXPECT_FALSE(got);
    signal.emit(asio::cancellation_type::terminal);
    while (!got) io.run_one();
    EXPECT_EQ(got->kind, failure_kind::cancelled) << got->message;
    resolver.reset();
    io.run();
  }
}

TEST(http_connection, says_which_address_refuses_it) {
  asio::io_context io;
  std::uint16_t port = 0;
  {
    const silent_listener gone(1);
    port = gone.port;
  }
  std::optional<failure> got;
  asio::co_spawn(io, failure_of(io.get_executor(), options_for("127.0.0.1", port)),
                 [&](const std::exception_ptr&, failure why) { got = std::move(why); });
  io.run();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->kind, failure_kind::connect);
  EXPECT_EQ(got->message, fmt::format("127.0.0.1:{}: no connection: Connection refused", port));
}

TEST(http_connection, says_which_name_has_no_address) {
  asio::io_context io;
  std::optional<failure> got;
  asio::co_spawn(io, failure_of(io.get_executor(), options_for("api.example", 6443)),
                 [&](const std::exception_ptr&, failure why) { got = std::move(why); });
  io.run();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->kind, failure_kind::connect);
  EXPECT_EQ(got->message, "api.example:6443: no address: Host not found (authoritative)");
}

// The client's end of a connection to this port of loopback.
int socket_to(std::uint16_t port) {
  for (const auto& one : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(one.path().filename().string());
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 && peer.sin_family == AF_INET &&
        ntohs(peer.sin_port) == port)
      return fd;
  }
  return -1;
}

// On its way there a node or a load balancer may go without a word: a watch must hear of it within a minute.
TEST(http_connection, notices_a_path_that_is_gone) {
  asio::io_context io;
  const silent_listener server(1);
  std::unique_ptr<connection> kept;
  asio::co_spawn(
      io,
      [](asio::any_io_executor on, connect_options how) -> asio::awaitable<std::unique_ptr<connection>> {
        auto opened = co_await connection::open(on, std::move(how));
        co_return opened ? std::move(*opened) : nullptr;
      }(io.get_executor(), options_for("127.0.0.1", server.port)),
      [&](const std::exception_ptr&, std::unique_ptr<connection> one) { kept = std::move(one); });
  io.run();
  ASSERT_TRUE(kept);
  const auto option = [fd = socket_to(server.port)](int level, int which) {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(fd, level, which, &value, &size);
    return value;
  };
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 30);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 10);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 3);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 60'000);
}

// Asks, and gives the sizes of the pieces that the answer's body came in.
asio::awaitable<std::vector<std::size_t>> pieces_of_an_answer(asio::any_io_executor on, connect_options how) {
  auto opened = co_await connection::open(on, std::move(how));
  client_request what;
  what.method = "GET";
  what.target = "/";
  std::vector<std::size_t> sizes;
  if (!opened || !co_await (*opened)->send(std::move(what), 60s)) co_return sizes;
  for (;;) {
    const auto piece = co_await (*opened)->read_some(60s);
    if (!piece || piece->empty()) co_return sizes;
    sizes.push_back(piece->size());
  }
}

// Beast's own choice is 512 bytes at a time.
TEST(http_connection, reads_as_much_at_a_time_as_has_come) {
  constexpr std::size_t size = 128 * 1024;
  const std::string answer =
      fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", size, std::string(size, 'x'));
  asio::io_context io;
  const silent_listener server(1);
  std::optional<std::vector<std::size_t>> got;
  asio::co_spawn(io, pieces_of_an_answer(io.get_executor(), options_for("127.0.0.1", server.port)),
                 [&](const std::exception_ptr&, std::vector<std::size_t> sizes) { got = std::move(sizes); });
  while (io.poll_one() > 0) {
  }
  // All of it is in the client's socket before it reads.
  const unique_fd client(::accept(server.fd.get(), nullptr, nullptr));
  const int enough = 1024 * 1024;
  ::setsockopt(client.get(), SOL_SOCKET, SO_SNDBUF, &enough, sizeof enough);
  ASSERT_EQ(::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL), std::ssize(answer));
  io.run();
  ASSERT_TRUE(got);
  EXPECT_EQ(std::accumulate(got->begin(), got->end(), std::size_t{0}), size);
  EXPECT_LT(got->size(), 64u);
}

// Reads a piece within a moment, lets that moment pass, and reads on; gives the pieces.
asio::awaitable<std::string> read_with_a_pause(asio::any_io_executor on, connect_options how, bool* paused) {
  auto opened = co_await connection::open(on, std::move(how));
  client_request what;
  what.method = "GET";
  what.target = "/";
  if (!opened || !co_await (*opened)->send(std::move(what), 60s)) co_return "no answer";
  const auto first = std::string((co_await (*opened)->read_some(20ms)).value_or("nothing"));
  asio::steady_timer pause(on, 40ms);
  co_await pause.async_wait(asio::use_awaitable);
  *paused = true;
  const auto second = co_await (*opened)->read_some(60s);
  co_return first + " " + std::string(second ? *second : second.error().message);
}

// A watch's reader waits for a busy informer, for longer than the server may be silent.
TEST(http_connection, bounds_a_read_and_not_the_time_between_two) {
  asio::io_context io;
  const silent_listener server(1);
  bool paused = false;
  std::optional<std::string> got;
  asio::co_spawn(io, read_with_a_pause(io.get_executor(), options_for("127.0.0.1", server.port), &paused),
                 [&](const std::exception_ptr&, std::string pieces) { got = std::move(pieces); });
  while (io.poll_one() > 0) {
  }
  const unique_fd client(::accept(server.fd.get(), nullptr, nullptr));
  const auto send = [&](std::string_view text) {
    ASSERT_EQ(::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL), std::ssize(text));
  };
  send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
  while (!paused) io.run_one();
  send("def");
  while (!got) io.run_one();
  EXPECT_EQ(*got, "abc def");
}

TEST(http_connection, gives_a_silent_server_up_in_the_middle_of_an_answer) {
  asio::io_context io;
  const silent_listener server(1);
  std::optional<failure> got;
  asio::co_spawn(
      io,
      [](asio::any_io_executor on, connect_options how) -> asio::awaitable<failure> {
        auto opened = co_await connection::open(on, std::move(how));
        client_request what{"GET", "/", {}, ""};
        if (!opened || !co_await (*opened)->send(std::move(what), 60s)) co_return failure{};
        const auto piece = co_await (*opened)->read_some(30ms);
        co_return piece ? failure{} : piece.error();
      }(io.get_executor(), options_for("127.0.0.1", server.port)),
      [&](const std::exception_ptr&, failure why) { got = std::move(why); });
  while (io.poll_one() > 0) {
  }
  const unique_fd client(::accept(server.fd.get(), nullptr, nullptr));
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n";
  ASSERT_EQ(::send(client.get(), head.data(), head.size(), MSG_NOSIGNAL), std::ssize(head));
  while (!got) io.run_one();
  EXPECT_EQ(got->kind, failure_kind::timed_out) << got->message;
  EXPECT_TRUE(got->sent);
}

// An answer of no length (RFC 9112 6.3) ends with its connection.
TEST(http_connection, is_not_used_again_after_an_answer_that_its_end_ended) {
  asio::io_context io;
  const silent_listener server(1);
  std::optional<std::string> got;
  asio::co_spawn(
      io,
      [](asio::any_io_executor on, connect_options how) -> asio::awaitable<std::string> {
        auto opened = co_await connection::open(on, std::move(how));
        client_request what{"GET", "/", {}, ""};
        if (!opened || !co_await (*opened)->send(std::move(what), 60s)) co_return "no answer";
        std::string body((co_await (*opened)->read_some(60s)).value_or("nothing"));
        const auto end = co_await (*opened)->read_some(60s);
        co_return body + (end && end->empty() ? ", its end" : "") + ((*opened)->idle() ? ", idle" : "");
      }(io.get_executor(), options_for("127.0.0.1", server.port)),
      [&](const std::exception_ptr&, std::string said) { got = std::move(said); });
  while (io.poll_one() > 0) {
  }
  {
    const unique_fd client(::accept(server.fd.get(), nullptr, nullptr));
    // What is not read would make the end a reset.
    char asked[4096];
    ASSERT_GT(::recv(client.get(), asked, sizeof asked, 0), 0);
    const std::string answer = "HTTP/1.1 200 OK\r\n\r\nabc";
    ASSERT_EQ(::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL), std::ssize(answer));
  }
  while (!got) io.run_one();
  EXPECT_EQ(*got, "abc, its end");
}

// Three exchanges on one connection; gives the bodies.
asio::awaitable<std::vector<std::string>> exchanges(asio::any_io_executor on, connect_options how) {
  std::vector<std::string> bodies;
  auto opened = co_await connection::open(on, std::move(how));
  if (!opened) co_return bodies;
  for (int i = 0; i < 3; ++i) {
    const std::string long_one(5000, 'a' + i);
    client_request what{"POST", "/", {{"Authorization", long_one}}, "a body"};
    if (!co_await (*opened)->send(std::move(what), 60s)) co_return bodies;
    auto& body = bodies.emplace_back();
    for (;;) {
      const auto piece = co_await (*opened)->read_some(60s);
      if (!piece) co_return bodies;
      if (piece->empty()) break;
      body += *piece;
    }
    if (!(*opened)->reusable()) co_return bodies;
  }
  bodies.emplace_back("reusable");
  co_return bodies;
}

TEST(http_connection, is_used_again_with_fields_of_any_size) {
  const auto answer = [](char which) {
    return fmt::format(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Large: {}\r\n\r\n3\r\n{}\r\n0\r\nX-Trailer: "
        "{}\r\n\r\n",
        std::string(6000, which), std::string(3, which), std::string(4000, which));
  };
  asio::io_context io;
  const silent_listener server(1);
  std::optional<std::vector<std::string>> got;
  asio::co_spawn(
      io, exchanges(io.get_executor(), options_for("127.0.0.1", server.port)),
      [&](const std::exception_ptr&, std::vector<std::string> bodies) { got = std::move(bodies); });
  while (io.poll_one() > 0) {
  }
  const unique_fd client(::accept(server.fd.get(), nullptr, nullptr));
  for (const char which : {'x', 'y', 'z'}) {
    std::string asked;
    while (!asked.ends_with("\r\n\r\na body")) {
      char some[4096];
      const auto size = ::recv(client.get(), some, sizeof some, MSG_DONTWAIT);
      if (size > 0)
        asked.append(some, static_cast<std::size_t>(size));
      else
        io.run_one_for(10ms);
      ASSERT_FALSE(got) << "it gave up";
    }
    const auto text = answer(which);
    ASSERT_EQ(::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL), std::ssize(text));
  }
  while (!got) io.run_one();
  EXPECT_EQ(*got, (std::vector<std::string>{"xxx", "yyy", "zzz", "reusable"}));
}

}  // namespace
}  // namespace egress::http
