// The whole way of a query through a packet loop, but for its sockets, allocates nothing when the table or
// the cache answers: counted by this program's own operator new. Where there is no more memory, it costs the
// questions that need some, and no others.
#include <cstdlib>
#include <new>

#include "actors/dns/io/tcp_listener.hpp"
#include "actors/dns/io/udp_listener.hpp"
#include "tests/unit/dns_io/tcp_client.hpp"

namespace {
thread_local std::size_t allocations = 0;
thread_local bool no_memory = false;
}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (no_memory) throw std::bad_alloc();
  if (void* room = std::malloc(size == 0 ? 1 : size)) return room;
  throw std::bad_alloc();
}
void operator delete(void* room) noexcept {
  std::free(room);
}
void operator delete(void* room, std::size_t) noexcept {
  std::free(room);
}

namespace egress::dns::test {
namespace {

// A worker that asks this upstream once, however long that takes.
worker_config patient(const scripted_upstream& upstream) {
  worker_config config;
  config.allow = client_acl::parse({}).value();
  config.upstreams = {upstream.address()};
  config.forward.least = config.forward.most = config.forward.budget = std::chrono::seconds{30};
  return config;
}

TEST(hot_path, a_query_that_the_table_or_the_cache_answers_allocates_nothing) {
  scripted_upstream upstream([](const packet& asked, auto) { return std::vector<packet>{answer_to(asked)}; });
  boost::asio::io_context context;
  const auto config = patient(upstream);
  worker_counters counters;
  query_service service(context, config, counters);
  service.set_table(sample_table());

  const asked_by by{.client = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1},
                    .arrived = std::chrono::steady_clock::now()};
  std::array<std::uint8_t, edns_udp_size> out{};
  bool answered = false;
  const auto serve = [&](const packet& p) {
    const bytes packet = p;
    service.read({&packet, 1});
    return service.serve(0, by, out, [&] { return reply_sink([&](bytes) { answered = true; }); });
  };
  const std::vector<packet> queries{ask{}.make(), ask{.name = "other.org", .edns = true}.make(),
                                    ask{.name = "a.wild.example.com"}.make()};
  for (const auto& p : queries) {
    answered = serve(p) > 0;
    while (!answered) context.run_one();
  }
  const std::size_t before = allocations;
  for (int i = 0; i < 1000; ++i)
    for (const auto& p : queries) ASSERT_GT(serve(p), 0u);
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(counters.forward_requests.value(), 2u);
  EXPECT_EQ(counters.responses[0][static_cast<std::size_t>(plugin::cache)].value(), 1000u);
}

TEST(hot_path, pipelined_queries_over_tcp_allocate_nothing) {
  auto opened = open_dns_sockets("127.0.0.1:0", 1);
  ASSERT_TRUE(opened);
  boost::asio::io_context context;
  worker_config config;
  config.allow = client_acl::parse({}).value();
  worker_counters counters;
  query_service service(context, config, counters);
  service.set_table(sample_table());
  const auto listener = std::make_shared<tcp_listener>(context, std::move(opened->workers[0].tcp), service,
                                                       config.tcp, counters);
  listener->start();

  const tcp_client client(opened->port);
  packet questions;
  for (int i = 0; i < 100; ++i) {
    const auto one = framed(ask{}.make());
    questions.insert(questions.end(), one.begin(), one.end());
  }
  packet answers(64 * 1024);
  const auto round = [&] {
    EXPECT_EQ(::send(client.fd(), questions.data(), questions.size(), 0),
              static_cast<ssize_t>(questions.size()));
    const auto until = counters.requests[1][0][0].value() + 100;
    while (counters.requests[1][0][0].value() < until) context.run_one();
    EXPECT_GT(::recv(client.fd(), answers.data(), answers.size(), 0), 0);
  };
  for (int i = 0; i < 10; ++i) round();
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) round();
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(counters.responses[0][static_cast<std::size_t>(plugin::egressoperator)].value(), 11'000u);
  listener->stop();
}

TEST(no_memory, loses_the_question_that_needs_some_and_not_its_batch) {
  scripted_upstream upstream([](const packet& asked, auto) { return std::vector<packet>{answer_to(asked)}; });
  auto opened = open_dns_sockets("127.0.0.1:0", 1);
  ASSERT_TRUE(opened);
  boost::asio::io_context context;
  const auto config = patient(upstream);
  worker_counters counters;
  query_service service(context, config, counters);
  service.set_table(sample_table());
  const auto listener =
      std::make_shared<udp_listener>(context, std::move(opened->workers[0].udp), service, counters);
  listener->start();

  const udp_client client(opened->port);
  const ask forwarded{.name = "other.org", .id = 1}, hijacked{.id = 2};
  client.send(forwarded.make());
  client.send(hijacked.make());
  ASSERT_TRUE(becomes_true([&] {
    no_memory = true;
    context.poll();
    no_memory = false;
    return counters.dropped.value() == 1 && readable(client.fd(), 0);
  }));
  EXPECT_EQ(read_reply(client.receive()).id, 2u);
  EXPECT_EQ(counters.dropped.value(), 1u);
  EXPECT_FALSE(readable(client.fd(), 0));
  // As the client does who has got no answer.
  client.send(forwarded.make());
  EXPECT_TRUE(becomes_true([&] { return context.poll() == 0 && readable(client.fd(), 0); }));
  EXPECT_EQ(read_reply(client.receive()).answers.at(0).data, (packet{192, 0, 2, 1}));
  listener->stop();
}

}  // namespace
}  // namespace egress::dns::test
