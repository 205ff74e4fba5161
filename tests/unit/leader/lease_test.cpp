#include "actors/leader/lease.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace egress::leader {
namespace {

using ::testing::HasSubstr;

const lease_record record{"pod-1", 30, "2026-01-02T15:04:05.000001Z", "2026-01-02T15:04:07.000002Z", 4};

TEST(Lease, WhatIsWrittenReadsBack) {
  auto text = encode_new_lease("ns", "egress-operator", record);
  EXPECT_THAT(text, HasSubstr(R"("apiVersion":"coordination.k8s.io/v1","kind":"Lease")"));
  EXPECT_THAT(text, HasSubstr(R"("metadata":{"name":"egress-operator","namespace":"ns"})"));
  text.replace(text.find(R"("namespace":"ns")"), 16, R"("namespace":"ns","resourceVersion":"7")");
  const auto read = decode_lease(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->record, record);
  EXPECT_EQ(read->resource_version, "7");
}

TEST(Lease, AReplaceKeepsWhatOthersWrote) {
  const auto read = decode_lease(
      R"({"metadata":{"name":"n","resourceVersion":"7","labels":{"team":"net"}},"spec":{"strategy":"x","holderIdentity":"a"}})");
  ASSERT_TRUE(read);
  const auto text = encode_lease(*read, record);
  EXPECT_THAT(text, HasSubstr(R"("labels":{"team":"net"})"));
  EXPECT_THAT(text, HasSubstr(R"("strategy":"x")"));
  EXPECT_THAT(text, HasSubstr(R"("resourceVersion":"7")"));
  EXPECT_EQ(decode_lease(text)->record, record);
}

TEST(Lease, WithoutSpecNobodyHoldsIt) {
  for (const auto* text :
       {R"({"metadata":{"resourceVersion":"1"}})", R"({"metadata":{"resourceVersion":"1"},"spec":null})",
        R"({"metadata":{"resourceVersion":"1"},"spec":{"holderIdentity":null}})"}) {
    const auto read = decode_lease(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->record, lease_record{});
    EXPECT_EQ(decode_lease(encode_lease(*read, record))->record, record);
  }
}

TEST(Lease, WhatTheApiDoesNotPromiseIsRefused) {
  for (const auto* text : {"", "[]", "{", "{}", R"({"metadata":[]})", R"({"metadata":{"resourceVersion":7}})",
                           R"({"metadata":{"resourceVersion":"1"},"spec":[]})",
                           R"({"metadata":{"resourceVersion":"1"},"spec":{"holderIdentity":1}})",
                           R"({"metadata":{"resourceVersion":"1"},"spec":{"leaseDurationSeconds":"30"}})",
                           R"({"metadata":{"resourceVersion":"1"},"spec":{"leaseTransitions":1.5}})"})
    EXPECT_FALSE(decode_lease(text)) << text;
}

}  // namespace
}  // namespace egress::leader
