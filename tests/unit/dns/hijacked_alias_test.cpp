#include "actors/dns/hijacked_alias.hpp"

#include "tests/unit/dns/cache_support.hpp"

namespace egress::dns::test {
namespace {

rr_text alias(const std::string& from, const std::string& to) {
  return {from, rr::cname, 300, name_in_case(to)};
}

bool seen_in(const std::string& name, const std::vector<rr_text>& answers) {
  static const auto table = sample_table();
  const ask what{.name = name};
  return has_hijacked_alias(asking(what).q, upstream_reply{.answers = answers}.to(what), *table);
}

TEST(hijacked_alias, is_one_that_leads_to_a_hijacked_name_at_its_end_or_on_the_way) {
  EXPECT_TRUE(seen_in("www.a.org", {alias("www.a.org", "Example.com"), {"example.com"}}));
  EXPECT_TRUE(seen_in("www.a.org",
                      {alias("www.a.org", "example.com"), alias("example.com", "cdn.net"), {"cdn.net"}}));
  EXPECT_TRUE(seen_in("www.a.org", {alias("www.a.org", "x.wild.example.com"), {"x.wild.example.com"}}));
  EXPECT_TRUE(seen_in("www.a.org", {{"example.com"}, alias("www.a.org", "example.com")})) << "in any order";
}

TEST(hijacked_alias, is_none_where_all_names_are_others) {
  EXPECT_FALSE(seen_in("www.a.org", {}));
  EXPECT_FALSE(seen_in("www.a.org", {{"www.a.org"}}));
  EXPECT_FALSE(seen_in("www.a.org", {alias("www.a.org", "www.example.com"), {"www.example.com"}}));
  EXPECT_FALSE(seen_in("www.a.org", {alias("www.a.org", "ex.egress-operator-system.svc.cluster.local")}));
}

TEST(hijacked_alias, is_none_of_a_name_that_is_hijacked_itself) {
  EXPECT_FALSE(seen_in("a.wild.example.com", {alias("a.wild.example.com", "example.com")}));
}

TEST(hijacked_alias, is_not_looked_for_behind_the_end_of_a_reply) {
  const ask what{.name = "www.a.org"};
  const auto whole =
      upstream_reply{.answers = {{"www.a.org"}, alias("www.a.org", "example.com")}, .opt = false}.to(what);
  const asking asked(what);
  const auto table = sample_table();
  for (std::size_t size = header_size + asked.q.question_size; size < whole.size(); ++size)
    EXPECT_FALSE(has_hijacked_alias(asked.q, bytes(whole).first(size), *table)) << size;
  EXPECT_TRUE(has_hijacked_alias(asked.q, whole, *table));
}

}  // namespace
}  // namespace egress::dns::test
