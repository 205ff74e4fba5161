#include "actors/dns/cookie.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include "actors/dns/client_acl.hpp"
#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {
namespace {

packet hex(std::string_view digits) {
  packet made;
  for (std::size_t i = 0; i < digits.size(); i += 2)
    made.push_back(static_cast<std::uint8_t>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  return made;
}

cookie_secret secret(std::string_view digits) {
  cookie_secret made;
  std::ranges::copy(hex(digits), made.begin());
  return made;
}

address_bytes address(const char* text) {
  address_bytes made{};
  std::uint8_t v4[4];
  if (inet_pton(AF_INET, text, v4) == 1) return map_v4(v4);
  EXPECT_EQ(inet_pton(AF_INET6, text, made.data()), 1) << text;
  return made;
}

packet in_bytes(const whole_cookie& cookie) {
  return {cookie.begin(), cookie.end()};
}

// vectors.h of the reference implementation, the first 16: message 00 01 02 …, key 00 01 … 0f.
TEST(cookie, hashes_as_siphash_does) {
  constexpr std::array<std::uint64_t, 16> expected{
      0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
      0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
      0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
      0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5};
  const auto key = secret("000102030405060708090a0b0c0d0e0f");
  packet message;
  for (const auto hash : expected) {
    EXPECT_EQ(siphash(message, key), hash) << message.size();
    message.push_back(static_cast<std::uint8_t>(message.size()));
  }
}

// RFC 9018, Appendix A.
TEST(cookie, is_the_one_that_other_servers_make) {
  const auto key = secret("e5e973e5a6b2a43f48e7dc849e37bfcf");
  EXPECT_EQ(in_bytes(make_cookie(hex("2464c4abcf10c957"), address("198.51.100.100"), 1559731985, key)),
            hex("2464c4abcf10c957010000005cf79f111f8130c3eee29480"));
  EXPECT_EQ(in_bytes(make_cookie(hex("2464c4abcf10c957"), address("198.51.100.100"), 1559734385, key)),
            hex("2464c4abcf10c957010000005cf7a871d4a564a1442aca77"));
  EXPECT_EQ(in_bytes(make_cookie(hex("22681ab97d52c298"), address("2001:db8:220:1:59de:d0f4:8769:82b8"),
                                 1559741961, secret("445536bcd2513298075a5d379663c962"))),
            hex("22681ab97d52c298010000005cf7c609a6bb79d16625507a"));
}

TEST(cookie, is_given_again_for_half_an_hour_and_then_renewed) {
  const auto root = secret("000102030405060708090a0b0c0d0e0f");
  const auto client = address("10.0.0.9");
  constexpr std::uint64_t day = 86'400, noon = 20'000 * day + day / 2, late = 20'000 * day + day - 60;
  for (const auto given_at : {noon, late}) {  // the secret changes a minute after the later one
    const auto given = answer_cookie(hex("0102030405060708"), client, given_at, root);
    EXPECT_EQ(answer_cookie(given, client, given_at + 1'799, root), given);
    EXPECT_EQ(answer_cookie(given, client, given_at - 299, root), given) << "clocks differ";
    const auto renewed = answer_cookie(given, client, given_at + 1'801, root);
    EXPECT_NE(renewed, given);
    EXPECT_TRUE(std::ranges::equal(bytes(renewed).first(8), bytes(given).first(8)));
    EXPECT_EQ(load32(&renewed[12]), given_at + 1'801);
  }
}

TEST(cookie, of_another_client_secret_or_forger_is_replaced) {
  const auto root = secret("000102030405060708090a0b0c0d0e0f");
  const auto client = address("10.0.0.9");
  constexpr std::uint64_t now = 1'700'000'000;
  const auto good = answer_cookie(hex("0102030405060708"), client, now, root);
  EXPECT_NE(answer_cookie(good, address("10.0.0.10"), now, root), good);
  EXPECT_NE(answer_cookie(good, client, now, secret("100102030405060708090a0b0c0d0e0f")), good);
  for (std::size_t i = 8; i < good.size(); ++i) {
    auto forged = good;
    forged[i] ^= 1;
    EXPECT_EQ(answer_cookie(forged, client, now, root), good) << i;
  }
  auto longer = packet(good.begin(), good.end());
  longer.resize(40);
  EXPECT_EQ(answer_cookie(longer, client, now, root), good);
}

TEST(cookie, secrets_differ_from_day_to_day) {
  const auto root = secret("000102030405060708090a0b0c0d0e0f");
  EXPECT_EQ(secret_of_day(root, 20'000), secret_of_day(root, 20'000));
  EXPECT_NE(secret_of_day(root, 20'000), secret_of_day(root, 20'001));
  EXPECT_NE(secret_of_day(root, 20'000), root);
}

}  // namespace
}  // namespace egress::dns::test
