// Whom a query comes from, over each kind of socket: --dns-allow and spec.dnsClients decide by it.
#include "tests/unit/dns_io/tcp_client.hpp"

namespace egress::dns::test {
namespace {

// How a client comes. On a socket of both families one of IPv4 has a mapped address.
struct way {
  const char* name;
  const char* listens;
  bool ipv6, stream;
};

constexpr way over_ipv4_alone[] = {{"UDP, on an IPv4 socket", "127.0.0.1:0", false, false},
                                   {"TCP, on an IPv4 socket", "127.0.0.1:0", false, true}};
constexpr way mapped[] = {{"UDP, mapped IPv4", ":0", false, false}, {"TCP, mapped IPv4", ":0", false, true}};
constexpr way over_ipv6[] = {{"UDP, ::1", ":0", true, false}, {"TCP, ::1", ":0", true, true}};

reply ask_by(const way& how, std::uint16_t port, const ask& what) {
  if (!how.stream) return (how.ipv6 ? udp_client::over_ipv6(port) : udp_client(port)).ask_for(what);
  const auto client = how.ipv6 ? tcp_client::over_ipv6(port) : tcp_client(port);
  client.send(what.make());
  const auto got = client.receive();
  EXPECT_FALSE(got.empty()) << "no answer over " << how.name;
  return got.empty() ? reply{} : read_reply(got);
}

std::vector<way> all_ways() {
  std::vector<way> all;
  for (const auto& some : {std::span(over_ipv4_alone), std::span(mapped), std::span(over_ipv6)})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

// A worker that listens as the way wants it.
struct reached : served {
  explicit reached(const way& how, std::vector<upstream_address> upstreams = {})
      : served(std::move(upstreams), 1, how.listens) {
    be_patient();
  }
  bool can(const way& how) const { return ipv6 || !how.ipv6; }
};

TEST(clients, outside_of_dns_allow_are_refused_over_every_socket) {
  for (const auto& how : all_ways()) {
    reached s(how);
    if (!s.can(how)) continue;
    s.config.allow = client_acl::parse({"192.0.2.0/24"}).value();
    const auto worker = s.make();
    for (const auto* name : {"example.com", "other.example.org"}) {
      const auto got = ask_by(how, s.port, {.name = name, .edns = true});
      EXPECT_EQ(got.code, 5u) << how.name;
      EXPECT_TRUE(got.answers.empty()) << how.name;
      EXPECT_EQ(got.ede, 18) << how.name;
    }
  }
}

TEST(clients, inside_of_dns_allow_are_those_of_the_named_family_alone) {
  for (const auto& how : all_ways())
    for (const bool allows_ipv6 : {false, true}) {
      reached s(how);
      if (!s.can(how)) continue;
      s.config.allow = client_acl::parse({allows_ipv6 ? "::1/128" : "127.0.0.1/32"}).value();
      const auto worker = s.make();
      EXPECT_EQ(ask_by(how, s.port, {}).code, allows_ipv6 == how.ipv6 ? 0u : 5u) << how.name << allows_ipv6;
    }
}

// Of clients in a view and others, by every socket: what each is told of the name, and told again.
void expect_views(const std::string& dns_name, const std::string& asked) {
  scripted_upstream upstream([](const packet& p, auto) { return std::vector<packet>{answer_to(p)}; });
  const packet gateway{10, 0, 0, 1}, real{192, 0, 2, 1};
  for (const auto& how : all_ways())
    for (const bool sees_ipv6 : {false, true}) {
      reached s(how, {upstream.address()});
      if (!s.can(how)) continue;
      s.table = build({service("ex", dns_name, {"10.0.0.1"})},
                      {external_for("ex", {sees_ipv6 ? "::1/128" : "127.0.0.0/8"})})
                    .table;
      const auto worker = s.make();
      for (int i = 0; i < 2; ++i)
        EXPECT_EQ(ask_by(how, s.port, {.name = asked}).answers.at(0).data,
                  sees_ipv6 == how.ipv6 ? gateway : real)
            << how.name << sees_ipv6 << i;
      EXPECT_LE(s.counters->forward_requests.value(), 1u) << "then from the cache";
    }
}

TEST(clients, of_a_view_are_known_by_their_address_over_every_socket) {
  expect_views("example.com", "example.com");
}

// Its real name is asked for first: whose question it was is kept until the upstream has answered.
TEST(clients, of_a_wildcards_view_are_still_known_when_the_upstream_has_answered) {
  expect_views("*.wild.example", "x.wild.example");
}

TEST(clients, are_counted_by_family_and_transport) {
  for (const auto& how : all_ways()) {
    reached s(how);
    if (!s.can(how)) continue;
    auto worker = s.make();
    ask_by(how, s.port, {});
    worker.reset();
    for (const bool stream : {false, true})
      for (const bool ipv6 : {false, true})
        EXPECT_EQ(s.counters->requests[stream ? 1 : 0][ipv6 ? 1 : 0][type_bucket(rr::a)].value(),
                  stream == how.stream && ipv6 == how.ipv6 ? 1u : 0u)
            << how.name;
  }
}

}  // namespace
}  // namespace egress::dns::test
