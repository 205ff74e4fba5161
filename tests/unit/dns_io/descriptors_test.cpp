// When the process has as many descriptors as it may have.

#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/unit/dns_io/tcp_client.hpp"

namespace egress::dns::test {
namespace {

using namespace std::chrono_literals;

std::chrono::nanoseconds processor_time() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

// While it lives this process can open nothing more.
struct no_descriptors {
  no_descriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before);
    const unique_fd lowest(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
    const rlimit now{static_cast<rlim_t>(lowest.get()), before.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &now), 0);
  }
  ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before); }
  rlimit before{};
};

// The kernel says again and again that somebody has come, and each time that he cannot be let in.
TEST(descriptors, a_loop_without_a_descriptor_for_a_newcomer_waits_and_answers_the_others) {
  served s;
  const auto worker = s.make();
  const udp_client other(s.port);
  const unique_fd newcomer(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_FALSE(other.ask_for({}).answers.empty());
  {
    const no_descriptors none;
    const auto at = loopback(s.port);
    ASSERT_EQ(::connect(newcomer.get(), generic(at), sizeof at), 0);
    const auto question = framed(ask{}.make());
    ASSERT_EQ(::send(newcomer.get(), question.data(), question.size(), 0), std::ssize(question));
    const auto before = processor_time();
    EXPECT_FALSE(readable(newcomer.get(), 500));
    EXPECT_LT(processor_time() - before, 150ms) << "a loop that tries again at once takes all of it";
    EXPECT_FALSE(other.ask_for({}).answers.empty());
    EXPECT_EQ(s.counters->tcp_connections.value(), 0u);
  }
  EXPECT_TRUE(readable(newcomer.get())) << "it is let in when there is one";
  EXPECT_EQ(s.counters->tcp_connections.value(), 1u);
}

}  // namespace
}  // namespace egress::dns::test
