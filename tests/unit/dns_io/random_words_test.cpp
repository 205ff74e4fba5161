#include "actors/dns/io/random_words.hpp"

#include <gtest/gtest.h>

#include <set>

namespace egress::dns {
namespace {

// Clients who could foresee the seed of a cache would choose names that collide in it.
TEST(random_words, seed_each_cache_of_each_loop_anew) {
  std::set<std::uint64_t> halves;
  constexpr std::size_t times = 100;
  for (std::size_t i = 0; i < times; ++i) {
    const auto seed = random_seed();
    halves.insert(seed.first);
    halves.insert(seed.second);
  }
  EXPECT_EQ(halves.size(), 2 * times);
}

TEST(random_words, go_on_behind_the_first_block) {
  random_words random;
  std::set<std::uint64_t> all;
  for (int i = 0; i < 1000; ++i) all.insert(random.twice());
  EXPECT_EQ(all.size(), 1000u);
}

}  // namespace
}  // namespace egress::dns
