#include "runtime/kube/kubeconfig.hpp"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/temporary_folder.hpp"

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

TEST(kubeconfig, that_is_named_without_a_folder_is_in_this_one) {
  const auto got = parse_kubeconfigs(
      {{"config",
        config("server: h", "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./get-token}")}},
      "");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->exec->command, std::filesystem::current_path() / "get-token");
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
      {config("server: h, proxy-url: 'http://p'", ""), "proxy-url http://p cannot be used"},
  };
  for (const auto& [text, says] : table) {
    const auto got = parse_kubeconfigs({{"/f", text}}, "");
    ASSERT_FALSE(got) << text;
    EXPECT_TRUE(got.error().message.contains(says)) << got.error().message;
    EXPECT_TRUE(got.error().message.contains("/f")) << got.error().message;
    EXPECT_FALSE(got.error().message.contains('\n'));
  }
}

// Variables for load_connection, which takes a plain function.
std::map<std::string, std::string> variables;

const char* lookup(const char* name) {
  const auto found = variables.find(name);
  return found == variables.end() ? nullptr : found->second.c_str();
}

struct places {
  places() { variables.clear(); }
  result<connection_config> load(const std::string& flag = "", const std::string& context = "") const {
    return load_connection(flag, context, lookup, folder.path("account"));
  }
  // A kubeconfig whose server tells where it was found.
  std::string file(const std::string& name) const {
    return folder.write(name, config("server: 'https://" + name + "'", "token: x"));
  }
  void be_in_a_pod(const std::string& host) const {
    std::filesystem::create_directory(folder.path("account"));
    folder.write("account/token", "t");
    variables["KUBERNETES_SERVICE_HOST"] = host;
    variables["KUBERNETES_SERVICE_PORT"] = "6443";
  }
  void have_a_home() const {
    std::filesystem::create_directories(folder.path("home/.kube"));
    std::filesystem::copy_file(file("home-config"), folder.path("home/.kube/config"));
    variables["HOME"] = folder.path("home");
  }
  test::temporary_folder folder;
};

TEST(load_connection, takes_the_flag_then_the_pod_then_the_variable_then_the_home) {
  const places at;
  const auto server = [&](const std::string& flag) {
    const auto got = at.load(flag);
    return got ? got->server : got.error().message;
  };
  EXPECT_TRUE(server("").contains("no API server is known"));
  at.have_a_home();
  EXPECT_EQ(server(""), "https://home-config");
  variables["KUBECONFIG"] = at.file("variable");
  EXPECT_EQ(server(""), "https://variable");
  at.be_in_a_pod("10.0.0.1");
  EXPECT_EQ(server(""), "https://10.0.0.1:6443");
  EXPECT_EQ(server(at.file("flag")), "https://flag");
}

TEST(load_connection, merges_the_files_of_the_variable_and_passes_over_missing_and_empty_ones) {
  const places at;
  at.folder.write("empty", "");
  at.folder.write("first", "clusters: [{name: k, cluster: {server: 'https://first'}}]");
  variables["KUBECONFIG"] = at.folder.path("missing") + "::" + at.folder.path("empty") + ":" +
                            at.folder.path("first") + ":" + at.file("second");
  const auto got = at.load();
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->server, "https://first");
  EXPECT_EQ(got->token, "x");
}

TEST(load_connection, names_the_file_that_is_not_there) {
  const places at;
  const auto missing = at.folder.path("missing");
  EXPECT_TRUE(at.load(missing).error().message.contains(missing));
  variables["KUBECONFIG"] = missing;
  EXPECT_TRUE(at.load().error().message.contains(missing));
}

TEST(load_connection, chooses_another_context) {
  const places at;
  const auto got = at.load(at.file("flag"), "other");
  ASSERT_FALSE(got);
  EXPECT_TRUE(got.error().message.contains("\"other\" in contexts")) << got.error().message;
}

TEST(load_connection, in_a_pod_takes_the_accounts_files) {
  const places at;
  at.be_in_a_pod("fd00::1");
  auto got = at.load();
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->server, "https://[fd00::1]:6443");
  EXPECT_EQ(got->token_file, at.folder.path("account/token"));
  EXPECT_EQ(got->certificate_authority.file, at.folder.path("account/ca.crt"));
  EXPECT_EQ(got->default_namespace, "");
  at.folder.write("account/namespace", "egress\n");
  EXPECT_EQ(at.load()->default_namespace, "egress");
}

TEST(load_connection, is_in_no_pod_without_a_token) {
  const places at;
  at.be_in_a_pod("10.0.0.1");
  std::filesystem::remove(at.folder.path("account/token"));
  EXPECT_FALSE(at.load());
}

}  // namespace
}  // namespace egress::kube
