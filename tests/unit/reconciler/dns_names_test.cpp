#include "actors/reconciler/dns_names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/reconciler/fixtures.hpp"

namespace egress::reconciler {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

kube::object service_of(const std::string& name, const std::string& dns_name, std::int64_t created) {
  kube::external_service_spec spec;
  spec.dns_name = dns_name;
  auto out = *testing::an_external_service(spec, name, "uid-" + name);
  out.meta.creation_time = created;
  return out;
}

std::vector<std::string> affected_but(dns_names& names, std::string_view one) {
  auto all = names.take_affected();
  std::erase(all, one);
  return all;
}

// Of all the others, those that must be looked at again when this one changes, or goes.
std::vector<std::string> others_after(dns_names& names, const kube::object& change) {
  names.take_affected();
  names.set(change);
  return affected_but(names, change.meta.name);
}
std::vector<std::string> others_without(dns_names& names, std::string_view gone) {
  names.take_affected();
  names.remove(gone);
  return affected_but(names, gone);
}

TEST(DnsNames, TheOldestHoldsTheNameWhicheverIsSeenFirst) {
  dns_names names;
  EXPECT_THAT(others_after(names, service_of("young", "a.com", 20)), IsEmpty());
  EXPECT_EQ(names.holder("a.com"), "young");
  EXPECT_THAT(others_after(names, service_of("old", "a.com", 10)), ElementsAre("young"));
  EXPECT_EQ(names.holder("a.com"), "old");
  EXPECT_THAT(others_after(names, service_of("youngest", "a.com", 30)), IsEmpty());
}

TEST(DnsNames, OfTheSameSecondTheNameDecidesAsInDNS) {
  dns_names names;
  auto later = service_of("b", "a.com", 10), first = service_of("a", "a.com", 10);
  later.meta.uid = "1";
  first.meta.uid = "2";
  names.set(later);
  EXPECT_THAT(others_after(names, first), ElementsAre("b"));
  EXPECT_EQ(names.holder("a.com"), "a");
}

TEST(DnsNames, CaseAndTrailingDotDoNotMatter) {
  dns_names names;
  names.set(service_of("x", "API.Example.com.", 10));
  EXPECT_EQ(names.holder("api.example.COM"), "x");
  EXPECT_EQ(names.holder("example.com"), "");
}

TEST(DnsNames, WhoeverWaitsIsToldWhenTheNameIsFree) {
  dns_names names;
  names.set(service_of("old", "a.com", 10));
  names.set(service_of("young", "a.com", 20));
  EXPECT_THAT(others_without(names, "old"), ElementsAre("young"));
  EXPECT_EQ(names.holder("a.com"), "young");
  EXPECT_THAT(others_without(names, "old"), IsEmpty());
  EXPECT_THAT(others_without(names, "young"), IsEmpty());
  EXPECT_EQ(names.holder("a.com"), "");
}

TEST(DnsNames, ARenameFreesOneNameAndTakesAnother) {
  dns_names names;
  names.set(service_of("old", "a.com", 10));
  names.set(service_of("second", "a.com", 20));
  names.set(service_of("third", "b.com", 30));
  EXPECT_THAT(others_after(names, service_of("old", "b.com", 10)), ElementsAre("second", "third"));
  EXPECT_EQ(names.holder("a.com"), "second");
  EXPECT_EQ(names.holder("b.com"), "old");
}

TEST(DnsNames, ThoseOfManyChangesAreToldOnce) {
  dns_names names;
  names.set(service_of("x1000", "a.com", 1000));
  EXPECT_THAT(names.take_affected(), IsEmpty()) << "it has just come, and is looked at";
  for (int i = 1; i < 300; ++i) names.set(service_of("x" + std::to_string(1000 + i), "a.com", 1000 - i));
  const auto all = names.take_affected();
  EXPECT_EQ(all.size(), 300U) << "each of them is older than the one before";
  EXPECT_TRUE(std::ranges::is_sorted(all));
  EXPECT_THAT(names.take_affected(), IsEmpty());
  names.remove("x1299");
  names.set(service_of("x1299", "a.com", 701));
  EXPECT_THAT(names.take_affected(), IsEmpty()) << "it has the name as before";
}

TEST(DnsNames, NothingHappensWhenNothingChanges) {
  dns_names names;
  names.set(service_of("old", "a.com", 10));
  names.set(service_of("young", "a.com", 20));
  EXPECT_THAT(others_after(names, service_of("old", "A.com", 10)), IsEmpty());
}

TEST(DnsNames, NoNameIsNobodys) {
  dns_names names;
  names.set(service_of("x", "", 10));
  EXPECT_THAT(others_after(names, service_of("y", "", 20)), IsEmpty());
  EXPECT_EQ(names.holder(""), "");
}

}  // namespace
}  // namespace egress::reconciler
