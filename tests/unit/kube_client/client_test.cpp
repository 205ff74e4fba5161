// The client against bytes that a test chooses: cut, chopped up, refused, late.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <thread>

#include "runtime/net/listen.hpp"
#include "tests/unit/kube_client/client_fixture.hpp"

namespace egress::kube {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using fixture = client_fixture;
using test::chunked_answer;
using test::http_answer;
using enum test::scripted_answer::after;

TEST(client_list, is_read_however_it_is_chopped_up) {
  for (const bool byte_by_byte : {false, true}) {
    fixture f({{{chunked_answer({two_items.substr(0, 1), two_items.substr(1, 130), two_items.substr(131)}),
                 byte_by_byte}}});
    const auto got = f.call(of(verb::list));
    ASSERT_TRUE(got) << got.error().message;
    const auto& page = std::get<list_page>(*got);
    ASSERT_EQ(page.items.size(), 2U);
    EXPECT_EQ(page.items[1]->meta.name, "b");
    EXPECT_EQ(page.resource_version, "7");
    EXPECT_EQ(page.continue_token, "next");
    EXPECT_TRUE(f.server.requests().front().contains("Authorization: Bearer secret\r\n"));
  }
}

TEST(client_list, that_breaks_off_is_an_error) {
  fixture f({{{chunked_answer({two_items.substr(0, 200)}, false), false, close}}});
  const auto got = f.call(of(verb::list));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, api_errc::transport);
}

TEST(client_retry, waits_for_a_busy_server) {
  fixture f({{{http_answer(429, "", "Retry-After: 1\r\n")}, {http_answer(200, one_service)}}});
  const auto got = f.call(of(verb::get));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(f.server.requests().size(), 2U);
}

TEST(client_retry, says_too_many_requests_when_the_wait_is_beyond_the_timeout) {
  fixture f({{{http_answer(429, "", "Retry-After: 60\r\n")}}});
  const auto got = f.call(of(verb::get));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, api_errc::too_many_requests);
}

TEST(client_retry, gives_up_after_ten_tries) {
  fixture f({test::scripted_connection(11, {http_answer(429, "", "Retry-After: 0\r\n")})});
  auto what = of(verb::get);
  what.timeout = 60s;
  const auto got = f.call(what);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, api_errc::too_many_requests);
  EXPECT_EQ(f.server.requests().size(), 10U);
}

TEST(client_retry, finds_a_closed_kept_alive_connection_and_opens_a_new_one) {
  fixture f({{{http_answer(200, one_service), false, close}}, {{http_answer(200, one_service)}}});
  ASSERT_TRUE(f.call(of(verb::get)));
  const auto second = f.call(of(verb::get));
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(f.server.requests().size(), 2U);
}

// A balancer that forgot them, say: a lease would be lost by trying one dead connection after the other.
TEST(client_retry, takes_no_other_kept_connection_after_one_that_was_silent) {
  const auto socket = net::listen_tcp("127.0.0.1:0");
  ASSERT_TRUE(socket);
  ::fcntl(socket->fd.get(), F_SETFL, 0);
  const std::jthread server([&] {
    std::vector<unique_fd> peers;
    const auto accept = [&] {
      peers.emplace_back(::accept4(socket->fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
    };
    const auto answer = [&](const unique_fd& to) {
      std::string asked;
      char piece[4096];
      while (!asked.contains("\r\n\r\n")) {
        const auto got = ::recv(to.get(), piece, sizeof piece, 0);
        if (got <= 0) return;
        asked.append(piece, static_cast<std::size_t>(got));
      }
      const auto text = http_answer(200, one_service);
      ::send(to.get(), text.data(), text.size(), MSG_NOSIGNAL);
    };
    accept();
    accept();
    answer(peers[0]);
    answer(peers[1]);
    accept();
    answer(peers[2]);
    char rest[4096];
    for (const auto& one : peers)
      while (::recv(one.get(), rest, sizeof rest, 0) > 0) {
      }
  });
  asio::io_context io;
  connection_config config;
  config.server = "http://" + socket->address;
  {
    client by(io.get_executor(), config, {});
    int answered = 0;
    for (int i = 0; i < 2; ++i)
      asio::co_spawn(io, by.call(std::make_shared<request>(of(verb::get))),
                     [&](const std::exception_ptr&, const reply& got) { answered += got ? 1 : 0; });
    io.run();
    ASSERT_EQ(answered, 2);
    auto what = of(verb::get);
    what.timeout = 100ms;
    EXPECT_EQ(test::run(io, by.call(std::make_shared<request>(what))).error().code, api_errc::timed_out);
    what.timeout = 10s;
    const auto got = test::run(io, by.call(std::make_shared<request>(what)));
    EXPECT_TRUE(got) << got.error().message;
  }
  ::shutdown(socket->fd.get(), SHUT_RDWR);
}

TEST(client_retry, asks_once_more_after_a_401) {
  fixture f({{{http_answer(401, "")}, {http_answer(401, "")}}});
  const auto got = f.call(of(verb::get));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, api_errc::unauthorized);
  EXPECT_EQ(f.server.requests().size(), 2U);
}

TEST(client_write, is_held_back_when_the_gate_is_shut) {
  for (const auto what : {verb::create, verb::patch, verb::patch_status, verb::replace, verb::remove}) {
    fixture f({{{http_answer(200, one_service)}}});
    f.options.may_write = [](std::uint64_t) { return false; };
    const auto got = f.call(of(what));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, api_errc::not_leader);
    EXPECT_TRUE(f.server.requests().empty());
  }
}

// A process that is paused between the first question and the socket, until another one leads.
TEST(client_write, is_held_back_at_the_socket_when_the_gate_shuts_on_its_way_there) {
  fixture f({{{http_answer(200, one_service)}}, {{http_answer(200, one_service)}}});
  f.options.may_write = [asked = 0](std::uint64_t) mutable { return ++asked != 2; };
  const auto got = f.call(of(verb::patch));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, api_errc::not_leader);
  EXPECT_TRUE(f.call(of(verb::patch)));
  EXPECT_EQ(f.server.requests().size(), 1U) << "not a byte of the first";
}

TEST(client_write, of_the_lease_passes_the_shut_gate_that_it_is_to_open) {
  fixture f({{{http_answer(200, one_service)}}});
  f.options.may_write = [](std::uint64_t) { return false; };
  auto what = of(verb::replace);
  what.of = kind::lease;
  EXPECT_TRUE(f.call(what));
  EXPECT_EQ(f.server.requests().size(), 1U);
}

TEST(client_write, of_the_lease_does_not_wait_for_the_bound_on_queries) {
  fixture f(
      {{{http_answer(200, one_service)}, {http_answer(200, one_service)}, {http_answer(200, one_service)}}});
  f.options.queries_per_second = 0.001;
  auto what = of(verb::replace);
  what.of = kind::lease;
  what.timeout = 5s;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(f.call(what));
}

TEST(client_write, asks_the_gate_again_before_a_retry) {
  fixture f({{{http_answer(429, "", "Retry-After: 1\r\n")}, {http_answer(200, one_service)}}});
  f.options.may_write = [&f](std::uint64_t) { return f.server.requests().empty(); };
  const auto got = f.call(of(verb::patch));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, api_errc::not_leader);
  EXPECT_EQ(f.server.requests().size(), 1U);
}

TEST(client_call, ends_at_its_timeout) {
  fixture f({{{"", false, hold}}});
  auto what = of(verb::get);
  what.timeout = 50ms;
  const auto got = f.call(what);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, api_errc::timed_out);
}

TEST(client_call, can_be_cancelled) {
  fixture f({{{"", false, hold}}});
  asio::cancellation_signal signal;
  std::optional<reply> got;
  asio::co_spawn(f.io, f.the_client().call(std::make_shared<request>(of(verb::get))),
                 asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr thrown, reply value) {
                   EXPECT_FALSE(thrown);
                   got.emplace(std::move(value));
                 }));
  // Cancelled when the request has arrived.
  while (f.server.requests().empty()) f.io.run_for(1ms);
  signal.emit(asio::cancellation_type::terminal);
  f.io.run();
  ASSERT_TRUE(got && !*got);
  EXPECT_EQ(got->error().code, api_errc::cancelled);
}

struct watched {
  std::vector<watch_event> events;
  std::optional<api_error> failure;
};

asio::awaitable<watched> watch_to_the_end(client& by) {
  watch_request what;
  what.of = kind::service;
  watched all;
  auto opened = co_await by.watch(what);
  if (!opened) {
    all.failure = opened.error();
    co_return all;
  }
  for (;;) {
    auto chunk = co_await opened->next(100ms);
    for (auto& event : chunk.events) all.events.push_back(std::move(event));
    if (!chunk.ended) continue;
    all.failure = chunk.failure;
    co_return all;
  }
}

TEST(client_watch, gives_every_event_and_then_the_end) {
  const auto line = R"({"type":"ADDED","object":)" + one_service + "}\n";
  fixture f({{{chunked_answer({line, line.substr(0, 9), line.substr(9)}), true}}});
  const auto got = f.run(watch_to_the_end(f.the_client()));
  EXPECT_FALSE(got.failure);
  ASSERT_EQ(got.events.size(), 2U);
  EXPECT_EQ(got.events[1].resource_version, "3");
}

// A proxy serves many clusters by their paths.
TEST(client_path, of_the_server_is_before_every_request) {
  const auto line = R"({"type":"ADDED","object":)" + one_service + "}\n";
  fixture f({{{http_answer(200, one_service)}}, {{chunked_answer({line}), true}}});
  f.config.server += "/k8s/clusters/c-1";
  EXPECT_TRUE(f.call(of(verb::get)));
  EXPECT_EQ(f.run(watch_to_the_end(f.the_client())).events.size(), 1U);
  const auto asked = f.server.requests();
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_TRUE(asked[0].starts_with("GET /k8s/clusters/c-1/api/v1/namespaces/n/services/a HTTP/1.1\r\n"))
      << asked[0];
  EXPECT_TRUE(asked[1].starts_with("GET /k8s/clusters/c-1/api/v1/services?watch=true&")) << asked[1];
}

TEST(client_watch, tells_the_error_event_behind_the_events) {
  const auto line = R"({"type":"ADDED","object":)" + one_service + "}\n";
  const std::string gone =
      R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}})"
      "\n";
  fixture f({{{chunked_answer({line + gone})}}});
  const auto got = f.run(watch_to_the_end(f.the_client()));
  EXPECT_EQ(got.events.size(), 1U);
  ASSERT_TRUE(got.failure);
  EXPECT_EQ(got.failure->code, api_errc::gone);
}

TEST(client_watch, asks_once_more_after_a_401) {
  fixture f({{{http_answer(401, ""), false, close}}, {{http_answer(401, ""), false, close}}});
  const auto got = f.run(watch_to_the_end(f.the_client()));
  ASSERT_TRUE(got.failure);
  EXPECT_EQ(got.failure->code, api_errc::unauthorized);
  EXPECT_EQ(f.server.requests().size(), 2U);
}

TEST(client_watch, that_is_cut_or_silent_fails) {
  fixture cut({{{chunked_answer({R"({"type":"ADD)"}, false), false, close}}});
  ASSERT_TRUE(cut.run(watch_to_the_end(cut.the_client())).failure);
  fixture silent({{{chunked_answer({}, false), false, hold}}});
  const auto got = silent.run(watch_to_the_end(silent.the_client()));
  ASSERT_TRUE(got.failure);
  EXPECT_EQ(got.failure->code, api_errc::timed_out);
}

}  // namespace
}  // namespace egress::kube
