// Three times what one packet loop can serve: for 5 seconds, or for EGRESS_LOAD_SECONDS on a machine that has
// nothing else to do, where times are bounded more narrowly. The loop has a CPU of its own where there are
// two.
//
// What is offered are names that no cache knows, which cost ten times as much as hijacked ones: of those
// alone one generator cannot send enough.

#include <sched.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/support/mixed_load.hpp"
#include "tests/support/sanitized.hpp"
#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {
namespace {

using namespace std::chrono_literals;
using egress::test::load_figures;
using egress::test::mixed_load;
using egress::test::mixed_result;
using egress::test::sanitized;

const char* const asked_seconds = std::getenv("EGRESS_LOAD_SECONDS");

std::chrono::seconds how_long() {
  return std::chrono::seconds{asked_seconds ? std::atoi(asked_seconds) : 5};
}

constexpr unsigned one_in = 6;  // questions is for a hijacked name
constexpr double usual_rate = sanitized ? 300 : 1200;

// Threads that begin from here on are on this CPU of those we may have.
void go_to_cpu(int number) {
  static const auto allowed = [] {
    cpu_set_t set;
    ::sched_getaffinity(0, sizeof set, &set);
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < CPU_SETSIZE; ++i)
      if (CPU_ISSET(i, &set)) all.push_back(i);
    return all;
  }();
  if (allowed.size() < 2) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(allowed[static_cast<std::size_t>(number)], &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

double mebibytes(const std::string& what) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (double kib = 0; word == what + ":" && status >> kib) return kib / 1024;
  return 0;
}
void forget_the_peak_of_memory() {
  std::ofstream("/proc/self/clear_refs") << 5;
}

std::set<int> threads() {
  std::set<int> all;
  for (const auto& one : std::filesystem::directory_iterator("/proc/self/task"))
    all.insert(std::stoi(one.path().filename()));
  return all;
}
// How long a thread was kept waiting for a CPU, in seconds.
double waited(int thread) {
  double ran = 0, waits = 0;
  std::ifstream("/proc/self/task/" + std::to_string(thread) + "/schedstat") >> ran >> waits;
  return waits / 1e9;
}

double ms(const load_figures& of, double part) {
  return static_cast<double>(of.percentile(part).count()) / 1000;
}
double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// When the hijacked name was answered as usual again: the first tenth of a second in which each question was,
// within `usual`.
std::chrono::milliseconds recovery(const mixed_result& after, std::chrono::microseconds usual) {
  std::chrono::milliseconds passed{0};
  for (const auto& slice : after.slices) {
    if (slice.sent > 0 && slice.answered == slice.sent && slice.worst <= usual) break;
    passed += 100ms;
  }
  return passed;
}

// Of the hijacked questions, but for those of the last second, whose answers nobody waited for.
double answered_share(const mixed_result& during) {
  std::uint64_t sent = 0, answered = 0;
  for (std::size_t i = 0; i + 10 < during.slices.size(); ++i) {
    sent += during.slices[i].sent;
    answered += during.slices[i].answered;
  }
  return share(answered, sent);
}

struct overload : ::testing::Test {
  // `buffer`: of the UDP socket, in bytes; 0 as it is opened.
  void begin(scripted_upstream::script what, int buffer = 0) {
    go_to_cpu(1);
    upstream = std::make_unique<scripted_upstream>(std::move(what));
    s = std::make_unique<served>(std::vector{upstream->address()});
    s->config.forward = {};
    s->config.cache.bytes = 1 << 20;  // full from the beginning
    if (buffer != 0) ::setsockopt(s->sockets->at(0).udp.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    load = std::make_unique<mixed_load>(s->port, one_in);
    go_to_cpu(0);
    const auto others = threads();
    loop = s->make();
    for (const int one : threads())
      if (!others.contains(one)) loop_thread = one;
    go_to_cpu(1);
  }
  void offer_three_times_what_it_can_serve() {
    double capacity = 0;  // the best of some tries: what else is done meanwhile is not the loop's doing
    for (int i = 0; i < 4; ++i) {
      const auto some = load->closed(256, 500ms);
      capacity = std::max(capacity, some.per_second(some.hijacked.answered + some.forwarded.answered));
    }
    std::printf("can serve %.0f a second\n", capacity);
    offer(3 * capacity);
    if (asked_seconds)
      EXPECT_GT(during.per_second(during.sent()), 2.9 * capacity)
          << "this machine's generator can offer no more: nothing is said of the loop";
    forwards = true;
  }
  // Offers so much, and shows what becomes of it.
  void offer(double per_second) {
    load->open(per_second, 1s, 500ms);  // as much waits for upstreams as may
    before = load->open(usual_rate, 1s, 500ms);
    const auto memory = mebibytes("VmRSS");
    forget_the_peak_of_memory();
    const double loop_waited = waited(loop_thread), we_waited = waited(::getpid());
    during = load->open(per_second, how_long(), 0ms);
    kept_waiting =
        std::max(waited(loop_thread) - loop_waited, (waited(::getpid()) - we_waited) / 2) / during.seconds;
    grown = mebibytes("VmHWM") - memory;
    after = load->open(usual_rate, 2s, 500ms);
    const std::chrono::microseconds least = asked_seconds ? 20ms : 50ms;
    recovered = recovery(after, std::max(least, 2 * before.hijacked.percentile(0.99)));
    tell(memory);
  }
  void tell(double memory) const {
    const auto& hijacked = during.hijacked;
    const auto& forwarded = during.forwarded;
    const auto percent = [&](std::uint64_t part) { return 100 * share(part, during.sent()); };
    std::printf("offered %.0f a second for %.0f s: %.1f %% answered, %.1f %% refused, %.1f %% failed\n",
                during.per_second(during.sent()), during.seconds,
                percent(hijacked.answered + forwarded.answered),
                percent(hijacked.refused + forwarded.refused), percent(hijacked.failed + forwarded.failed));
    std::printf("hijacked: %.0f a second, %.3f %% answered, p50 %.1f ms, p99 %.1f ms (usually %.1f, %.1f)\n",
                during.per_second(hijacked.sent), 100 * answered_share(during), ms(hijacked, 0.5),
                ms(hijacked, 0.99), ms(before.hijacked, 0.5), ms(before.hijacked, 0.99));
    std::printf("forwarded: %.0f a second answered\n", during.per_second(forwarded.answered));
    std::printf("kept waiting for a CPU: %.0f %%\n", 100 * kept_waiting);
    std::printf("memory: %.1f MiB before, at most %.1f more; as usual again after %ld ms\n", memory, grown,
                static_cast<long>(recovered.count()));
  }
  // What holds on a machine that is busy, too, and what on one that has nothing else to do.
  void expect(double share_when_busy, double share_when_idle) const {
    EXPECT_EQ(during.hijacked.refused + during.hijacked.failed, 0u);
    if (!sanitized) EXPECT_LT(grown, 6);
    // Then it is not the questions that are too many for it.
    if (kept_waiting > 0.5 && !asked_seconds) GTEST_SKIP() << "the machine has other work";
    if (forwards) EXPECT_GT(after.forwarded.answered, after.forwarded.sent / 2) << "forwarded again";
    // Where even refusing is too much the kernel drops what it has no room for, whatever that asks: hijacked
    // names are not worse off then than the others, of the same time: the kernel drops now more, now less.
    const auto reached = [](const load_figures& of) { return of.answered + of.refused + of.failed; };
    const double taken = share(reached(during.hijacked) + reached(during.forwarded), during.sent());
    const double wanted = asked_seconds ? share_when_idle : share_when_busy;
    if (answered_share(during) <= wanted)
      EXPECT_GT(share(reached(during.hijacked), during.hijacked.sent), 0.97 * taken);
    EXPECT_LT(during.hijacked.percentile(0.99), asked_seconds ? 100ms : sanitized ? 1000ms : 500ms);
    EXPECT_LE(recovered, 1s);
  }

  std::unique_ptr<scripted_upstream> upstream;
  std::unique_ptr<served> s;
  std::unique_ptr<mixed_load> load;
  std::unique_ptr<worker> loop;
  mixed_result before, during, after;
  int loop_thread = 0;
  bool forwards = false;    // the upstream answers
  double grown = 0;         // MiB
  double kept_waiting = 0;  // of the time, the loop or (counted half: an upstream is beside us) we
  std::chrono::milliseconds recovered{0};
};

TEST_F(overload, of_three_times_what_a_loop_can_serve_starves_no_hijacked_name) {
  begin([](const packet& asked, auto) { return std::vector<packet>{answer_to(asked)}; });
  offer_three_times_what_it_can_serve();
  expect(0.95, 0.998);
}

// What a process without privileges gets where net.core.rmem_max is as it usually is: it holds 512 packets.
TEST_F(overload, is_stood_with_the_smallest_receive_buffer) {
  begin([](const packet& asked, auto) { return std::vector<packet>{answer_to(asked)}; }, 212'992);
  offer_three_times_what_it_can_serve();
  expect(0.5, 0.8);
}

TEST_F(overload, of_names_whose_upstream_is_silent_starves_no_hijacked_name) {
  begin([](auto&, auto) { return std::vector<packet>{}; });
  offer(asked_seconds ? 60'000 : sanitized ? 2'000 : 20'000);
  expect(0.95, 0.998);
}

}  // namespace
}  // namespace egress::dns::test
