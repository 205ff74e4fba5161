#include "actors/dns/cache.hpp"

#include <gtest/gtest.h>

#include "tests/unit/dns/cache_support.hpp"

namespace egress::dns::test {
namespace {

const ask plain{.name = "www.example.org"};

ask numbered(int i) {
  return {.name = "n" + std::to_string(i) + ".example.org"};
}

TEST(cache, knows_an_answer_until_its_ttl_is_over) {
  timed_cache c;
  EXPECT_EQ(c.state(plain), cache_state::miss);
  c.learn(plain, address(plain, 60));
  EXPECT_EQ(c.state(plain), cache_state::fresh);
  c.now += milliseconds{59'999};
  EXPECT_EQ(c.state(plain), cache_state::fresh);
  c.now += milliseconds{1};
  EXPECT_EQ(c.state(plain), cache_state::stale);
}

TEST(cache, name_type_do_and_cd_make_the_key_and_nothing_else) {
  timed_cache c;
  c.learn(plain, address(plain));
  EXPECT_EQ(c.state({.name = "WWW.Example.ORG", .id = 7, .flags = flag::rd | flag::ad, .edns = true}),
            cache_state::fresh);
  for (const auto& other :
       {ask{.name = plain.name, .type = rr::aaaa}, ask{.name = plain.name, .flags = flag::rd | flag::cd},
        ask{.name = plain.name, .edns = true, .dnssec = true}, ask{.name = "ww.example.org"},
        ask{.name = "www.example.or"}})
    EXPECT_EQ(c.state(other), cache_state::miss);
}

// Who knows which names collide in one cache knows nothing of another.
TEST(cache, each_half_of_the_seed_makes_other_hashes) {
  const asking www(plain), other(numbered(1));
  for (const auto* q : {&www.q, &other.q}) {
    const auto hash = hash_key(*q, {1, 2});
    for (const auto& [first, second] : {std::pair{3u, 4u}, {1u, 4u}, {3u, 2u}})
      EXPECT_NE(hash_key(*q, {first, second}), hash) << first << " " << second;
  }
}

TEST(cache, a_denial_is_known_too_and_counted_apart) {
  timed_cache c;
  c.learn(plain, denial(plain, 60, 60));
  c.learn(numbered(1), address(numbered(1)));
  EXPECT_EQ(c.state(plain), cache_state::fresh);
  EXPECT_EQ(c.held.entries(cache_kind::denial), 1u);
  EXPECT_EQ(c.held.entries(cache_kind::success), 1u);
  c.learn(plain, address(plain));
  EXPECT_EQ(c.held.entries(cache_kind::denial), 0u);
  EXPECT_EQ(c.held.entries(cache_kind::success), 2u);
}

TEST(cache, a_failure_is_known_for_a_second_and_up_to_five) {
  timed_cache c;
  for (const int pause : {1, 2, 4, 5, 5}) {
    c.learn(plain, {});
    c.now += seconds{pause} - milliseconds{1};
    EXPECT_EQ(c.state(plain), cache_state::failed) << pause;
    c.now += milliseconds{1};
    EXPECT_EQ(c.state(plain), cache_state::miss) << pause;
  }
  c.now += failure_memory;
  c.learn(plain, {});
  c.now += seconds{1};
  EXPECT_EQ(c.state(plain), cache_state::miss) << "a failure long ago is forgotten";
}

TEST(cache, failures_at_the_same_time_are_one) {
  timed_cache c;
  for (int i = 0; i < 10; ++i) c.learn(plain, {});
  c.now += seconds{1};
  EXPECT_EQ(c.state(plain), cache_state::miss);
}

TEST(cache, an_answer_ends_a_failure) {
  timed_cache c;
  c.learn(plain, {});
  c.learn(plain, address(plain));
  EXPECT_EQ(c.state(plain), cache_state::fresh);
  c.now += seconds{300};
  EXPECT_EQ(c.state(plain), cache_state::stale);
}

TEST(cache, a_failure_does_not_replace_an_answer) {
  timed_cache c;
  c.learn(plain, address(plain, 60));
  c.learn(plain, upstream_reply{.code = 2}.to(plain));
  EXPECT_EQ(c.state(plain), cache_state::fresh);
  c.now += seconds{60};
  c.learn(plain, {});
  EXPECT_EQ(c.state(plain), cache_state::failing);
  EXPECT_EQ(read_reply(c.find(plain).entry->message()).answers.size(), 1u);
}

TEST(cache, stale_data_is_there_for_an_hour) {
  timed_cache c;
  c.learn(plain, address(plain, 60));
  c.now += seconds{60} + stale_for - milliseconds{1};
  EXPECT_EQ(c.state(plain), cache_state::stale);
  c.now += milliseconds{1};
  EXPECT_EQ(c.state(plain), cache_state::miss);
}

TEST(cache, while_it_is_failing_one_is_asked_again_after_each_pause) {
  timed_cache c;
  c.learn(plain, address(plain, 60));
  c.now += seconds{60};
  c.learn(plain, {});
  EXPECT_FALSE(c.find(plain).refresh);
  c.now += seconds{1};
  EXPECT_TRUE(c.find(plain).refresh);
  c.learn(plain, {});
  c.now += seconds{1};
  EXPECT_FALSE(c.find(plain).refresh);
  c.now += failure_memory;
  EXPECT_EQ(c.state(plain), cache_state::stale) << "long ago: worth a try before stale data";
}

TEST(cache, refreshes_once_in_the_last_tenth_what_was_asked_before) {
  timed_cache c;
  c.learn(plain, address(plain, 100));
  c.now += seconds{95};
  EXPECT_FALSE(c.find(plain).refresh) << "the first hit";
  EXPECT_TRUE(c.find(plain).refresh);
  EXPECT_FALSE(c.find(plain).refresh) << "once";
  c.learn(plain, address(plain, 100));
  EXPECT_FALSE(c.find(plain).refresh);
  c.now += milliseconds{89'999};
  EXPECT_FALSE(c.find(plain).refresh) << "too early";
  c.now += milliseconds{1};
  EXPECT_TRUE(c.find(plain).refresh);
}

TEST(cache, a_cut_reply_changes_nothing_and_one_that_may_not_be_kept_ends_what_was_known) {
  timed_cache c;
  c.learn(plain, address(plain));
  c.learn(plain, upstream_reply{.extra = flag::tc}.to(plain));
  EXPECT_EQ(c.state(plain), cache_state::fresh);
  c.learn(plain, address(plain, 0));
  EXPECT_EQ(c.state(plain), cache_state::miss);
  EXPECT_EQ(c.held.entries(cache_kind::success), 0u);
}

TEST(cache, when_it_is_off_it_keeps_nothing) {
  timed_cache c(0);
  EXPECT_FALSE(c.held.enabled());
  c.learn(plain, address(plain));
  c.learn(plain, {});
  EXPECT_EQ(c.state(plain), cache_state::miss);
  EXPECT_EQ(c.held.memory(), 0u);
}

TEST(cache, names_that_are_asked_again_survive_a_crowd_that_is_not) {
  timed_cache c(64 << 10);
  for (int i = 0; i < 20; ++i) c.learn(numbered(i), address(numbered(i)));
  for (int i = 100; i < 20'000; ++i) {
    c.learn(numbered(i), address(numbered(i)));
    if (i % 50 == 0)
      for (int known = 0; known < 20; ++known) c.find(numbered(known));
  }
  int known = 0;
  for (int i = 0; i < 20; ++i) known += c.state(numbered(i)) == cache_state::fresh;
  EXPECT_EQ(known, 20);
  EXPECT_GT(c.held.evictions(cache_kind::success), 19'000u);
  EXPECT_LE(c.held.memory(), 64u << 10);
}

TEST(cache, an_answer_as_large_as_the_rest_is_not_kept) {
  timed_cache c(16 << 10);
  const ask text{.name = plain.name, .type = rr::txt};
  c.learn(plain, address(plain));
  c.learn(text, upstream_reply{.answers = {{plain.name, rr::txt, 60, packet(4000)}}}.to(text));
  EXPECT_EQ(c.state(text), cache_state::miss);
  EXPECT_EQ(c.state(plain), cache_state::fresh);
}

TEST(cache, what_is_of_no_more_use_goes_without_being_asked_for) {
  timed_cache c;
  for (int i = 0; i < 1000; ++i) c.learn(numbered(i), address(numbered(i), 60));
  const std::size_t full = c.held.memory();
  c.now += seconds{60} + stale_for;
  for (int i = 0; i < 2000; ++i) c.learn(plain, address(plain, 60));
  EXPECT_EQ(c.held.entries(cache_kind::success), 1u);
  EXPECT_LT(c.held.memory(), full / 2);
  EXPECT_EQ(c.held.evictions(cache_kind::success), 0u);
}

}  // namespace
}  // namespace egress::dns::test
