// Watches and requests through the bridge: on its own thread, from a server that decides where a stream
// stops.
#include "runtime/actor/bridge.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "tests/support/scripted_server.hpp"

namespace egress {
namespace {

constexpr seconds patience{20};
using then = test::scripted_answer::after;

// So many changes of one Service, versions 1 and up, a chunk each, of at least `size` bytes.
std::vector<std::string> changes(int count, std::size_t size = 0) {
  std::vector<std::string> made;
  for (int i = 1; i <= count; ++i)
    made.push_back(fmt::format(
        R"({{"type":"MODIFIED","object":{{"metadata":{{"name":"a","namespace":"n","resourceVersion":"{}"}},"spec":{{"of":"{}"}}}}}})"
        "\n",
        i, std::string(size, '.')));
  return made;
}

// One life of the kube_api actor, without the actor.
struct life {
  explicit life(std::vector<test::scripted_connection> script, kube::client_options options = {})
      : server(std::move(script)) {
    kube::connection_config where;
    where.server = server.url();
    bridge.emplace(thread, std::move(where), std::move(options),
                   [this](payload<delivery> what) { take(std::move(what)); });
  }
  void take(payload<delivery> what) {
    const std::scoped_lock lock{guard};
    came.push_back(std::move(what));
    news.notify_all();
  }
  void poll(std::uint64_t ticket, std::uint64_t stream = 1) {
    watch_poll what{.stream = stream, .what = {}, .quiet = patience};
    what.what.of = kube::kind::service;
    bridge->poll(ticket, std::make_shared<const watch_poll>(std::move(what)));
  }
  // The delivery of the latest poll; null when it did not come.
  payload<delivery> next() {
    std::unique_lock lock{guard};
    if (!news.wait_for(lock, patience, [this] { return came.size() > seen; })) return nullptr;
    return came[seen++];
  }
  bool server_closed(std::size_t connections) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (server.closed() < connections && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(milliseconds{1});
    return server.closed() == connections;
  }
  std::size_t deliveries() {
    const std::scoped_lock lock{guard};
    return came.size();
  }

  test::scripted_server server;
  std::mutex guard;
  std::condition_variable news;
  std::vector<payload<delivery>> came;
  std::size_t seen = 0;
  io_thread thread{"test-io"};
  std::optional<kube_bridge> bridge;
};

TEST(bridge_watch, gives_each_event_once_and_in_order_however_late_it_is_asked) {
  life l{{{{.bytes = test::chunked_answer(changes(2'000))}}}};
  int last = 0;
  bool ended = false;
  for (std::uint64_t ticket = 1; !ended; ++ticket) {
    l.poll(ticket);
    const auto got = l.next();
    ASSERT_TRUE(got && got->news);
    EXPECT_EQ(got->ticket, ticket);
    for (const auto& event : got->news->chunk.events) {
      ASSERT_EQ(event.resource_version, std::to_string(last + 1));
      ++last;
    }
    ended = got->news->chunk.ended;
  }
  EXPECT_EQ(last, 2'000);
}

TEST(bridge_watch, reads_on_while_nobody_asks) {
  // More than sockets hold and fewer than are kept ahead: the server comes to the end only when they are
  // read.
  life l{{{{.bytes = test::chunked_answer(changes(60, 640'000)), .then = then::close}}}};
  l.poll(1);
  ASSERT_TRUE(l.next());
  ASSERT_TRUE(l.server_closed(1));
  std::size_t polls = 1;
  for (bool ended = false; !ended; ++polls) {
    l.poll(polls + 1);
    const auto got = l.next();
    ASSERT_TRUE(got && got->news);
    ended = got->news->chunk.ended;
  }
  EXPECT_EQ(l.server.requests().size(), 1U) << "a stream that has ended is not opened again by itself";
}

TEST(bridge_watch, that_is_closed_ends_its_poll_and_its_connection) {
  life l{{{{.bytes = test::chunked_answer(changes(1), false), .then = then::hold}}}};
  l.poll(1);
  ASSERT_TRUE(l.next());
  l.poll(2);
  l.bridge->close_watch(1);
  const auto got = l.next();
  ASSERT_TRUE(got && got->news);
  EXPECT_EQ(got->ticket, 2U);
  EXPECT_TRUE(got->news->chunk.ended);
  ASSERT_TRUE(got->news->chunk.failure);
  EXPECT_EQ(got->news->chunk.failure->code, kube::api_errc::cancelled);
  EXPECT_TRUE(l.server_closed(1));
}

TEST(bridge_watch, that_is_closed_with_more_to_come_ends_its_connection) {
  life l{{{{.bytes = test::chunked_answer(changes(2'000), false), .then = then::hold}}}};
  l.poll(1);
  ASSERT_TRUE(l.next());
  l.bridge->close_watch(1);
  EXPECT_TRUE(l.server_closed(1));
}

TEST(bridge_watch, that_is_closed_before_the_server_has_answered_ends) {
  life l{{{{.bytes = "", .then = then::hold}}}};
  l.poll(1);
  const auto until = std::chrono::steady_clock::now() + patience;
  while (l.server.requests().empty() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(milliseconds{1});
  l.bridge->close_watch(1);
  const auto got = l.next();
  ASSERT_TRUE(got && got->news);
  ASSERT_TRUE(got->news->chunk.failure);
  EXPECT_EQ(got->news->chunk.failure->code, kube::api_errc::cancelled);
  EXPECT_TRUE(l.server_closed(1));
}

TEST(bridge_watch, that_is_closed_when_it_has_ended_already_does_no_harm) {
  life l{{{{.bytes = test::chunked_answer(changes(1)), .then = then::close}},
          {{.bytes = test::chunked_answer(changes(1)), .then = then::close}}}};
  l.poll(1);
  ASSERT_TRUE(l.next());
  ASSERT_TRUE(l.server_closed(1));
  l.bridge->close_watch(1);
  l.poll(2, 2);
  const auto got = l.next();
  ASSERT_TRUE(got && got->news);
  EXPECT_EQ(got->ticket, 2U);
  EXPECT_EQ(got->news->chunk.events.size(), 1U);
}

TEST(bridge_watch, that_cannot_be_opened_is_a_chunk_that_has_ended) {
  life l{{{{.bytes = test::http_answer(410, "{}")}}}};
  l.poll(1);
  const auto got = l.next();
  ASSERT_TRUE(got && got->news);
  EXPECT_TRUE(got->news->chunk.ended);
  ASSERT_TRUE(got->news->chunk.failure);
  EXPECT_EQ(got->news->chunk.failure->code, kube::api_errc::gone);
}

TEST(bridge_watch, of_a_bridge_that_is_gone_tells_nothing_more) {
  life l{{{{.bytes = test::chunked_answer(changes(1), false), .then = then::hold}}}};
  l.poll(1);
  ASSERT_TRUE(l.next());
  l.poll(2);
  l.bridge.reset();
  EXPECT_TRUE(l.server_closed(1));
  EXPECT_EQ(l.deliveries(), 1U);
}

// One connection for all of them: the thread rests between its looks meanwhile.
TEST(bridge_request, that_queues_is_answered_in_its_turn) {
  constexpr std::uint64_t requests = 300;
  kube::client_options one;
  one.connections = 1;
  test::scripted_connection script;
  for (std::uint64_t i = 0; i < requests; ++i) script.push_back({.bytes = test::http_answer(200, "{}")});
  life l{{script}, one};
  for (std::uint64_t ticket = 1; ticket <= requests; ++ticket) {
    api_request what;
    what.what.what = kube::verb::get_raw;
    what.what.path = fmt::format("/{}", ticket);
    what.what.timeout = patience;
    l.bridge->request(ticket, std::make_shared<const api_request>(std::move(what)));
  }
  for (std::uint64_t ticket = 1; ticket <= requests; ++ticket) {
    const auto got = l.next();
    ASSERT_TRUE(got && got->reply);
    EXPECT_TRUE(got->reply->outcome.has_value());
    EXPECT_EQ(got->ticket, ticket);
  }
  EXPECT_EQ(l.server.requests().size(), requests);
}

}  // namespace
}  // namespace egress
