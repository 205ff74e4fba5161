// What is answered while more questions wait than can be served.
#include "actors/dns/io/cached_forwarder.hpp"
#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {
namespace {

struct hurried : ::testing::Test {
  hurried() {
    config.upstreams = {upstream_address{boost::asio::ip::address_v4::loopback(), 9}};
    config.cache.bytes = 1 << 20;
  }
  sourced_answer answer(const ask& what, forward_kind how, bool hurry = true) {
    packet = what.make();
    EXPECT_EQ(parse_query(packet, asked), reaction::serve);
    return upstream.answer(asked, how, {std::chrono::steady_clock::now(), hurry}, out);
  }

  boost::asio::io_context context;
  worker_config config;
  worker_counters counters;
  std::shared_ptr<const hijack_table> table = sample_table();
  cached_forwarder upstream{context, config, counters, table};
  test::packet packet;
  query asked;
  std::array<std::uint8_t, edns_udp_size> out{};
};

TEST_F(hurried, refuses_what_upstreams_must_be_asked_for) {
  EXPECT_EQ(answer({.name = "a.org"}, forward_kind::plain, false).made.what, action::forward);
  const auto told = answer({.name = "a.org", .edns = true}, forward_kind::plain);
  ASSERT_EQ(told.made.what, action::answered);
  EXPECT_EQ(told.made.code, rcode::refused);
  EXPECT_EQ(read_reply(bytes(out).first(told.made.size)).why, "more queries come than can be served");
  EXPECT_EQ(counters.overload_refused.value(), 1u);
  EXPECT_EQ(counters.forward_rejects.value(), 0u);
}

TEST_F(hurried, answers_names_below_a_wildcard_without_asking_for_the_real_one) {
  const auto told = answer({.name = "a.wild.example.com"}, forward_kind::wildcard);
  EXPECT_TRUE(told.made.hijacked);
  EXPECT_EQ(read_reply(bytes(out).first(told.made.size)).answers.at(0).data, (test::packet{10, 0, 0, 3}));
}

TEST_F(hurried, still_learns_the_root_for_the_health_probe) {
  EXPECT_EQ(answer({.name = "", .type = rr::ns}, forward_kind::root_probe).made.code, rcode::servfail);
  EXPECT_EQ(counters.forward_requests.value(), 1u);
}

}  // namespace
}  // namespace egress::dns::test
