#include "actors/dns/port_ledger.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace egress::dns::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr port_time start{std::chrono::hours{1}};

// Gives these, one after the other.
auto in_turn(std::vector<std::uint32_t> words) {
  return [words, next = std::size_t{0}]() mutable { return words.at(next++); };
}

TEST(port_ledger, gives_the_low_bits_of_the_random_word_as_id) {
  port_ledger ledger(start);
  EXPECT_EQ(ledger.id(ledger.add(in_turn({0x7f1234}))), 0x1234);
}

TEST(port_ledger, gives_no_id_twice_even_when_its_question_has_ended) {
  port_ledger ledger(start);
  const auto first = ledger.add(in_turn({7})), second = ledger.add(in_turn({8}));
  ledger.end(first);
  const auto third = ledger.add(in_turn({7, 8, 0x10007, 9}));
  EXPECT_EQ(ledger.id(third), 9);
  EXPECT_EQ(ledger.find(9), third);
  EXPECT_EQ(ledger.find(8), second);
  EXPECT_EQ(ledger.find(10), std::nullopt);
}

TEST(port_ledger, knows_a_late_reply_from_a_guess) {
  port_ledger ledger(start);
  const auto place = ledger.add(in_turn({7}));
  EXPECT_TRUE(ledger.is_open(place));
  EXPECT_EQ(ledger.open(), 1u);
  ledger.end(place);
  EXPECT_EQ(ledger.find(7), place);
  EXPECT_FALSE(ledger.is_open(place));
  EXPECT_EQ(ledger.open(), 0u);
}

TEST(port_ledger, takes_a_number_of_questions_ever_however_many_are_answered) {
  port_ledger ledger(start);
  std::uint32_t next = 0;
  for (std::size_t i = 0; i < port_ledger::most_questions; ++i) {
    ASSERT_TRUE(ledger.takes_more(start));
    ledger.end(ledger.add([&] { return next++; }));
  }
  EXPECT_FALSE(ledger.takes_more(start));
}

TEST(port_ledger, takes_questions_for_a_short_time) {
  const port_ledger ledger(start);
  EXPECT_TRUE(ledger.takes_more(start + port_ledger::shared_for - milliseconds{1}));
  EXPECT_FALSE(ledger.takes_more(start + port_ledger::shared_for));
}

TEST(port_ledger, takes_no_more_once_somebody_has_guessed_or_it_is_retired) {
  port_ledger guessed(start), retired(start);
  EXPECT_FALSE(guessed.note_wrong()) << "one may be an accident";
  EXPECT_FALSE(guessed.takes_more(start));
  retired.retire();
  EXPECT_FALSE(retired.takes_more(start));
}

TEST(port_ledger, bears_so_many_guesses_in_all) {
  port_ledger ledger(start);
  for (unsigned i = 1; i < port_ledger::most_wrong; ++i) EXPECT_FALSE(ledger.note_wrong());
  EXPECT_TRUE(ledger.note_wrong());
  EXPECT_TRUE(ledger.note_wrong());
}

TEST(port_allowance, is_for_a_second_s_worth_at_once_and_then_comes_little_by_little) {
  port_allowance allowance(4);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(allowance.take(start)) << i;
  EXPECT_FALSE(allowance.take(start));
  EXPECT_FALSE(allowance.take(start + milliseconds{249}));
  EXPECT_TRUE(allowance.take(start + milliseconds{250}));
  EXPECT_FALSE(allowance.take(start + milliseconds{499}));
  EXPECT_TRUE(allowance.take(start + milliseconds{500}));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(allowance.take(start + seconds{100})) << i;
  EXPECT_FALSE(allowance.take(start + seconds{100})) << "rest is not saved up";
}

TEST(port_allowance, may_be_none) {
  port_allowance none(0);
  EXPECT_FALSE(none.take(start));
  EXPECT_FALSE(none.take(start + std::chrono::hours{100'000}));
}

}  // namespace
}  // namespace egress::dns::test
