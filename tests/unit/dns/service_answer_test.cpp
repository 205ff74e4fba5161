// Names below gateways' Services, and what else the Kubernetes DNS specification wants of a Service.
#include "actors/dns/service_answer.hpp"

#include <gtest/gtest.h>

#include "actors/dns/wire.hpp"
#include "tests/unit/dns/reply_reader.hpp"
#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {
namespace {

const std::string suffix = ".egress-operator-system.svc.cluster.local";

std::shared_ptr<const hijack_table> gateways() {
  return build({service("gw", "a.com", {"10.0.0.1", "fd00::1"}), service("bare", "b.com", {"10.0.0.2"})},
               {external_with_ports("gw", {{443, "TCP"}, {53, "UDP"}, {70'000, "TCP"}, {1, "SCTP"}}),
                external("bare")})
      .table;
}

struct answer {
  outcome made;
  reply said;
  packet raw;
};

answer respond_to(const ask& what, const std::shared_ptr<const hijack_table>& table = gateways()) {
  const auto p = what.make();
  std::array<std::uint8_t, answer_room> out{};
  query asked;
  const auto judged = parse_query(p, asked);
  answer got{respond(asked, judged, true, table.get(), {}, out), {}, {}};
  if (got.made.what != action::answered) return got;
  got.raw.assign(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(got.made.size));
  got.said = read_reply(got.raw);
  return got;
}

packet srv_data(unsigned port, const std::string& target) {
  packet data;
  for (const unsigned field : {0u, 100u, port}) put16(data, field);
  const auto name = name_in_case(target);
  data.insert(data.end(), name.begin(), name.end());
  return data;
}

TEST(service_answer, has_a_srv_record_for_each_named_port) {
  const auto got = respond_to({.name = "_gw-tcp-443._tcp.gw" + suffix, .type = rr::srv, .edns = true});
  EXPECT_EQ(got.said.code, 0u);
  EXPECT_TRUE(got.said.flags & flag::aa);
  ASSERT_EQ(got.said.answers.size(), 1u);
  EXPECT_EQ(got.said.answers[0].owner, "_gw-tcp-443._tcp.gw" + suffix);
  EXPECT_EQ(got.said.answers[0].data, srv_data(443, "gw" + suffix));
  ASSERT_EQ(got.said.additional.size(), 3u) << "both addresses, and OPT";
  EXPECT_EQ(got.said.additional[0].owner, "gw" + suffix);
  EXPECT_EQ(got.said.additional[0].data, (packet{10, 0, 0, 1}));
  EXPECT_EQ(got.said.additional[1].type, rr::aaaa);
  EXPECT_EQ(got.said.additional[1].data.size(), 16u);
  EXPECT_TRUE(read_with_ldns(got.raw)) << "ldns cannot read it";
  const auto udp = respond_to({.name = "_GW-udp-53._UDP.Gw" + suffix, .type = rr::srv});
  EXPECT_EQ(udp.said.answers.at(0).data, srv_data(53, "Gw" + suffix));
  EXPECT_EQ(udp.said.additional.size(), 2u);
}

TEST(service_answer, denies_ports_that_the_service_has_not) {
  for (const auto* name :
       {"_gw-tcp-80._tcp.gw", "_gw-udp-443._udp.gw", "_gw-tcp-443._udp.gw", "_https._tcp.gw",
        "_gw-tcp-4430._tcp.gw", "_gw-tcp-44._tcp.gw", "_gw-tcp-70000._tcp.gw", "_gw-tcp-0443._tcp.gw",
        "_bare-tcp-443._tcp.bare", "_tcp.bare"}) {
    const auto got = respond_to({.name = name + suffix, .type = rr::srv, .edns = true});
    EXPECT_EQ(got.said.code, 3u) << name;
    ASSERT_EQ(got.said.authority.size(), 1u) << name;
    EXPECT_EQ(got.said.authority[0].owner, (std::string(name).ends_with("bare") ? "bare" : "gw") + suffix);
    EXPECT_EQ(got.said.ede, 29) << name;
  }
}

TEST(service_answer, has_no_data_of_other_types_nor_between_the_labels) {
  for (const auto& [name, type] : {std::pair{"_gw-tcp-443._tcp.gw", rr::a},
                                   {"_tcp.gw", rr::srv},
                                   {"_udp.gw", rr::srv},
                                   {"gw", rr::srv},
                                   {"gw", rr::txt}}) {
    const auto got = respond_to({.name = name + suffix, .type = type});
    EXPECT_EQ(got.said.code, 0u) << name;
    EXPECT_TRUE(got.said.answers.empty()) << name;
    EXPECT_EQ(got.said.authority.at(0).type, rr::soa) << name;
  }
}

TEST(service_answer, leaves_other_names_to_others) {
  for (const auto* name : {"_https._tcp.none", "x.gw", "_x.gw", "_x._sctp.gw", "_a._b._tcp.gw"})
    EXPECT_EQ(respond_to({.name = name + suffix, .type = rr::srv}).made.what, action::forward) << name;
  EXPECT_EQ(respond_to({.name = "_tcp", .type = rr::srv}).made.what, action::forward);
  EXPECT_EQ(respond_to({.name = "_gw-tcp-443._tcp.a.com", .type = rr::srv}).made.what, action::forward);
}

// Its Service is there while it is not hijacked, too.
TEST(service_answer, knows_the_ports_of_gateways_that_hijack_nothing) {
  const auto table = build({service("gw", "a.com", {"10.0.0.1"}, "false")},
                           {external_with_ports("gw", {{443, "TCP"}}, false)})
                         .table;
  const auto got = respond_to({.name = "_gw-tcp-443._tcp.gw" + suffix, .type = rr::srv}, table);
  EXPECT_EQ(got.said.answers.at(0).data, srv_data(443, "gw" + suffix));
}

TEST(service_answer, follows_the_clusters_domain) {
  const auto built = build_hijack_table(snapshot_of({service("gw", "a.com", {"10.0.0.1"})}),
                                        snapshot_of({external_with_ports("gw", {{443, "TCP"}})}), nullptr,
                                        {.name_space = "ns", .cluster_domain = "k8s.example"});
  const auto got =
      respond_to({.name = "_gw-tcp-443._tcp.gw.ns.svc.k8s.example", .type = rr::srv}, built.table);
  EXPECT_EQ(got.said.answers.at(0).data, srv_data(443, "gw.ns.svc.k8s.example"));
  const auto reverse = respond_to({.name = "1.0.0.10.in-addr.arpa", .type = rr::ptr}, built.table);
  EXPECT_EQ(reverse.said.answers.at(0).data, name_in_case("gw.ns.svc.k8s.example"));
  EXPECT_EQ(respond_to({.name = "gw" + suffix}, built.table).made.what, action::forward);
}

// The longest names there can be: the target shrinks to a pointer, and addresses are left out.
TEST(service_answer, always_fits_the_smallest_client) {
  const std::string name(52, 'n'), name_space(63, 's');
  const std::string zone = std::string(59, 'a') + "." + std::string(7, 'b');
  const auto built = build_hijack_table(
      snapshot_of(
          {service(name, "a.com", {"10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2", "fd00::3", "fd00::4"})}),
      snapshot_of({external_with_ports(name, {{1, "TCP"}})}), nullptr,
      {.name_space = name_space, .cluster_domain = zone});
  const auto target = name + "." + name_space + ".svc." + zone;
  ask what{.name = "_" + name + "-tcp-1._tcp." + target, .type = rr::srv, .edns = true, .dnssec = true};
  ASSERT_LE(name_in_case(what.name).size(), 255u);
  for (const bool with_cookie : {false, true}) {
    if (with_cookie) what.options = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    const auto p = what.make();
    query asked;
    const auto judged = parse_query(p, asked);
    asked.has_answer_cookie = with_cookie;
    asked.answer_cookie.fill(7);
    std::array<std::uint8_t, answer_room> out{};
    const auto made = respond(asked, judged, true, built.table.get(), {}, out);
    ASSERT_EQ(made.what, action::answered);
    const auto said = read_reply(bytes(out).first(made.size));
    ASSERT_EQ(said.answers.size(), 1u);
    EXPECT_EQ(load16(&said.answers[0].data[4]), 1u);
    EXPECT_EQ(said.ede, 4);
    EXPECT_EQ(said.cookie.size(), with_cookie ? 24u : 0u);
    EXPECT_TRUE(read_with_ldns(bytes(out).first(made.size)));
  }
}

}  // namespace
}  // namespace egress::dns::test
