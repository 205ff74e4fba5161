// Domains with upstreams of their own (--dns-forward).
#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {
namespace {

using packets = std::vector<packet>;

struct says {
  explicit says(packet address)
      : upstream([=](const packet& asked, auto) { return packets{answer_to(asked, 0, address)}; }) {}
  scripted_upstream upstream;
};

void forward_to(served& s, const std::string& domain, const scripted_upstream& upstream) {
  s.config.domains.push_back({parse_name(domain).value(), {upstream.address()}});
  std::vector<wire_name> names;
  for (const auto& one : s.config.domains) names.push_back(one.domain);
  s.config.answers.answers.forwarded = std::make_shared<const domain_routes>(names);
}

TEST(domains, are_asked_of_their_own_upstreams_the_longest_first) {
  says all({1, 1, 1, 1}), local({2, 2, 2, 2}), cluster({3, 3, 3, 3});
  served s({all.upstream.address()});
  s.be_patient();
  forward_to(s, "local", local.upstream);
  forward_to(s, "cluster.local", cluster.upstream);
  const auto worker = s.make();
  const udp_client client(s.port);
  const auto address = [&](const std::string& name) {
    return client.ask_for({.name = name}).answers.at(0).data;
  };
  EXPECT_EQ(address("a.org"), (packet{1, 1, 1, 1}));
  EXPECT_EQ(address("printer.local"), (packet{2, 2, 2, 2}));
  EXPECT_EQ(address("a.svc.Cluster.local"), (packet{3, 3, 3, 3}));
  EXPECT_EQ(address("xcluster.local"), (packet{2, 2, 2, 2}));
}

TEST(domains, do_not_fall_back_to_the_upstreams_of_all_else) {
  says all({1, 1, 1, 1});
  scripted_upstream silent([](auto&, auto) { return packets{}; });
  served s({all.upstream.address()});
  forward_to(s, "cluster.local", silent);
  const auto worker = s.make();
  EXPECT_EQ(udp_client(s.port).ask_for({.name = "a.cluster.local"}).code, 2u);
  EXPECT_EQ(all.upstream.asked(), 0) << "a name of the cluster must not leak";
}

TEST(domains, have_a_health_of_their_own) {
  says all({1, 1, 1, 1});
  scripted_upstream silent([](auto&, auto) { return packets{}; });
  served s({silent.address(), all.upstream.address()});
  forward_to(s, "cluster.local", all.upstream);
  s.config.policy = upstream_policy::sequential;
  s.config.forward.budget = std::chrono::seconds{8};
  const auto worker = s.make();
  const udp_client client(s.port);
  for (int i = 0; i < 3; ++i) client.ask_for({.name = "n" + std::to_string(i) + ".org"});
  EXPECT_EQ(client.ask_for({.name = "a.cluster.local"}).code, 0u);
}

TEST(domains, that_are_silent_take_no_room_from_others) {
  says all({1, 1, 1, 1}), local({2, 2, 2, 2});
  scripted_upstream silent([](auto&, auto) { return packets{}; });
  served s({all.upstream.address()});
  s.be_patient();
  s.config.forward.max_concurrent = 2;
  forward_to(s, "cluster.local", silent);
  forward_to(s, "local", local.upstream);
  const auto worker = s.make();
  const udp_client client(s.port);
  for (unsigned i = 0; i < 3; ++i)
    client.send(ask{.name = "n" + std::to_string(i) + ".cluster.local", .id = i}.make());
  const auto refused = read_reply(client.receive());
  EXPECT_EQ(refused.code, 5u) << "the silent domain's own room";
  EXPECT_EQ(refused.id, 2u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.ask_for({.name = "n" + std::to_string(i) + ".org"}).code, 0u);
    EXPECT_EQ(client.ask_for({.name = "n" + std::to_string(i) + ".local"}).code, 0u);
  }
  EXPECT_EQ(s.counters->forward_rejects.value(), 1u);
}

TEST(domains, of_private_reverse_names_are_forwarded_others_still_denied) {
  says reverse({9, 9, 9, 9});
  served s;
  s.be_patient();
  forward_to(s, "10.in-addr.arpa", reverse.upstream);
  const auto worker = s.make();
  const udp_client client(s.port);
  EXPECT_EQ(client.ask_for({.name = "4.3.2.10.in-addr.arpa", .type = rr::ptr}).answers.size(), 1u);
  EXPECT_EQ(client.ask_for({.name = "4.3.168.192.in-addr.arpa", .type = rr::ptr}).code, 3u);
}

}  // namespace
}  // namespace egress::dns::test
