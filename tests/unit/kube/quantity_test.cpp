#include "runtime/kube/quantity.hpp"

#include <gtest/gtest.h>

namespace egress::kube {
namespace {

struct row {
  std::string_view written, canonical;
};

TEST(quantity, prints_what_the_api_server_prints) {
  constexpr row rows[] = {
      {"0", "0"},
      {"-0", "0"},
      {"0Gi", "0"},
      {"1", "1"},
      {"1000m", "1"},
      {"100m", "100m"},
      {"1500m", "1500m"},
      {"0.5", "500m"},
      {".5", "500m"},
      {"5.", "5"},
      {"+3", "3"},
      {"-1.5", "-1500m"},
      {"2", "2"},
      {"1000", "1k"},
      {"1500", "1500"},
      {"10k", "10k"},
      {"1024Mi", "1Gi"},
      {"1Gi", "1Gi"},
      {"50Mi", "50Mi"},
      {"1536Mi", "1536Mi"},
      {"0.1Gi", "107374182400m"},
      {"1.5Gi", "1536Mi"},
      {"0.5Ki", "512"},
      {"1Ki", "1Ki"},
      {"1023", "1023"},
      {"1024", "1024"},
      {"1e3", "1e3"},
      {"1E3", "1e3"},
      {"1000e0", "1e3"},
      {"12e2", "1200"},
      {"1e-3", "1e-3"},
      {"1E", "1E"},
      {"1P", "1P"},
      {"1000P", "1E"},
      {"1000n", "1u"},
      {"1n", "1n"},
      {"0.1n", "1n"},
      {"-0.1n", "-1n"},
      {"1e-100", "1e-9"},
      {"16Ei", "9223372036854775807"},
      {"-16Ei", "-9223372036854775807"},
      {"007", "7"},
      {"10E", "10E"},
      {"128974848", "128974848"},
      {"129M", "129M"},
  };
  for (const auto& [written, canonical] : rows) {
    const auto read = quantity::parse(written);
    ASSERT_TRUE(read) << written << ": " << read.error().message;
    EXPECT_EQ(read->canonical(), canonical) << written;
  }
}

TEST(quantity, refuses_what_is_none) {
  for (const std::string_view text : {"", "+", "-", ".", "abc", "1 Gi", "1GiB", "1kk", "1ki", "1K", "--1",
                                      "1.2.3", "0x10", "1e", "1e+", "Mi", "1,5", "NaN", "inf"})
    EXPECT_FALSE(quantity::parse(text)) << text;
}

TEST(quantity, refuses_overflow_in_place_of_wrapping) {
  for (const std::string_view text :
       {"1e300", "340282366920938463463374607431768211456Ei", "99999999999999999999999999999999999999999999",
        "1e99999999999999999999"})
    EXPECT_FALSE(quantity::parse(text)) << text;
}

TEST(quantity, keeps_its_value_through_its_canonical_form) {
  for (const std::string_view suffix :
       {"n", "u", "m", "", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "e3", "e-2"})
    for (int i = -2100; i < 2100; i += 7) {
      const auto first = quantity::parse(std::to_string(i) + std::string(suffix));
      ASSERT_TRUE(first);
      const auto again = quantity::parse(first->canonical());
      ASSERT_TRUE(again) << first->canonical();
      EXPECT_EQ(*first, *again) << i << suffix;
      EXPECT_EQ(first->canonical(), again->canonical()) << i << suffix;
    }
}

TEST(quantity, is_rounded_up_to_thousandths_as_the_server_does_for_containers) {
  for (const auto& [written, kept] : {std::pair<std::string_view, std::string_view>{"100u", "1m"},
                                      {"1m", "1m"},
                                      {"1500u", "2m"},
                                      {"1n", "1m"},
                                      {"0", "0"},
                                      {"0.1Gi", "107374182400m"},
                                      {"2", "2"},
                                      {"1.0005", "1001m"}})
    EXPECT_EQ(quantity::parse(written)->in_thousandths().canonical(), kept) << written;
}

TEST(quantity, compares_by_value) {
  const auto of = [](std::string_view text) { return *quantity::parse(text); };
  EXPECT_EQ(of("1000m"), of("1"));
  EXPECT_LT(of("999m"), of("1"));
  EXPECT_GT(of("1Gi"), of("1G"));
  EXPECT_LT(of("-2"), of("-1"));
  EXPECT_LT(of("-1"), of("0"));
  EXPECT_TRUE(of("-1m").negative());
  EXPECT_FALSE(of("-0").negative());
}

TEST(quantity, reads_numbers_as_their_text) {
  EXPECT_EQ(quantity::parse(json::value(2))->canonical(), "2");
  EXPECT_EQ(quantity::parse(json::value(0.5))->canonical(), "500m");
  EXPECT_EQ(quantity::parse(json::value(1e6))->canonical(), "1M");
  EXPECT_FALSE(quantity::parse(json::value(true)));
  EXPECT_FALSE(quantity::parse(json::value(1e300)));
}

}  // namespace
}  // namespace egress::kube
