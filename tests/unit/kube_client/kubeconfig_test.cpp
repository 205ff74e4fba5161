#include "runtime/kube/kubeconfig.hpp"

#include <gtest/gtest.h>

namespace egress::kube {
namespace {

std::string config(const std::string& cluster, const std::string& user) {
  return "current-context: c\n"
         "contexts: [{name: c, context: {cluster: k, user: u, namespace: n}}]\n"
         "clusters: [{name: k, cluster: {" +
         cluster + "}}]\nusers: [{name: u, user: {" + user + "}}]\n";
}

TEST(kubeconfig, is_read_with_paths_relative_to_its_file) {
  const auto got = parse_kubeconfigs(
      {{"/etc/k/config",
        config("server: 'https://h:1', certificate-authority: ca.crt, tls-server-name: s",
               "client-certificate: ../c.crt, client-key-data: aGV5, tokenFile: t, token: x")}},
      "");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->server, "https://h:1");
  EXPECT_EQ(got->tls_server_name, "s");
  EXPECT_EQ(got->default_namespace, "n");
  EXPECT_EQ(got->certificate_authority.file, "/etc/k/ca.crt");
  EXPECT_EQ(got->client_certificate.file, "/etc/c.crt");
  EXPECT_EQ(got->client_key.data, "hey");
  EXPECT_EQ(got->token_file, "/etc/k/t");
  EXPECT_EQ(got->token, "");
}

TEST(kubeconfig, merges_files_with_the_first_winning) {
  const auto got = parse_kubeconfigs({{"/a", "clusters: [{name: k, cluster: {server: 'https://first'}}]"},
                                      {"/b", config("server: 'https://second'", "token: x")}},
                                     "");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->server, "https://first");
  EXPECT_EQ(got->token, "x");
}

TEST(kubeconfig, names_file_and_field_of_what_is_wrong) {
  const struct {
    std::string text, says;
  } table[] = {
      {"a: [", "/f:"},
      {"- a", "/f: it is no mapping"},
      {"{}", "no current-context"},
      {"current-context: nowhere", "\"nowhere\" in contexts"},
      {config("server: ''", ""), "has no server"},
      {config("server: h, certificate-authority-data: '*'", ""), "certificate-authority-data is not base64"},
      {config("server: h", "exec: {apiVersion: v9, command: c}"), "exec.apiVersion \"v9\""},
      {config("server: h", "exec: {apiVersion: client.authentication.k8s.io/v1}"), "exec has no command"},
      {config("server: h", "username: u"), "not supported"},
  };
  for (const auto& [text, says] : table) {
    const auto got = parse_kubeconfigs({{"/f", text}}, "");
    ASSERT_FALSE(got) << text;
    EXPECT_TRUE(got.error().message.contains(says)) << got.error().message;
    EXPECT_TRUE(got.error().message.contains("/f")) << got.error().message;
    EXPECT_FALSE(got.error().message.contains('\n'));
  }
}

}  // namespace
}  // namespace egress::kube
