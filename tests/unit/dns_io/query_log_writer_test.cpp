// The query log's thread: everything that fits is written, and nothing ever waits for a reader.
#include "actors/dns/io/query_log_writer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {
namespace {

struct log_pipe {
  log_pipe() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    read = unique_fd(ends[0]);
    write = unique_fd(ends[1]);
  }
  // Until there are so many lines, or no more come.
  std::vector<std::string> lines(std::size_t wanted) {
    std::vector<std::string> all;
    std::array<char, 4096> chunk;
    while (all.size() < wanted && readable(read.get(), patience_ms)) {
      const auto got = ::read(read.get(), chunk.data(), chunk.size());
      if (got <= 0) break;
      for (const char c : std::string_view(chunk.data(), static_cast<std::size_t>(got))) {
        if (c != '\n') {
          rest += c;
          continue;
        }
        all.push_back(std::exchange(rest, {}));
      }
    }
    return all;
  }
  unique_fd read, write;
  std::string rest;
};

logged_query numbered(unsigned number) {
  logged_query one;
  one.name = parse_name(fmt::format("n{}.org", number)).value();
  one.type = rr::a;
  return one;
}

std::shared_ptr<query_log_writer> start(const log_pipe& to, std::size_t loops = 1, std::size_t room = 1024) {
  return query_log_writer::start({.which = logged_queries::all, .room = room}, loops, to.write.get()).value();
}

TEST(query_log_writer, writes_each_query_of_all_loops_once) {
  log_pipe pipe;
  const auto log = start(pipe, 2, 64);
  std::vector<std::thread> loops;
  for (std::size_t loop = 0; loop < 2; ++loop)
    loops.emplace_back([&, loop] {
      for (unsigned i = 0; i < 2000; ++i)
        while (!log->recorder(loop).put(numbered(static_cast<unsigned>(loop) * 10'000 + i)))
          std::this_thread::yield();
    });
  const auto lines = pipe.lines(4000);
  for (auto& one : loops) one.join();
  EXPECT_EQ(lines.size(), 4000u);
  EXPECT_EQ(std::set(lines.begin(), lines.end()).size(), 4000u);
  for (const auto& line : lines) ASSERT_TRUE(line.starts_with("{") && line.ends_with("}")) << line;
}

TEST(query_log_writer, loses_what_nobody_reads_and_ends_all_the_same) {
  log_pipe pipe;
  auto log = start(pipe);
  unsigned lost = 0;
  // More than a pipe and the ring hold.
  for (unsigned i = 0; i < 20'000; ++i) lost += log->recorder(0).put(numbered(i)) ? 0 : 1;
  EXPECT_GT(lost, 0u);
  const auto began = std::chrono::steady_clock::now();
  log.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{2});
}

TEST(query_log_writer, writes_what_waits_before_it_ends) {
  log_pipe pipe;
  auto log = start(pipe);
  for (unsigned i = 0; i < 100; ++i) ASSERT_TRUE(log->recorder(0).put(numbered(i)));
  log.reset();
  EXPECT_EQ(pipe.lines(100).size(), 100u);
}

TEST(query_log_writer, survives_a_reader_that_goes) {
  log_pipe pipe;
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  auto log = start(pipe);
  pipe.read.reset();
  for (unsigned i = 0; i < 100; ++i) log->recorder(0).put(numbered(i));
  log.reset();
  std::signal(SIGPIPE, before);
}

TEST(query_log, tells_of_queries_that_a_worker_answers) {
  log_pipe pipe;
  const auto log = start(pipe);
  scripted_upstream upstream(
      [](const packet& asked, auto) { return std::vector<packet>{answer_to(asked, 2, {})}; });
  served s({upstream.address()});
  s.config.log = {log, &log->recorder(0)};
  const auto worker = s.make();
  const udp_client client(s.port);
  client.ask_for({});
  client.ask_for({.name = "other.org"});
  const auto lines = pipe.lines(2);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[0].find(R"("client":"127.0.0.1","transport":"udp","name":"example.com")"),
            std::string::npos);
  EXPECT_NE(lines[0].find(R"("externalservice":"ex")"), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find(R"("name":"other.org","type":"A","rcode":"SERVFAIL","plugin":"forward")"),
            std::string::npos)
      << lines[1];
}

TEST(query_log, that_is_full_costs_no_answer_and_is_counted) {
  log_pipe pipe;
  const auto log = start(pipe, 1, 16);
  // Fill pipe and ring: from here on nothing fits.
  while (log->recorder(0).put(numbered(0)) || readable(pipe.read.get(), 0) == false) {
  }
  served s;
  s.config.log = {log, &log->recorder(0)};
  const auto worker = s.make();
  const udp_client client(s.port);
  while (s.counters->log_dropped.value() == 0) ASSERT_EQ(client.ask_for({}).code, 0u);
}

}  // namespace
}  // namespace egress::dns::test
