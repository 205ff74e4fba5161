// The client when the way to the server, the server or the credentials fail.

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "runtime/kube/rate_limit.hpp"
#include "tests/support/gzip.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/kube_client/client_fixture.hpp"

namespace egress::kube {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using fixture = client_fixture;
using test::http_answer;
using enum test::scripted_answer::after;

constexpr std::array writes{verb::create, verb::patch, verb::patch_status, verb::replace, verb::remove};

// A connection that serves one request, reads the next, and closes without a word.
test::scripted_connection closes_on_the_second() {
  return {{http_answer(200, one_service)}, {"", false, close}};
}

TEST(client_resend, of_a_read_that_a_closed_connection_swallowed) {
  fixture f({closes_on_the_second(), {{http_answer(200, one_service)}}});
  ASSERT_TRUE(f.call(of(verb::get)));
  const auto second = f.call(of(verb::get));
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(f.server.requests().size(), 3U);
}

// A proxy's "early hints": taken for the answer, each request would get the answer of the one before.
TEST(client_interim, answers_are_passed_over) {
  fixture f({{{"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" +
               http_answer(200, one_service)},
              {http_answer(404, "{}")}}});
  EXPECT_TRUE(f.call(of(verb::get)));
  const auto second = f.call(of(verb::get));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, api_errc::not_found);
  EXPECT_EQ(f.server.requests().size(), 2U);
}

TEST(client_interim, answers_without_end_are_malformed) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += "HTTP/1.1 100 Continue\r\n\r\n";
  fixture f({{{bytes + http_answer(200, one_service), false, hold}}});
  const auto got = f.call(of(verb::get));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, api_errc::malformed) << got.error().message;
}

// Of the line before a chunk, and of trailers, no length is said ahead.
TEST(client_bounds, hold_for_what_is_neither_head_nor_body) {
  const std::string much(300'000, 'a');
  const auto chunked = test::chunked_answer({}, false);
  for (const auto& bytes : {chunked + much, chunked + "1;" + much, chunked + "0\r\nX: " + much}) {
    fixture f({{{bytes, false, hold}}});
    const auto got = f.call(of(verb::get));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, api_errc::malformed) << got.error().message;
  }
}

// However little time is left, a byte is always there.
TEST(client_bounds, hold_for_an_answer_that_goes_on_and_on) {
  fixture f({{{http_answer(200, std::string(4'000'000, ' ')), true, hold}}});
  auto what = of(verb::get);
  what.timeout = 50ms;
  const auto got = f.call(what);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, api_errc::timed_out) << got.error().message;
}

// Some kilobytes on the way would fill the memory here.
TEST(client_bounds, hold_for_a_document_that_was_compressed) {
  const auto spaces = [](std::size_t mib) {
    return http_answer(200, test::gzip(one_service + std::string(mib << 20U, ' ')),
                       "Content-Encoding: gzip\r\n");
  };
  fixture f({{{spaces(15)}}, {{spaces(20)}}});
  EXPECT_TRUE(f.call(of(verb::get)));
  const auto got = f.call(of(verb::get));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, api_errc::too_large) << got.error().message;
}

// It tells no more than that it is one: the rest is left unread, and its connection with it.
TEST(client_bounds, hold_for_what_a_failing_server_says) {
  fixture f({{{http_answer(500, std::string(20U << 20U, ' '))}, {http_answer(404, "")}},
             {{http_answer(200, one_service)}}});
  const auto failed = f.call(of(verb::get));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, api_errc::server_error) << failed.error().message;
  EXPECT_TRUE(f.call(of(verb::get))) << "over a new one";
}

TEST(client_resend, of_a_write_that_went_out_whole_is_left_to_the_caller) {
  for (const auto what : writes) {
    fixture f({closes_on_the_second(), {{http_answer(200, one_service)}}});
    ASSERT_TRUE(f.call(of(verb::get)));
    const auto second = f.call(of(what));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, api_errc::transport);
    EXPECT_EQ(f.server.requests().size(), 2U);
  }
}

TEST(client_resend, of_a_write_that_did_not_go_out_whole) {
  fixture f({{{http_answer(200, one_service)}, {"", false, close, true}}, {{http_answer(200, one_service)}}});
  ASSERT_TRUE(f.call(of(verb::get)));
  auto what = of(verb::patch);
  what.timeout = 30s;
  what.body = "{\"a\":\"" + std::string(32U << 20U, 'x') + "\"}";  // more than two sockets hold
  const auto second = f.call(what);
  ASSERT_TRUE(second) << second.error().message;
  const auto seen = f.server.requests();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_LT(seen[1].size(), what.body.size());
  EXPECT_TRUE(seen[2].ends_with(what.body));
}

TEST(client_resend, is_not_needed_when_a_look_tells_that_the_connection_is_closed) {
  for (const auto what : writes) {
    fixture f({{{http_answer(200, one_service), false, close}}, {{http_answer(200, one_service)}}});
    ASSERT_TRUE(f.call(of(verb::get)));
    while (f.server.closed() == 0) std::this_thread::yield();
    const auto second = f.call(of(what));
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(f.server.requests().size(), 2U);
  }
}

TEST(client_resend, of_a_write_asks_the_gate_again) {
  fixture f({{{http_answer(200, one_service)}, {"", false, close, true}}, {{http_answer(200, one_service)}}});
  f.options.may_write = [&f](std::uint64_t) { return f.server.closed() == 0; };
  ASSERT_TRUE(f.call(of(verb::get)));
  auto what = of(verb::patch);
  what.timeout = 30s;
  what.body = std::string(32U << 20U, 'x');
  const auto second = f.call(what);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, api_errc::not_leader);
  EXPECT_EQ(f.server.requests().size(), 2U);
}

TEST(client_credentials, are_read_again_after_a_401) {
  test::temporary_folder folder;
  fixture f({{{http_answer(200, one_service)}, {http_answer(401, "")}, {http_answer(200, one_service)}}});
  f.config.token_file = folder.write("token", "first");
  ASSERT_TRUE(f.call(of(verb::get)));
  folder.write("token", "second");
  ASSERT_TRUE(f.call(of(verb::get)));
  const auto seen = f.server.requests();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_TRUE(seen[1].contains("Bearer first\r\n"));
  EXPECT_TRUE(seen[2].contains("Bearer second\r\n"));
}

TEST(client_credentials, that_cannot_be_had_are_asked_for_once_a_request) {
  test::temporary_folder folder;
  fixture f({{{http_answer(200, one_service)}}});
  f.config.exec.emplace();
  f.config.exec->api_version = "client.authentication.k8s.io/v1";
  f.config.exec->command =
      folder.write_program("plugin", "#!/bin/sh\necho run >> \"$0.runs\"\necho 'no login' >&2; exit 1\n");
  f.config.token.clear();
  const auto got = f.call(of(verb::get));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, api_errc::unauthorized);
  EXPECT_TRUE(got.error().message.ends_with("exit code 1: no login")) << got.error().message;
  EXPECT_EQ(std::filesystem::file_size(folder.path("plugin.runs")), 4U);
  EXPECT_TRUE(f.server.requests().empty());
}

TEST(client_credentials, that_take_longer_than_the_request_may_hold_it_back) {
  test::temporary_folder folder;
  fixture f({{{http_answer(200, one_service)}}});
  f.config.exec.emplace();
  f.config.exec->api_version = "client.authentication.k8s.io/v1";
  // As long as it takes until the test lets it go on.
  f.config.exec->command = folder.write_program(
      "plugin",
      "#!/bin/sh\nwhile ! [ -e \"$0.go\" ]; do sleep 0.01; done\n"
      "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\","
      "\"status\":{\"token\":\"t\"}}'\n");
  auto what = of(verb::patch);
  what.timeout = 50ms;
  std::optional<reply> got;
  asio::co_spawn(f.io, f.the_client().call(std::make_shared<request>(what)),
                 [&](const std::exception_ptr&, reply value) { got = value; });
  while (!got) f.io.run_one();
  ASSERT_FALSE(*got);
  EXPECT_EQ(got->error().code, api_errc::timed_out);
  folder.write("plugin.go", "");
  f.io.run();
  EXPECT_TRUE(f.server.requests().empty());
  EXPECT_TRUE(f.call(of(verb::patch)));
}

TEST(client_rate, holds_back_at_once_what_would_come_too_late) {
  fixture f({{{http_answer(200, one_service)}, {http_answer(200, one_service)}}});
  f.options.queries_per_second = 0.001;
  ASSERT_TRUE(f.call(of(verb::get)));
  const auto began = std::chrono::steady_clock::now();
  auto what = of(verb::get);
  what.timeout = 60s;
  const auto got = f.call(what);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, api_errc::timed_out);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 30s);
  EXPECT_EQ(f.server.requests().size(), 1U);
}

TEST(client_rate, wait_can_be_cancelled) {
  fixture f({{{http_answer(200, one_service)}}});
  f.options.queries_per_second = 0.01;
  ASSERT_TRUE(f.call(of(verb::get)));
  auto what = of(verb::get);
  what.timeout = 1000s;
  asio::cancellation_signal signal;
  std::optional<reply> got;
  asio::co_spawn(f.io, f.the_client().call(std::make_shared<request>(what)),
                 asio::bind_cancellation_slot(signal.slot(),
                                              [&](const std::exception_ptr&, reply value) { got = value; }));
  f.io.restart();
  f.io.poll();
  signal.emit(asio::cancellation_type::terminal);
  f.io.run();
  ASSERT_TRUE(got && !*got);
  EXPECT_EQ(got->error().code, api_errc::cancelled);
}

TEST(rate_limit, gives_a_turn_that_is_not_used_to_the_next) {
  const steady_time now{1h};
  rate_limit limit(1);
  EXPECT_EQ(limit.take(now), 0ms);
  EXPECT_EQ(limit.take(now), 0ms);
  EXPECT_EQ(limit.take(now), 1000ms);
  limit.give_back();
  EXPECT_EQ(limit.take(now), 1000ms);
  EXPECT_EQ(limit.take(now), 2000ms);
  EXPECT_EQ(rate_limit(0).take(now), 0ms);
  rate_limit hardly(1e-300);
  hardly.take(now);
  EXPECT_EQ(hardly.take(now), 1h);
}

TEST(client_pool, lets_one_wait_no_longer_than_its_timeout) {
  fixture f({{{"", false, hold}}});
  f.options.connections = 1;
  auto first = of(verb::get);
  first.timeout = 1000s;
  asio::cancellation_signal signal;
  asio::co_spawn(f.io, f.the_client().call(std::make_shared<request>(first)),
                 asio::bind_cancellation_slot(signal.slot(), [](const std::exception_ptr&, const reply&) {}));
  while (f.server.requests().empty()) f.io.run_for(1ms);
  auto second = of(verb::get);
  second.timeout = 20ms;
  std::optional<reply> got;
  asio::co_spawn(f.io, f.the_client().call(std::make_shared<request>(second)),
                 [&](const std::exception_ptr&, reply value) { got = value; });
  while (!got) f.io.run_one();
  ASSERT_FALSE(*got);
  EXPECT_EQ(got->error().code, api_errc::timed_out);
  EXPECT_TRUE(got->error().message.contains("no connection became free")) << got->error().message;
  signal.emit(asio::cancellation_type::terminal);
  f.io.run();
}

// A webhook that throttles one kind must not stop what it has no say in.
TEST(client_pool, serves_others_while_one_was_asked_to_wait) {
  fixture f({{{http_answer(429, "{}", "Retry-After: 1\r\n")},
              {http_answer(200, one_service)},
              {http_answer(200, one_service)}}});
  f.options.connections = 1;
  std::vector<int> done;
  const auto ask = [&](int number, verb how) {
    auto what = of(how);
    what.timeout = 30s;
    asio::co_spawn(f.io, f.the_client().call(std::make_shared<request>(what)),
                   [&done, number](const std::exception_ptr&, const reply& got) {
                     EXPECT_TRUE(got);
                     done.push_back(number);
                   });
  };
  ask(1, verb::create);
  while (f.server.requests().empty()) f.io.run_for(1ms);
  ask(2, verb::get);
  while (done.size() < 2) f.io.run_one();
  EXPECT_EQ(done, (std::vector{2, 1}));
  EXPECT_EQ(f.the_client().load().under_way, 0U);
  EXPECT_EQ(f.the_client().load().awaited, 0U);
}

TEST(client_pool, tells_of_requests_that_nobody_waits_for) {
  for (const bool patient : {false, true}) {
    fixture f({{{"", false, hold}}});
    f.options.connections = 1;
    auto what = of(verb::get);
    what.timeout = 1000s;
    what.patient = patient;
    asio::cancellation_signal stop;
    asio::co_spawn(f.io, f.the_client().call(std::make_shared<request>(what)),
                   asio::bind_cancellation_slot(stop.slot(), [](const std::exception_ptr&, const reply&) {}));
    while (f.server.requests().empty()) f.io.run_for(1ms);
    EXPECT_EQ(f.the_client().load().awaited, patient ? 0U : 1U);
    stop.emit(asio::cancellation_type::terminal);
    f.io.run();
    EXPECT_EQ(f.the_client().load().under_way, 0U);
    EXPECT_EQ(f.the_client().load().awaited, 0U);
  }
}

TEST(client_metadata, is_asked_for_alone_and_all_is_taken_as_well) {
  fixture f({{{http_answer(201, R"({"metadata":{"name":"a","resourceVersion":"7"},"spec":{"x":1}})")}}});
  auto what = of(verb::create);
  what.of = kind::deployment;
  what.metadata_only = true;
  const auto got = f.call(what);
  ASSERT_TRUE(got) << got.error().message;
  const auto& read = std::get<document>(*got).decoded;
  EXPECT_EQ(read->meta.resource_version, "7");
  EXPECT_EQ(read->as_child().projected, digest{});
  EXPECT_TRUE(f.server.requests()[0].contains(
      "Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json\r\n"));
}

TEST(client_gzip, that_is_whole_is_undone) {
  fixture f({{{http_answer(200, test::gzip(two_items), "Content-Encoding: gzip\r\n")}}});
  const auto got = f.call(of(verb::list));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(std::get<list_page>(*got).items.size(), 2U);
  EXPECT_FALSE(f.server.requests()[0].contains("Accept-Encoding")) << "that came unasked";
}

TEST(client_gzip, is_asked_for_when_wanted_and_for_lists_alone) {
  fixture f({{{http_answer(200, test::gzip(two_items), "Content-Encoding: gzip\r\n")},
              {http_answer(200, one_service)}}});
  f.options.gzip_lists = true;
  ASSERT_TRUE(f.call(of(verb::list)));
  ASSERT_TRUE(f.call(of(verb::get)));
  EXPECT_TRUE(f.server.requests()[0].contains("Accept-Encoding: gzip\r\n"));
  EXPECT_FALSE(f.server.requests()[1].contains("Accept-Encoding"));
}

TEST(client_gzip, that_is_damaged_is_malformed) {
  const auto whole = test::gzip(two_items);
  auto flipped = whole;
  flipped[whole.size() - 6] ^= 1;  // the checksum
  // All but the trailer: every byte of the list is there.
  for (const auto& body : {whole.substr(0, whole.size() - 8), whole.substr(0, whole.size() - 1), whole + "x",
                           whole + whole, flipped, two_items}) {
    fixture f({{{http_answer(200, body, "Content-Encoding: gzip\r\n")}}});
    const auto got = f.call(of(verb::list));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, api_errc::malformed);
    EXPECT_TRUE(got.error().message.starts_with("gzip: ")) << got.error().message;
  }
}

TEST(client_list, without_a_version_is_malformed) {
  fixture f({{{http_answer(200, R"({"kind":"ServiceList","metadata":{},"items":[]})")}}});
  const auto got = f.call(of(verb::list));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, api_errc::malformed);
  EXPECT_TRUE(got.error().message.contains("resourceVersion")) << got.error().message;
}

}  // namespace
}  // namespace egress::kube
