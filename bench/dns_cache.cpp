// An answer from the cache without its sockets: a packet in, an answer out; with 1,000 to 100,000 names kept,
// asked in an order that no CPU cache foresees. And what a cache that all packet loops share would cost: the
// same behind a lock, by one and by two threads.
#include <benchmark/benchmark.h>

#include <map>
#include <mutex>

#include "actors/dns/cached_answer.hpp"

namespace {

using namespace egress;
using packet = std::vector<std::uint8_t>;

packet question(int i) {
  const auto name = dns::parse_name(fmt::format("host-{}.example.com", i)).value();
  packet p{0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1};
  p.insert(p.end(), name.view().begin(), name.view().end());
  for (const int byte : {0, 1, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0})
    p.push_back(static_cast<std::uint8_t>(byte));
  return p;
}

// An alias and two addresses.
packet answer(const dns::query& asked) {
  packet p(asked.packet.begin(), asked.packet.begin() + dns::header_size + asked.question_size);
  p[2] = 0x81;
  p[3] = 0x80;
  p[7] = 3;
  p[11] = 0;
  const auto record = [&](std::uint8_t type, std::initializer_list<std::uint8_t> data) {
    for (const std::uint8_t byte : {0xc0, 0x0c, 0, int{type}, 0, 1, 0, 0, 14, 16, 0, int(data.size())})
      p.push_back(byte);
    p.insert(p.end(), data);
  };
  record(5, {6, 'o', 't', 'h', 'e', 'r', 's', 0xc0, 0x0c});
  record(1, {192, 0, 2, 1});
  record(1, {192, 0, 2, 2});
  return p;
}

struct filled {
  explicit filled(int count) : held(std::size_t{256} << 20, {1, 2}) {
    dns::query asked;
    for (int i = 0; i < count; ++i) {
      const auto p = question(i);
      dns::parse_query(p, asked);
      held.learn(asked, answer(asked), now);
    }
    for (int i = 0; i < 1 << 16; ++i)
      packets.push_back(question(static_cast<int>(std::int64_t{i} * 7919 % count)));
  }
  dns::cache held;
  dns::cache_time now = dns::cache_time{} + std::chrono::hours{1};
  std::vector<packet> packets;
};

filled& names(std::int64_t count) {
  static std::map<std::int64_t, filled> all;
  static std::mutex guard;
  const std::scoped_lock lock(guard);
  return all.try_emplace(count, static_cast<int>(count)).first->second;
}

std::size_t answer_one(filled& from, dns::query& asked, dns::buffer out) {
  const auto found = from.held.find(asked, from.now);
  if (!found.entry) return 0;
  return dns::respond_cached(asked, dns::forward_kind::plain, found, from.now, nullptr, {}, out).size;
}

void parse_only(benchmark::State& state) {
  auto& from = names(state.range(0));
  dns::query asked;
  std::size_t next = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(dns::parse_query(from.packets[next++ % from.packets.size()], asked));
}
BENCHMARK(parse_only)->Arg(1000)->Arg(100'000);

void parse_and_hit(benchmark::State& state) {
  auto& from = names(state.range(0));
  std::array<std::uint8_t, dns::edns_udp_size> out;
  dns::query asked;
  std::size_t next = 0, size = 0;
  for (auto _ : state) {
    dns::parse_query(from.packets[next++ % from.packets.size()], asked);
    size += answer_one(from, asked, out) != 0;
  }
  if (size != next) state.SkipWithError("a miss");
}
BENCHMARK(parse_and_hit)->Arg(1000)->Arg(10'000)->Arg(100'000);

void parse_and_hit_behind_a_lock(benchmark::State& state) {
  static std::mutex lock;
  auto& from = names(state.range(0));
  std::array<std::uint8_t, dns::edns_udp_size> out;
  dns::query asked;
  std::size_t next = static_cast<std::size_t>(state.thread_index()) * 1000;
  for (auto _ : state) {
    dns::parse_query(from.packets[next++ % from.packets.size()], asked);
    const std::scoped_lock held(lock);
    benchmark::DoNotOptimize(answer_one(from, asked, out));
  }
}
BENCHMARK(parse_and_hit_behind_a_lock)->Arg(10'000)->Threads(1)->Threads(2)->UseRealTime();

void learn(benchmark::State& state) {
  filled from(1000);
  dns::query asked;
  int next = 0;
  for (auto _ : state) {
    const auto p = question(next++ % 1'000'000);
    dns::parse_query(p, asked);
    from.held.learn(asked, answer(asked), from.now);
  }
  state.counters["bytes_per_name"] = static_cast<double>(from.held.memory()) /
                                     static_cast<double>(from.held.entries(dns::cache_kind::success));
}
BENCHMARK(learn);

}  // namespace

BENCHMARK_MAIN();
