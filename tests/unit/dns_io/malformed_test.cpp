// Queries that are no good, over real sockets: each has its answer, and the next good query, too.
#include "tests/unit/dns/malformed.hpp"

#include "tests/unit/dns_io/tcp_client.hpp"

namespace egress::dns::test {
namespace {

constexpr unsigned good_id = 0x4321;

// Sends the odd query and a good one behind it on one client, whose answers come in any order.
template <class Client>
void try_one(const Client& client, const odd_query& odd) {
  client.send(odd.bytes);
  client.send(ask{.id = good_id}.make());
  bool odd_due = odd.becomes != fate::dropped, good_due = true;
  while (odd_due || good_due) {
    const auto got = client.receive();
    ASSERT_FALSE(got.empty()) << "no answer";
    const auto said = read_reply(got);
    if (said.id == good_id) {
      ASSERT_TRUE(std::exchange(good_due, false));
      ASSERT_EQ(said.answers.size(), 1u);
      continue;
    }
    ASSERT_TRUE(std::exchange(odd_due, false)) << "an answer too many";
    ASSERT_EQ(said.id, 0x1234u);
    // There is no upstream to forward to.
    ASSERT_EQ(said.code, odd.becomes == fate::forwarded ? 2u : code_of(odd.becomes));
  }
}

TEST(malformed, queries_over_udp_disturb_no_good_one) {
  served s;
  const auto worker = s.make();
  for (const auto& odd : odd_queries()) {
    SCOPED_TRACE(odd.what);
    ASSERT_NO_FATAL_FAILURE(try_one(udp_client(s.port), odd));
  }
}

TEST(malformed, queries_over_tcp_disturb_no_good_one_on_the_same_connection) {
  served s;
  const auto worker = s.make();
  const tcp_client client(s.port);
  for (const auto& odd : odd_queries()) {
    SCOPED_TRACE(odd.what);
    ASSERT_NO_FATAL_FAILURE(try_one(client, odd));
  }
}

TEST(malformed, datagrams_larger_than_any_query_are_format_errors) {
  served s;
  const auto worker = s.make();
  const udp_client client(s.port);
  auto large = ask{}.make();
  large.resize(9000);
  client.send(large);
  EXPECT_EQ(read_reply(client.receive()).code, 1u);
}

}  // namespace
}  // namespace egress::dns::test
