// spec.dnsClients: who is answered with a gateway's address, and who with the real one.
#include <arpa/inet.h>
#include <gtest/gtest.h>

#include "actors/dns/forward_reply.hpp"
#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {
namespace {

address_bytes address(const char* text) {
  address_bytes made{};
  std::uint8_t v4[4];
  if (inet_pton(AF_INET, text, v4) == 1) return map_v4(v4);
  EXPECT_EQ(inet_pton(AF_INET6, text, made.data()), 1) << text;
  return made;
}

outcome respond_to(const ask& what, const char* client, const hijack_table& table) {
  const auto p = what.make();
  std::array<std::uint8_t, answer_room> out{};
  query asked;
  const auto judged = parse_query(p, asked);
  asked.client = address(client);
  return respond(asked, judged, true, &table, {}, out);
}

std::shared_ptr<const hijack_table> table_of(std::vector<std::string> clients,
                                             const std::string& name = "a.com",
                                             const hijack_table* previous = nullptr) {
  return build({service("a", name, {"10.0.0.1"})}, {external_for("a", std::move(clients))}, previous).table;
}

TEST(view, hijacks_for_its_clients_only) {
  const auto table = table_of({"10.1.0.0/16", "fd01::/16"});
  for (const auto* inside : {"10.1.2.3", "fd01::7"})
    EXPECT_TRUE(respond_to({.name = "a.com"}, inside, *table).hijacked) << inside;
  for (const auto* outside : {"10.2.0.1", "127.0.0.1", "fd02::7", "::1"}) {
    const auto got = respond_to({.name = "a.com"}, outside, *table);
    EXPECT_EQ(got.what, action::forward) << outside;
    EXPECT_EQ(got.how, forward_kind::plain) << outside;
  }
}

TEST(view, of_all_ipv6_clients_has_no_ipv4_client) {
  const auto table = table_of({"::/0"});
  EXPECT_TRUE(respond_to({.name = "a.com"}, "2001:db8::1", *table).hijacked);
  EXPECT_EQ(respond_to({.name = "a.com"}, "192.0.2.1", *table).how, forward_kind::plain);
  EXPECT_FALSE(respond_to({.name = "a.com"}, "192.0.2.1", *table).hijacked);
}

TEST(view, is_everybody_by_default) {
  const auto table = table_of({});
  EXPECT_TRUE(respond_to({.name = "a.com"}, "192.0.2.1", *table).hijacked);
  EXPECT_TRUE(find(*table, "a.com")->clients().empty());
}

// The others get everything of the real name: aliases, hints, mail.
TEST(view, gives_the_others_all_types_as_they_are) {
  const auto table = table_of({"10.1.0.0/16"});
  for (const unsigned type : {rr::a, rr::aaaa, rr::https, rr::cname, rr::any, rr::mx}) {
    const auto got = respond_to({.name = "a.com", .type = type}, "10.2.0.1", *table);
    EXPECT_EQ(got.what, action::forward) << type;
    EXPECT_EQ(got.how, forward_kind::plain) << type;
  }
  const ask hint{.name = "_8443._https.a.com", .type = rr::https};
  EXPECT_EQ(respond_to(hint, "10.2.0.1", *table).what, action::forward);
  EXPECT_TRUE(respond_to(hint, "10.1.0.1", *table).hijacked);
}

TEST(view, holds_for_wildcards) {
  const auto table = table_of({"10.1.0.0/16"}, "*.a.com");
  EXPECT_EQ(respond_to({.name = "x.a.com"}, "10.1.0.1", *table).how, forward_kind::wildcard);
  EXPECT_EQ(respond_to({.name = "x.a.com"}, "10.2.0.1", *table).how, forward_kind::plain);
}

TEST(view, does_not_hide_the_services_own_names) {
  const auto table = table_of({"10.1.0.0/16"});
  for (const auto& [name, type] :
       {std::pair{"a.egress-operator-system.svc.cluster.local", rr::a}, {"1.0.0.10.in-addr.arpa", rr::ptr}})
    EXPECT_TRUE(respond_to({.name = name, .type = type}, "10.2.0.1", *table).hijacked) << name;
}

TEST(view, is_kept_of_each_client_until_the_upstream_answers) {
  const auto table = table_of({"10.1.0.0/16"});
  const auto p = ask{.name = "a.com"}.make();
  query asked;
  parse_query(p, asked);
  auto upstream = p;
  upstream[2] |= 0x80;
  std::vector<std::uint8_t> out;
  asked.client = address("10.2.0.1");
  EXPECT_FALSE(finish_forwarded(asked, forward_kind::plain, upstream, table.get(), {}, 512, out).hijacked);
  asked.client = address("10.1.0.1");
  EXPECT_TRUE(finish_forwarded(asked, forward_kind::plain, upstream, table.get(), {}, 512, out).hijacked);
}

// The spec says who, whatever became of the Service.
TEST(view, follows_the_spec_while_the_service_is_missing) {
  const auto before = table_of({"10.1.0.0/16"});
  const auto after = build({}, {external_for("a", {"10.2.0.0/16"})}, before.get()).table;
  EXPECT_TRUE(respond_to({.name = "a.com"}, "10.2.0.1", *after).hijacked);
  EXPECT_FALSE(respond_to({.name = "a.com"}, "10.1.0.1", *after).hijacked);
}

// Rather a gateway for too many than a real address that leaks.
TEST(view, that_cannot_be_read_leaves_the_last_one_else_everybody) {
  for (const auto* wrong : {"x", "10.0.0.0/33", "10.0.0.1", ""}) {
    const std::vector<std::string> clients{"10.2.0.0/16", wrong};
    const auto fresh = build({service("a", "a.com", {"10.0.0.1"})}, {external_for("a", clients)});
    EXPECT_TRUE(respond_to({.name = "a.com"}, "192.0.2.1", *fresh.table).hijacked) << wrong;
    ASSERT_EQ(fresh.complaints.size(), 1u);
    EXPECT_NE(fresh.complaints[0].find("spec.dnsClients"), std::string::npos) << fresh.complaints[0];
    const auto before = table_of({"10.1.0.0/16"});
    const auto after = table_of(clients, "a.com", before.get());
    EXPECT_TRUE(respond_to({.name = "a.com"}, "10.1.0.1", *after).hijacked) << wrong;
    EXPECT_FALSE(respond_to({.name = "a.com"}, "10.2.0.1", *after).hijacked) << wrong;
  }
}

TEST(view, has_as_many_networks_as_the_schema_lets_in) {
  std::vector<std::string> clients;
  for (int i = 0; i < 256; ++i) clients.push_back(fmt::format("10.{}.0.0/16", i));
  const auto table = table_of(clients);
  EXPECT_TRUE(respond_to({.name = "a.com"}, "10.255.0.1", *table).hijacked);
  EXPECT_FALSE(respond_to({.name = "a.com"}, "11.0.0.1", *table).hijacked);
}

}  // namespace
}  // namespace egress::dns::test
