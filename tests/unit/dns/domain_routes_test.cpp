#include "actors/dns/domain_routes.hpp"

#include <gtest/gtest.h>

namespace egress::dns {
namespace {

domain_routes routes(std::vector<std::string> domains) {
  std::vector<wire_name> names;
  for (const auto& one : domains) names.push_back(parse_name(one).value());
  return domain_routes(names);
}

std::optional<std::size_t> found(const domain_routes& in, const std::string& name) {
  return in.find(parse_name(name).value());
}

TEST(domain_routes, the_longest_suffix_decides) {
  const auto all = routes({"local", "cluster.local", "10.in-addr.arpa", "svc.cluster.local"});
  EXPECT_EQ(found(all, "a.svc.cluster.local"), 3u);
  EXPECT_EQ(found(all, "SVC.cluster.local"), 3u) << "the domain itself";
  EXPECT_EQ(found(all, "pod.cluster.local"), 1u);
  EXPECT_EQ(found(all, "other.local"), 0u);
  EXPECT_EQ(found(all, "4.3.2.10.in-addr.arpa"), 2u);
  EXPECT_EQ(found(all, "example.org"), std::nullopt);
}

TEST(domain_routes, labels_match_whole) {
  const auto all = routes({"cluster.local"});
  EXPECT_EQ(found(all, "xcluster.local"), std::nullopt);
  EXPECT_EQ(found(all, "x.yluster.local"), std::nullopt) << "of the same size";
  EXPECT_EQ(found(all, "local"), std::nullopt);
  EXPECT_EQ(found(routes({}), "a.b"), std::nullopt);
  wire_name root;
  root.data[0] = 0;
  root.size = 1;
  EXPECT_EQ(all.find(root), std::nullopt);
}

TEST(domain_routes, of_equal_ones_the_first_counts) {
  EXPECT_EQ(found(routes({"b.org", "a.org", "a.org"}), "x.a.org"), 1u);
}

}  // namespace
}  // namespace egress::dns
