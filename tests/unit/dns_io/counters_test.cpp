#include "actors/dns/counters.hpp"

#include <gtest/gtest.h>

namespace egress::dns {
namespace {

TEST(counters, sort_values_into_coredns_buckets) {
  EXPECT_EQ(duration_bounds.front(), 250'000u);
  EXPECT_EQ(duration_bounds.back(), 8'192'000'000u);
  histogram<size_bounds.size()> sizes;
  for (const std::uint64_t size : {0u, 1u, 100u, 101u, 64000u, 65000u}) sizes.add(size_bounds, size);
  EXPECT_EQ(sizes.buckets[0].value(), 1u);
  EXPECT_EQ(sizes.buckets[1].value(), 2u);
  EXPECT_EQ(sizes.buckets[2].value(), 1u);
  EXPECT_EQ(sizes.buckets[13].value(), 1u);
  EXPECT_EQ(sizes.buckets[14].value(), 1u);
  EXPECT_EQ(sizes.sum.value(), 129202u);
}

TEST(counters, name_the_types) {
  EXPECT_STREQ(counted_type_names[type_bucket(1)], "A");
  EXPECT_STREQ(counted_type_names[type_bucket(65)], "HTTPS");
  EXPECT_STREQ(counted_type_names[type_bucket(255)], "ANY");
  EXPECT_STREQ(counted_type_names[type_bucket(999)], "other");
}

}  // namespace
}  // namespace egress::dns
