// The right reaction to each query that is no good.
#include "tests/unit/dns/malformed.hpp"

#include <gtest/gtest.h>

#include "tests/unit/dns/reply_reader.hpp"

namespace egress::dns::test {
namespace {

class malformed : public ::testing::TestWithParam<odd_query> {
 protected:
  outcome respond_to(const packet& p) {
    query asked;
    const auto judged = parse_query(p, asked);
    return respond(asked, judged, true, table_.get(), {}, out_);
  }
  std::array<std::uint8_t, answer_room> out_{};
  std::shared_ptr<const hijack_table> table_ = sample_table();
};

TEST_P(malformed, query_meets_the_right_reaction) {
  const auto& [what, sent, becomes, has_opt] = GetParam();
  const auto made = respond_to(sent);
  if (becomes == fate::dropped) {
    EXPECT_EQ(made.what, action::drop);
    return;
  }
  if (becomes == fate::forwarded) {
    EXPECT_EQ(made.what, action::forward);
    EXPECT_EQ(made.how, forward_kind::plain);
    return;
  }
  ASSERT_EQ(made.what, action::answered);
  const auto said = read_reply(bytes(out_).first(made.size));
  EXPECT_EQ(said.code, code_of(becomes));
  EXPECT_EQ(said.id, 0x1234u);
  EXPECT_EQ(said.flags & flag::opcode, load16(&sent[2]) & flag::opcode);
  EXPECT_TRUE((said.flags & flag::qr) != 0 && (said.flags & flag::aa) == 0);
  EXPECT_TRUE(said.answers.empty() && said.authority.empty());
  const bool quoted = becomes == fate::refused || becomes == fate::badvers;
  EXPECT_EQ(load16(&out_[4]), quoted ? 1u : 0u) << "questions: what is no good is not quoted";
  EXPECT_EQ(said.has_opt, has_opt) << "who sent one is told that we know EDNS";
}

INSTANTIATE_TEST_SUITE_P(each, malformed, ::testing::ValuesIn(odd_queries()),
                         [](const auto& one) { return test_name(one.param.what); });

// Whatever is cut off a good query, it is never served, and never read beyond its end.
TEST(malformed_queries, are_all_that_are_cut) {
  const auto whole = ask{.edns = true, .options = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8}}.make();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const packet cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    query asked;
    EXPECT_EQ(parse_query(cut, asked), size < header_size ? reaction::drop : reaction::formerr) << size;
  }
}

}  // namespace
}  // namespace egress::dns::test
