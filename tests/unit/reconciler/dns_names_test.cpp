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

TEST(DnsNames, TheOldestHoldsTheNameWhicheverIsSeenFirst) {
  dns_names names;
  EXPECT_THAT(names.set(service_of("young", "a.com", 20)), IsEmpty());
  EXPECT_EQ(names.holder("a.com"), "young");
  EXPECT_THAT(names.set(service_of("old", "a.com", 10)), ElementsAre("young"));
  EXPECT_EQ(names.holder("a.com"), "old");
  EXPECT_THAT(names.set(service_of("youngest", "a.com", 30)), IsEmpty());
}

TEST(DnsNames, OfTheSameSecondTheUidDecides) {
  dns_names names;
  names.set(service_of("b", "a.com", 10));
  names.set(service_of("a", "a.com", 10));
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
  EXPECT_THAT(names.remove("old"), ElementsAre("young"));
  EXPECT_EQ(names.holder("a.com"), "young");
  EXPECT_THAT(names.remove("old"), IsEmpty());
  EXPECT_THAT(names.remove("young"), IsEmpty());
  EXPECT_EQ(names.holder("a.com"), "");
}

TEST(DnsNames, ARenameFreesOneNameAndTakesAnother) {
  dns_names names;
  names.set(service_of("old", "a.com", 10));
  names.set(service_of("second", "a.com", 20));
  names.set(service_of("third", "b.com", 30));
  EXPECT_THAT(names.set(service_of("old", "b.com", 10)), ElementsAre("second", "third"));
  EXPECT_EQ(names.holder("a.com"), "second");
  EXPECT_EQ(names.holder("b.com"), "old");
}

TEST(DnsNames, NothingHappensWhenNothingChanges) {
  dns_names names;
  names.set(service_of("old", "a.com", 10));
  names.set(service_of("young", "a.com", 20));
  EXPECT_THAT(names.set(service_of("old", "A.com", 10)), IsEmpty());
}

TEST(DnsNames, NoNameIsNobodys) {
  dns_names names;
  names.set(service_of("x", "", 10));
  EXPECT_THAT(names.set(service_of("y", "", 20)), IsEmpty());
  EXPECT_EQ(names.holder(""), "");
}

}  // namespace
}  // namespace egress::reconciler
