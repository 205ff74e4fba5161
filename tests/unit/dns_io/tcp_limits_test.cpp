// TCP clients that are many, slow, or ask for more than their share.
#include <sys/resource.h>
#include <sys/wait.h>

#include <fstream>

#include "tests/support/sanitized.hpp"
#include "tests/unit/dns_io/tcp_client.hpp"

namespace egress::dns::test {
namespace {

using namespace std::chrono_literals;

std::size_t resident_bytes() {
  std::size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// Another process, with descriptors of its own, that has so many connections open: each has asked once.
class crowd {
 public:
  crowd(std::uint16_t port, std::size_t size) {
    int talk[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk), 0);
    mine_ = unique_fd(talk[0]);
    const unique_fd theirs(talk[1]);
    const auto question = framed(ask{}.make());
    child_ = ::fork();
    if (child_ != 0) return;
    mine_.reset();
    ::_exit(be(port, size, question, theirs.get()));
  }
  ~crowd() {
    mine_.reset();
    ::waitpid(child_, nullptr, 0);
  }
  void come() const { EXPECT_EQ(::write(mine_.get(), "", 1), 1); }
  bool is_there() const {
    char byte = 0;
    return ::read(mine_.get(), &byte, 1) == 1;
  }

 private:
  static int be(std::uint16_t port, std::size_t size, const packet& question, int talk) {
    char byte = 0;
    if (::read(talk, &byte, 1) != 1) return 1;
    const auto at = loopback(port);
    std::array<std::uint8_t, 512> answer;
    for (std::size_t i = 0; i < size; ++i) {
      const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
      if (::connect(fd, generic(at), sizeof at) != 0) return 1;
      if (::send(fd, question.data(), question.size(), MSG_NOSIGNAL) < 0) return 1;
      if (::recv(fd, answer.data(), answer.size(), 0) <= 0) return 1;
    }
    if (::write(talk, "", 1) != 1) return 1;
    return ::read(talk, &byte, 1) == 0 ? 0 : 1;
  }
  unique_fd mine_;
  pid_t child_ = -1;
};

TEST(tcp_limits, ten_thousand_idle_connections_cost_little_and_disturb_nobody) {
  constexpr std::size_t many = 10'000;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_max < many + 200) GTEST_SKIP() << "only " << files.rlim_max << " descriptors may be open";
  served s;
  s.config.tcp.connections = s.config.tcp.per_client = many + 1;
  s.config.tcp.idle = s.config.tcp.undisturbed = 10min;
  const crowd others(s.port, many);  // before there is a thread
  const auto worker = s.make();
  EXPECT_FALSE(udp_client(s.port).ask_for({}).answers.empty());
  const auto before = resident_bytes();
  others.come();
  ASSERT_TRUE(others.is_there());
  EXPECT_EQ(s.counters->tcp_open.load(), static_cast<std::int64_t>(many));
  const auto each = (resident_bytes() - before) / many;
  RecordProperty("bytes_each", std::to_string(each));
  std::printf("%zu bytes for each of %zu connections\n", each, many);
  if (!egress::test::sanitized) EXPECT_LT(each, 2048u);
  EXPECT_FALSE(udp_client(s.port).ask_for({}).answers.empty());
  const tcp_client one_more(s.port), too_many(s.port);
  one_more.send(ask{}.make());
  EXPECT_FALSE(one_more.receive().empty());
  EXPECT_TRUE(too_many.ends());
}

bool is_served(const tcp_client& client) {
  client.send(ask{}.make());
  return !client.receive().empty();
}

TEST(tcp_limits, who_has_been_idle_longest_makes_room_for_a_newcomer) {
  served s;
  s.config.tcp.connections = 3;
  s.config.tcp.per_client = 1;
  s.config.tcp.idle = s.config.tcp.read = 10min;
  s.config.tcp.undisturbed = 0ms;
  const auto worker = s.make();
  const auto first = tcp_client::from("127.0.0.2", s.port), second = tcp_client::from("127.0.0.3", s.port);
  const auto half_a_query = tcp_client::from("127.0.0.4", s.port);
  auto query_and_a_half = framed(ask{}.make());
  query_and_a_half.push_back(0);
  half_a_query.send_raw(query_and_a_half);
  EXPECT_FALSE(half_a_query.receive().empty());
  EXPECT_TRUE(is_served(first) && is_served(second) && is_served(first));
  const auto newcomer = tcp_client::from("127.0.0.5", s.port);
  EXPECT_TRUE(is_served(newcomer) && is_served(first));
  EXPECT_TRUE(second.ends()) << "it was idle for longer than the first";
  EXPECT_EQ(s.counters->tcp_rejects.value(), 0u);
}

TEST(tcp_limits, a_client_with_all_it_may_have_gives_up_its_own_that_has_been_idle_longest) {
  served s;
  s.config.tcp.per_client = 2;
  s.config.tcp.idle = 10min;
  s.config.tcp.undisturbed = 0ms;
  const auto worker = s.make();
  const auto other = tcp_client::from("127.0.0.3", s.port);
  EXPECT_TRUE(is_served(other)) << "idle for longer than all of them";
  const auto first = tcp_client::from("127.0.0.2", s.port), second = tcp_client::from("127.0.0.2", s.port);
  EXPECT_TRUE(is_served(second) && is_served(first));
  const auto third = tcp_client::from("127.0.0.2", s.port);
  EXPECT_TRUE(is_served(third) && is_served(first) && is_served(other));
  EXPECT_TRUE(second.ends());
}

TEST(tcp_limits, who_has_most_connections_makes_room_for_who_has_few) {
  served s;
  s.config.tcp.connections = 4;
  s.config.tcp.per_client = 3;
  s.config.tcp.idle = s.config.tcp.read = s.config.tcp.undisturbed = 10min;
  const auto worker = s.make();
  std::vector<tcp_client> many;
  for (int i = 0; i < 3; ++i) {
    many.push_back(tcp_client::from("127.0.0.2", s.port));
    auto query_and_a_half = framed(ask{}.make());
    query_and_a_half.push_back(0);  // so that it is never idle
    many.back().send_raw(query_and_a_half);
    EXPECT_FALSE(many.back().receive().empty());
  }
  const auto one = tcp_client::from("127.0.0.3", s.port);
  EXPECT_TRUE(is_served(one));
  const auto newcomer = tcp_client::from("127.0.0.4", s.port);
  EXPECT_TRUE(is_served(newcomer) && is_served(one)) << "two are left to the one with three";
  EXPECT_TRUE(becomes_true([&] { return s.counters->tcp_open.load() == 4; }));
  const auto late = tcp_client::from("127.0.0.5", s.port);
  EXPECT_TRUE(is_served(late) && is_served(newcomer) && is_served(one)) << "and one";
  EXPECT_TRUE(tcp_client::from("127.0.0.6", s.port).ends()) << "all have as many as it would have";
  EXPECT_EQ(s.counters->tcp_rejects.value(), 1u);
}

TEST(tcp_limits, clients_that_each_keep_to_their_share_are_bounded_together) {
  served s;
  s.config.tcp.connections = 2;
  s.config.tcp.per_client = 2;
  s.config.tcp.undisturbed = 10min;
  const auto worker = s.make();
  std::optional first = tcp_client::from("127.0.0.2", s.port);
  const auto second = tcp_client::from("127.0.0.3", s.port);
  EXPECT_TRUE(is_served(*first) && is_served(second));
  EXPECT_TRUE(tcp_client::from("127.0.0.4", s.port).ends());
  EXPECT_EQ(s.counters->tcp_rejects.value(), 1u);
  first.reset();
  EXPECT_TRUE(becomes_true([&] { return s.counters->tcp_open.load() == 1; }));
  EXPECT_TRUE(is_served(tcp_client::from("127.0.0.4", s.port))) << "there is room again";
}

packet a_thousand_of(const packet& question) {
  packet all;
  for (int i = 0; i < 1000; ++i) all.insert(all.end(), question.begin(), question.end());
  return all;
}

// Sends questions until the server takes no more. Gives how many bytes it took.
std::size_t send_until_held_back(const tcp_client& client, const packet& questions) {
  constexpr std::size_t far_too_much = 256 << 20;
  std::size_t sent = 0;
  pollfd want{.fd = client.fd(), .events = POLLOUT, .revents = 0};
  while (sent < far_too_much && ::poll(&want, 1, 500) == 1) {
    const auto at = sent % questions.size();
    const auto took =
        ::send(client.fd(), questions.data() + at, questions.size() - at, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (took <= 0) break;
    sent += static_cast<std::size_t>(took);
  }
  EXPECT_LT(sent, far_too_much);
  return sent;
}

TEST(tcp_limits, a_client_that_does_not_read_is_read_no_further_and_gets_all_answers_once_it_does) {
  served s;
  s.config.tcp.write = 1min;
  const auto worker = s.make();
  const tcp_client slow(s.port);
  const auto question = framed(ask{}.make());
  const auto questions = a_thousand_of(question);
  const auto before = resident_bytes();
  const auto sent = send_until_held_back(slow, questions);
  RecordProperty("questions", std::to_string(sent / question.size()));
  if (!egress::test::sanitized) EXPECT_LT(resident_bytes(), before + (4 << 20));
  const tcp_client other(s.port);
  other.send(ask{}.make());
  EXPECT_FALSE(other.receive().empty());

  // The last question is complete only now.
  const std::size_t whole = (sent + question.size() - 1) / question.size();
  for (std::size_t i = 1; i < whole; ++i) ASSERT_FALSE(slow.receive().empty()) << i << " of " << whole;
  slow.send_raw(
      {question.end() - static_cast<std::ptrdiff_t>(whole * question.size() - sent), question.end()});
  EXPECT_FALSE(slow.receive().empty());
  slow.finish();
  EXPECT_TRUE(slow.ends());
}

TEST(tcp_limits, a_client_that_takes_nothing_is_let_go) {
  served s;
  s.config.tcp.write = 300ms;
  const auto worker = s.make();
  const tcp_client stuck(s.port);
  send_until_held_back(stuck, a_thousand_of(framed(ask{}.make())));
  EXPECT_TRUE(becomes_true([&] { return s.counters->tcp_open.load() == 0; }));
}

TEST(tcp_limits, a_client_that_leaves_too_much_unread_is_let_go_at_once) {
  served s;
  s.config.tcp.write = 10min;
  s.config.tcp.unread = 16;
  const auto worker = s.make();
  const tcp_client stuck(s.port);
  send_until_held_back(stuck, a_thousand_of(framed(ask{}.make())));
  EXPECT_TRUE(becomes_true([&] { return s.counters->tcp_open.load() == 0; }));
}

TEST(tcp_limits, those_that_have_most_here_are_let_go_when_all_together_have_too_much) {
  served s;
  s.config.tcp.read = s.config.tcp.idle = 10min;
  s.config.tcp.kept = 256 << 10;
  const auto worker = s.make();
  const tcp_client modest(s.port);
  modest.send_raw({0});
  std::vector<tcp_client> greedy;
  for (int i = 0; i < 8; ++i) {
    greedy.emplace_back(s.port);
    packet part(60'000);
    put16(part, 0);
    part[0] = part[1] = 0xff;
    greedy.back().send_raw(part);
  }
  ASSERT_TRUE(becomes_true([&] { return s.counters->tcp_connections.value() == greedy.size() + 1; }));
  EXPECT_TRUE(becomes_true([&] { return s.counters->tcp_open.load() <= 5; }));
  EXPECT_GT(s.counters->tcp_open.load(), 1);
  const auto question = framed(ask{}.make());
  modest.send_raw({question.begin() + 1, question.end()});
  EXPECT_FALSE(modest.receive().empty());
}

TEST(tcp_limits, a_message_that_comes_drop_by_drop_has_the_time_of_one) {
  served s;
  s.config.tcp.read = 200ms;
  const auto worker = s.make();
  const tcp_client client(s.port);
  client.send_raw({2, 0});
  int drops = 0;
  while (drops < 500 && !readable(client.fd(), 20)) {
    client.send_raw({0});
    ++drops;
  }
  EXPECT_TRUE(client.ends());
  EXPECT_LT(drops, 500);
}

TEST(tcp_limits, too_many_forwarded_queries_of_one_client_wait_for_each_other) {
  std::atomic<bool> open = false;
  scripted_upstream upstream([&](const packet& asked, auto) {
    return open ? std::vector<packet>{answer_to(asked)} : std::vector<packet>{};
  });
  served s({upstream.address()});
  s.config.forward.least = s.config.forward.most = 100ms;
  s.config.forward.budget = 8s;
  s.config.tcp.pipelined = 2;
  const auto worker = s.make();
  const tcp_client client(s.port);
  packet all;
  for (unsigned i = 0; i < 5; ++i) {
    const auto one = framed(ask{.name = "n" + std::to_string(i) + ".org", .id = i}.make());
    all.insert(all.end(), one.begin(), one.end());
  }
  client.send_raw(all);
  EXPECT_TRUE(becomes_true([&] { return upstream.asked() >= 4; })) << "again and again";
  EXPECT_EQ(s.counters->requests[1][0][0].value(), 2u) << "the others are not even read";
  open = true;
  std::set<unsigned> ids;
  for (int i = 0; i < 5; ++i) ids.insert(read_reply(client.receive()).id);
  EXPECT_EQ(ids.size(), 5u);
}

TEST(tcp_limits, a_worker_that_ends_answers_what_waits_first) {
  scripted_upstream silent([](auto&, auto) { return std::vector<packet>{}; });
  served s({silent.address()});
  s.be_patient();
  auto worker = s.make();
  const tcp_client client(s.port);
  client.send(ask{.name = "a.org", .id = 7}.make());
  EXPECT_TRUE(becomes_true([&] { return silent.asked() > 0; }));
  worker.reset();
  const auto last = client.receive();
  ASSERT_FALSE(last.empty());
  EXPECT_EQ(read_reply(last).code, 2u);
  EXPECT_TRUE(client.ends());
}

}  // namespace
}  // namespace egress::dns::test
