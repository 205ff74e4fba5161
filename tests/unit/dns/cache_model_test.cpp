// The cache against a std::map that does the same slowly: thousands of random steps.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <tuple>

#include "tests/unit/dns/cache_support.hpp"

namespace egress::dns::test {
namespace {

using key = std::tuple<std::string, unsigned, unsigned, bool>;
key key_of(const ask& what) {
  return {what.name, what.type, what.flags & flag::cd, what.dnssec};
}

struct known {
  cache_time stored;
  std::uint32_t ttl = 0;
  std::uint8_t mark = 0;
  cache_time failed{};
};

struct model_run {
  explicit model_run(std::size_t bytes, unsigned seed) : cache(bytes), random(seed) {}

  unsigned below(unsigned n) { return static_cast<unsigned>(random() % n); }
  ask any(unsigned names) {
    return {.name = "n" + std::to_string(below(names)) + ".example.org",
            .type = below(2) == 0 ? unsigned{rr::a} : unsigned{rr::txt},
            .flags = below(8) == 0 ? flag::rd | flag::cd : unsigned{flag::rd},
            .edns = true,
            .dnssec = below(8) == 0};
  }

  void learn(const ask& what) {
    known next{.stored = cache.now, .ttl = 1 + below(100), .mark = static_cast<std::uint8_t>(random())};
    packet data(4 + below(400));
    data[0] = next.mark;
    cache.learn(what, upstream_reply{.answers = {{what.name, what.type, next.ttl, data}}}.to(what));
    model[key_of(what)] = next;
  }
  void fail(const ask& what) {
    const auto known_one = model.find(key_of(what));
    cache.learn(what, {});
    if (known_one != model.end()) known_one->second.failed = cache.now;
  }

  // Whether it was found; what is found must be what was learnt last.
  bool check(const ask& what) {
    const auto found = cache.find(what);
    const auto expected = model.find(key_of(what));
    if (found.state == cache_state::miss || found.state == cache_state::failed) return false;
    if (expected == model.end()) {
      ADD_FAILURE() << "found what was never learnt: " << what.name;
      return true;
    }
    const auto& one = expected->second;
    const bool fresh = cache.now < one.stored + seconds(one.ttl);
    EXPECT_EQ(found.state == cache_state::fresh, fresh);
    if (found.state == cache_state::failing) EXPECT_LT(cache.now, one.failed + failure_memory);
    EXPECT_LT(cache.now, one.stored + seconds(one.ttl) + stale_for);
    const auto r = read_reply(found.entry->message());
    EXPECT_EQ(r.question, what.name);
    EXPECT_EQ(r.answers.at(0).ttl, one.ttl);
    EXPECT_EQ(r.answers.at(0).data.at(0), one.mark);
    return true;
  }
  // What the model says is there.
  bool should_be_there(const ask& what) const {
    const auto one = model.find(key_of(what));
    return one != model.end() && cache.now < one->second.stored + seconds(one->second.ttl) + stale_for;
  }

  timed_cache cache;
  std::mt19937 random;
  std::map<key, known> model;
};

TEST(cache_model, with_room_for_all_it_knows_exactly_what_the_model_knows) {
  model_run run(64 << 20, 1);
  unsigned found = 0;
  for (int step = 0; step < 20'000; ++step) {
    const auto what = run.any(400);
    const auto dice = run.below(10);
    if (dice < 4) run.learn(what);
    if (dice == 4) run.fail(what);
    if (dice == 5) run.cache.now += milliseconds(run.below(5000));
    if (dice == 6 && run.below(100) == 0) run.cache.now += std::chrono::hours(run.below(3));
    const bool there = run.check(what);
    found += there;
    ASSERT_EQ(there, run.should_be_there(what)) << "step " << step;
  }
  EXPECT_GT(found, 5000u);
  EXPECT_EQ(run.cache.held.evictions(cache_kind::success), 0u);
}

TEST(cache_model, within_its_bound_it_never_tells_anything_else) {
  for (const std::size_t bytes : {3u << 10, 20u << 10, 100u << 10}) {
    model_run run(bytes, static_cast<unsigned>(bytes));
    unsigned found = 0;
    for (int step = 0; step < 20'000; ++step) {
      const auto what = run.any(1000);
      const auto dice = run.below(10);
      if (dice < 6) run.learn(what);
      if (dice == 6) run.fail(what);
      if (dice == 7) run.cache.now += milliseconds(run.below(2000));
      found += run.check(what);
      found += run.check(run.any(1000));
      ASSERT_LE(run.cache.held.memory(), bytes) << "step " << step;
    }
    EXPECT_GT(found, 100u);
    EXPECT_GT(run.cache.held.evictions(cache_kind::success), 1000u);
  }
}

}  // namespace
}  // namespace egress::dns::test
