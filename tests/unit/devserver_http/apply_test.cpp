// kubectl apply from inside.
#include "runtime/devserver/apply.hpp"

#include "tests/unit/devserver_http/fixture.hpp"

namespace egress::dev::test {
namespace {

TEST(apply_patch, removes_what_is_wanted_no_more_and_only_that) {
  const auto patch =
      apply_patch(parsed(R"({"a":1,"b":{"c":1,"d":2},"e":3})"), parsed(R"({"b":{"c":9},"e":3})"));
  EXPECT_EQ(patch, parsed(R"({"b":{"c":9,"d":null},"e":3,"a":null})"));
}

TEST(apply, creates_then_changes_what_the_manifest_says) {
  asked_cluster ask;
  const auto first =
      apply(*ask.objects, parsed(external_service("a", R"(,"minReplicas":2,"maxReplicas":5)")), ask.now);
  ASSERT_TRUE(first) << first.error().message;
  ask("PATCH", exsvcs + "/a", R"({"metadata":{"labels":{"by":"another"}},"spec":{"hijackDns":true}})",
      "application/merge-patch+json");
  const auto second = apply(*ask.objects, parsed(external_service("a", R"(,"maxReplicas":6)")), ask.now);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(at(**second, "/spec/maxReplicas"), "6");
  EXPECT_EQ(at(**second, "/spec/minReplicas"), "") << "applied before, wanted no more";
  EXPECT_EQ(at(**second, "/spec/hijackDns"), "true") << "never applied: another's";
  EXPECT_EQ(at(**second, "/metadata/labels/by"), "another");
}

// The text is what kubectl 1.34 writes.
TEST(apply, notes_what_kubectl_would_note) {
  asked_cluster ask;
  const auto manifest =
      parsed(R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"m"},"data":{"k":"<a&b>"}})");
  const auto made = apply(*ask.objects, manifest, ask.now);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(at(**made, "/metadata/namespace"), "default");
  EXPECT_EQ(at(**made, "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"),
            R"({"apiVersion":"v1","data":{"k":"\u003ca\u0026b\u003e"},"kind":"ConfigMap",)"
            R"("metadata":{"annotations":{},"name":"m","namespace":"default"}})"
            "\n");
}

TEST(apply, writes_nothing_when_nothing_differs) {
  asked_cluster ask;
  ASSERT_TRUE(apply(*ask.objects, parsed(external_service("a")), ask.now));
  const auto before = ask.objects->objects().version();
  ASSERT_TRUE(apply(*ask.objects, parsed(external_service("a")), ask.now));
  EXPECT_EQ(ask.objects->objects().version(), before);
}

TEST(apply, refuses_unknown_kinds_and_fields) {
  asked_cluster ask;
  const auto kind = apply(*ask.objects, parsed(R"({"apiVersion":"v9","kind":"Gadget"})"), ask.now);
  ASSERT_FALSE(kind);
  EXPECT_EQ(kind.error().message, "no matches for kind \"Gadget\" in version \"v9\"");
  const auto field = apply(*ask.objects, parsed(external_service("a", R"(,"dnsNmae":"x")")), ask.now);
  ASSERT_FALSE(field);
  EXPECT_NE(field.error().message.find("unknown field \"spec.dnsNmae\""), std::string::npos);
}

}  // namespace
}  // namespace egress::dev::test
