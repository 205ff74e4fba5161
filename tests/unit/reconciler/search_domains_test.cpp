#include "actors/reconciler/search_domains.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace egress::reconciler {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(SearchDomains, AreTheLastLinesAndInOneForm) {
  EXPECT_THAT(search_domains_of("nameserver 10.0.0.10\nsearch a.Example.com. example.com\noptions ndots:5\n"),
              ElementsAre("a.example.com", "example.com"));
  EXPECT_THAT(search_domains_of("search a.com\ndomain\tb.com"), ElementsAre("b.com"));
  EXPECT_THAT(search_domains_of("domain b.com\r\n\tsearch  a.com \r\n"), ElementsAre("a.com"));
  EXPECT_THAT(search_domains_of("search .\n"), IsEmpty());
  EXPECT_THAT(search_domains_of("# search a.com\nsearches b.com\nsearch"), IsEmpty());
  EXPECT_THAT(search_domains_of(""), IsEmpty());
}

TEST(SearchDomains, AreCoveredByTheWildcardsOfTheirSuffixes) {
  const std::vector<std::string> domains{"svc.cluster.local", "corp.example.com"};
  EXPECT_EQ(covered_search_domain("*.corp.example.com", domains), "corp.example.com");
  EXPECT_EQ(covered_search_domain("*.Example.COM.", domains), "corp.example.com");
  EXPECT_EQ(covered_search_domain("*.local", domains), "svc.cluster.local");
  for (const auto* other :
       {"corp.example.com", "*.a.corp.example.com", "*.orp.example.com", "*.example.org", ""})
    EXPECT_EQ(covered_search_domain(other, domains), "") << other;
  EXPECT_EQ(covered_search_domain("*.example.com", {}), "");
}

}  // namespace
}  // namespace egress::reconciler
