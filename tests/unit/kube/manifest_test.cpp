#include "runtime/kube/manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "runtime/kube/json_text.hpp"
#include "runtime/kube/known_fields.hpp"
#include "runtime/kube/manifest_files.hpp"
#include "tests/support/source_dir.hpp"

namespace egress::kube {
namespace {

constexpr std::string_view head = "apiVersion: egress.monzo.com/v1\nkind: ExternalService\n";

result<object_ptr> read_one(const std::string& rest) {
  const auto read = parse_manifests(std::string(head) + rest, "f.yaml");
  if (!read) return std::unexpected(read.error());
  return external_service_from(read->at(0));
}
std::string error_of(const std::string& rest) {
  const auto read = read_one(rest);
  if (!read) return read.error().message;
  const auto& undecodable = (*read)->as_external_service().undecodable;
  return undecodable.empty() ? "no error" : undecodable;
}

TEST(manifest, quoted_names_that_look_like_something_else_stay_names) {
  for (const std::string name : {"y", "on", "null", "true", "1", "~"}) {
    const auto read = read_one("metadata: {name: \"" + name +
                               "\"}\nspec:\n  dnsName: '1.5'\n"
                               "  ipOverride: [\"fe80::\", 1:2:3:4:5:6:7:8]\n  ports: [{port: 0x1BB}]\n");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ((*read)->meta.name, name);
    const auto& spec = (*read)->as_external_service().spec;
    EXPECT_EQ(spec.dns_name, "1.5");
    EXPECT_EQ(spec.ip_override, (std::vector<std::string>{"fe80::", "1:2:3:4:5:6:7:8"}));
    EXPECT_EQ(spec.ports.at(0).port, 443);
  }
}

TEST(manifest, errors_say_file_line_path_and_what_to_do) {
  EXPECT_EQ(
      error_of("metadata: {name: a}\nspec:\n  dnsName: x\n  ports:\n  - protocol: TCP\n    port: abc\n"),
      "f.yaml:8: spec.ports[0].port: a string where an integer belongs");
  EXPECT_EQ(error_of("metadata:\n  name: y\n"),
            "f.yaml:4: metadata.name: a boolean where a string belongs; quote it");
  EXPECT_EQ(error_of("metadata:\n  name: null\n"),
            "f.yaml:4: metadata.name: null where a string belongs; quote it");
  EXPECT_EQ(error_of("metadata: {name: a}\nspec:\n  dnsName: 1.5\n"),
            "f.yaml:5: spec.dnsName: a number with a fraction where a string belongs; quote it");
  EXPECT_EQ(error_of("metadata: {name: a}\nspec:\n  dnsName: [1]\n"),
            "f.yaml:5: spec.dnsName: a list where a string belongs");
  EXPECT_EQ(error_of("metadata: {}\n"), "f.yaml:3: metadata.name: missing");
  EXPECT_EQ(error_of("metadata: {name: a}\nspec: {a: 1, a: 2}\n"), "f.yaml:4: \"a\" is there twice");
  EXPECT_TRUE(error_of("metadata: {name: a\n").starts_with("f.yaml:"));
}

std::string refusal(std::string_view text) {
  const auto read = parse_manifests(text, "f");
  return read ? "no error" : read.error().message;
}

TEST(manifest, refuses_what_is_no_object) {
  EXPECT_EQ(refusal("- 1\n"), "f:1: a list where an API object belongs");
  EXPECT_EQ(refusal("kind: X\n"), "f:1: apiVersion: missing, or no string");
  EXPECT_EQ(refusal("apiVersion: v1\nkind: 5\n"), "f:2: kind: missing, or no string");
  EXPECT_EQ(refusal("a: &x [*x]\n"), "f:1: an alias inside of what it stands for");
  EXPECT_EQ(refusal("? [a]\n: 1\n"), "f:1: a list or a map cannot be the name of a member");
  EXPECT_EQ(refusal("a: .inf\n"), "f:1: .inf is no number that JSON can hold");
  EXPECT_TRUE(refusal("a: *nobody\n").starts_with("f:1: not YAML: "));
}

TEST(manifest, bounds_what_aliases_expand_to) {
  std::string text = "a0: &a0 [xxxxxxxxxx]\n";
  for (int i = 1; i < 40; ++i) {
    const auto before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + "," + before + "]\n";
  }
  EXPECT_TRUE(refusal(text).contains("expand to more than 16 MiB"));
  EXPECT_FALSE(parse_manifests("x: " + std::string(100'000, '['), "f"));
}

TEST(manifest, takes_streams_and_lists_apart) {
  const auto read = parse_manifests(
      "# nothing\n---\n---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: A\n  x: 1\n"
      "- {apiVersion: v1, kind: BList, items: [{apiVersion: v1, kind: "
      "B}]}\n---\n{\"apiVersion\":\"v1\",\"kind\":\"C\"}\n",
      "f");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 3U);
  EXPECT_EQ(read->at(0).object.at("kind"), "A");
  EXPECT_EQ(read->at(0).line, 7);
  EXPECT_EQ(read->at(0).line_of("x"), 9);
  EXPECT_EQ(read->at(1).object.at("kind"), "B");
  EXPECT_EQ(read->at(2).object.at("kind"), "C");
  EXPECT_EQ(read->at(2).line, 12);
}

TEST(manifest, resolves_anchors_and_merge_keys) {
  const auto read = parse_manifests(
      "apiVersion: v1\nkind: A\nbase: &b {x: 1, w: 2}\nother: &o {x: 5, z: 3}\n"
      "use: {<<: [*b, *o], w: 9}\n",
      "f");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(json::canonical_text(read->at(0).object.at("use")), R"({"w":9,"x":1,"z":3})");
}

TEST(manifest, reads_json_with_what_yaml_libraries_refuse) {
  const auto read = parse_manifests(R"({"apiVersion":"v1","kind":"A","s":"\ud83d\ude00\/"})", "f");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->at(0).object.at("s"), "\xF0\x9F\x98\x80/");
}

TEST(manifest, names_a_field_that_there_is_not) {
  const std::string spec = "metadata: {name: a}\nspec:\n  dnsName: a.b\n";
  EXPECT_EQ(error_of(spec + "  hijackDNS: true\n"),
            "f.yaml:6: spec.hijackDNS: no such field; did you mean hijackDns?");
  EXPECT_EQ(error_of(spec + "hijackDns: true\n"),
            "f.yaml:6: hijackDns: no such field; did you mean spec.hijackDns?");
  EXPECT_EQ(error_of(spec + "Kind: x\n"), "f.yaml:6: Kind: no such field; did you mean kind?");
  EXPECT_EQ(error_of(spec + "  ports:\n  - port: 1\n    proto: UDP\n"),
            "f.yaml:8: spec.ports[0].proto: no such field");
  EXPECT_EQ(error_of(spec + "  tls: {SNI: Enforce}\n"),
            "f.yaml:6: spec.tls.SNI: no such field; did you mean sni?");
  EXPECT_EQ(error_of(spec + "  resources: {limit: {}}\n"), "f.yaml:6: spec.resources.limit: no such field");
  EXPECT_EQ(error_of(spec + "  \"a\\nb\": 1\n"), "f.yaml:5: spec.a?b: no such field");
}

TEST(manifest, knows_the_fields_of_the_definition_and_no_others) {
  const auto definition =
      read_manifests({std::string(egress::testing::source_dir()) + "/deploy/crd/externalservices.yaml"});
  ASSERT_TRUE(definition) << definition.error().message;
  const auto& version = definition->at(0).object.at("spec").at("versions").at(0);
  const auto& spec = version.at("schema").at("openAPIV3Schema").at("properties").at("spec").at("properties");
  std::vector<std::string> defined;
  const auto add = [&defined](const std::string& path, const json::value& properties) {
    for (const auto& field : properties.as_object()) defined.push_back(path + std::string(field.key()));
  };
  add("spec.", spec);
  add("spec.ports.", spec.at("ports").at("items").at("properties"));
  add("spec.resources.", spec.at("resources").at("properties"));
  add("spec.tls.", spec.at("tls").at("properties"));
  EXPECT_THAT(known_fields(), ::testing::UnorderedElementsAreArray(defined));
}

TEST(manifest, another_kind_is_no_external_service) {
  const auto read = parse_manifests("apiVersion: v1\nkind: Pod\n", "f");
  EXPECT_EQ(external_service_from(read->at(0)).error().message,
            "f:2: a v1 Pod where an egress.monzo.com/v1 ExternalService belongs");
}

TEST(manifest_files, reads_the_manifests_of_a_directory_by_name) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "egress_manifests";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  EXPECT_FALSE(read_manifests({folder.string()}));
  for (const std::string name : {"b.yml", "a.yaml", "c.json", "ignored.txt"})
    std::ofstream(folder / name) << "{\"apiVersion\": \"v1\", \"kind\": \"" << name << "\"}\n";
  const auto read = read_manifests({folder.string()});
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 3U);
  EXPECT_EQ(read->at(0).object.at("kind"), "a.yaml");
  EXPECT_EQ(read->at(2).file, (folder / "c.json").string());
  EXPECT_EQ(read_manifests({"/nonexistent.yaml"}).error().message,
            "/nonexistent.yaml: No such file or directory");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace egress::kube
