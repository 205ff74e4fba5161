#include "actors/dns/saved_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/dns/table_contents.hpp"

namespace egress::dns::test {
namespace {

using ::testing::HasSubstr;

std::string refusal(bytes file) {
  const auto decoded = decode_table(file);
  return decoded ? "" : decoded.error().message;
}

TEST(saved_table, hijacks_no_name_of_the_cluster_whatever_was_saved) {
  const auto table =
      build({service("a", "api.k8s.example", {"10.0.0.1"}), service("b", "*.example", {"10.0.0.2"})},
            {external("a"), external("b")})
          .table;
  EXPECT_TRUE(find(*table, "api.k8s.example"));
  EXPECT_EQ(find(*table, "x.k8s.example")->owner, "b");
  const auto decoded = decode_table(encode_table(*table), parse_name("k8s.example").value());
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_FALSE(find(**decoded, "api.k8s.example"));
  EXPECT_FALSE(find(**decoded, "x.k8s.example"));
  EXPECT_EQ(find(**decoded, "x.example")->owner, "b");
}

TEST(saved_table, says_what_was_saved) {
  const auto table = full_table();
  const auto decoded = decode_table(encode_table(*table));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(contents(**decoded), contents(*table));
  EXPECT_GT(contents(*table).size(), 6u);
  EXPECT_EQ((*decoded)->size(), table->size());
  EXPECT_EQ(find(**decoded, "deep.below.wild.example.com")->owner, "wild");
  EXPECT_EQ(to_text(find(**decoded, "1.0.0.10.in-addr.arpa")->target()),
            "ex.egress-operator-system.svc.cluster.local");
  const auto clients = find(**decoded, "view.example.com")->clients();
  EXPECT_EQ(hex(clients), hex(client_acl::parse({"10.1.0.0/16", "fd01::/16"})->packed()));
  const auto ports = find(**decoded, "view.egress-operator-system.svc.cluster.local")->ports();
  EXPECT_EQ(hex(ports), hex(packet{'t', 1, 187, 'u', 0, 53}));
}

// Found by the fuzzer: the reverse name was lost.
TEST(saved_table, keeps_reverse_names_of_services_whose_own_name_is_hijacked) {
  const auto table =
      build({service("a", "a.egress-operator-system.svc.cluster.local", {"10.0.0.9"})}, {external("a")})
          .table;
  const auto decoded = decode_table(encode_table(*table));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(contents(**decoded), contents(*table));
  EXPECT_EQ(to_text(find(**decoded, "9.0.0.10.in-addr.arpa")->target()),
            "a.egress-operator-system.svc.cluster.local");
}

TEST(saved_table, may_be_empty) {
  const auto decoded = decode_table(encode_table(*build({}, {}).table));
  ASSERT_TRUE(decoded);
  EXPECT_EQ((*decoded)->entry_count(), 0u);
}

TEST(saved_table, that_is_none_or_of_another_version_is_refused) {
  EXPECT_THAT(refusal({}), HasSubstr("no saved DNS table"));
  EXPECT_THAT(refusal(packet(200, 'x')), HasSubstr("no saved DNS table"));
  auto file = encode_table(*sample_table());
  *std::ranges::find(file, '1') = '7';
  EXPECT_THAT(refusal(file), HasSubstr("another version (7)"));
}

TEST(saved_table, that_is_cut_or_damaged_anywhere_is_refused) {
  const auto file = encode_table(*sample_table());
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_NE(refusal(bytes(file).first(size)), "") << size;
  for (std::size_t at = 0; at < file.size(); ++at) {
    auto damaged = file;
    damaged[at] ^= 0x10;
    EXPECT_NE(refusal(damaged), "") << at;
  }
  auto longer = file;
  longer.push_back(0);
  EXPECT_THAT(refusal(longer), HasSubstr("cut short"));
}

}  // namespace
}  // namespace egress::dns::test
