#include "runtime/net/keyed_digest.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace egress::net {
namespace {

TEST(keyed_digest, is_one_for_the_same_bytes_and_another_for_others) {
  std::set<std::array<std::uint8_t, 16>> made;
  std::string bytes;
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(keyed_digest(bytes), keyed_digest(std::string(bytes)));
    EXPECT_TRUE(made.insert(keyed_digest(bytes)).second) << bytes.size();
    bytes += 'a';
  }
}

TEST(keyed_digest, is_the_same_in_every_thread) {
  const auto expected = keyed_digest("one");
  std::atomic<int> same = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int n = 0; n < 1000; ++n) same += keyed_digest("one") == expected ? 1 : 0;
      });
  }
  EXPECT_EQ(same, 4000);
}

}  // namespace
}  // namespace egress::net
