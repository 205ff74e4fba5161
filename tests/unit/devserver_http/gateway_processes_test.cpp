// Gateways as processes, with programs in Envoy's place that do what the test wants.

#include "runtime/devserver/gateway_processes.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <thread>

#include "runtime/devserver/child_process.hpp"
#include "runtime/devserver/config_volume.hpp"
#include "runtime/devserver/tree.hpp"
#include "runtime/net/listen.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/devserver_http/fixture.hpp"
#include "tests/unit/devserver_http/http_peer.hpp"

namespace egress::dev::test {
namespace {

using testing::HasSubstr;

std::string text_in(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Looks again and again; false when it does not become true in ten seconds.
template <class Condition>
bool becomes_true(Condition condition) {
  for (const auto end = std::chrono::steady_clock::now() + seconds{10}; !condition();) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds{5});
  }
  return true;
}

TEST(child_process, writes_both_outputs_to_the_file) {
  const egress::test::temporary_folder folder;
  const auto log = folder.write("log", "before\n");
  const auto child = start_child({"/bin/sh", "-c", "echo out; echo err >&2; cat; exit 3"}, log);
  ASSERT_TRUE(child) << child.error().message;
  int status = 0;
  ASSERT_EQ(waitpid(child->pid, &status, 0), child->pid);
  EXPECT_EQ(WEXITSTATUS(status), 3);
  EXPECT_EQ(text_in(log), "before\nout\nerr\n");
}

TEST(child_process, leads_a_group_of_its_own_and_has_no_descriptor_of_ours) {
  const egress::test::temporary_folder folder;
  const auto listening = net::listen_tcp("127.0.0.1:0").value();
  const unique_fd inheritable(::dup(listening.fd.get()));
  const auto child =
      start_child({"/bin/sh", "-c", "ls -l /proc/$$/fd; ps -o pgid= -p $$"}, folder.path("log"));
  ASSERT_TRUE(child) << child.error().message;
  ASSERT_EQ(waitpid(child->pid, nullptr, 0), child->pid);
  const auto said = text_in(folder.path("log"));
  EXPECT_THAT(said, testing::Not(HasSubstr("socket:")));
  EXPECT_THAT(said, HasSubstr(std::to_string(child->pid) + "\n"));
}

TEST(child_process, that_cannot_be_run_says_so_in_the_file) {
  const egress::test::temporary_folder folder;
  const auto child = start_child({folder.path("nothing")}, folder.path("log"));
  ASSERT_TRUE(child) << child.error().message;
  int status = 0;
  ASSERT_EQ(waitpid(child->pid, &status, 0), child->pid);
  EXPECT_EQ(WEXITSTATUS(status), 127);
  EXPECT_EQ(text_in(folder.path("log")),
            folder.path("nothing") + ": it cannot be run: No such file or directory\n");
}

TEST(child_process, without_a_file_to_write_to_is_an_error) {
  const egress::test::temporary_folder folder;
  EXPECT_FALSE(start_child({"/bin/true"}, folder.path("no/log")));
}

// What we do at a signal is not for the child to do before it has become its program.
TEST(child_process, takes_a_signal_as_its_own_from_the_first_moment) {
  const egress::test::temporary_folder folder;
  static volatile sig_atomic_t ours = 0;
  const auto before = signal(SIGTERM, [](int) { ours = 1; });
  for (int i = 0; i < 50; ++i) {
    const auto child = start_child({"/bin/sleep", "1000"}, folder.path("log"));
    ASSERT_TRUE(child) << child.error().message;
    EXPECT_EQ(kill(-child->pid, SIGTERM), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child->pid, &status, 0), child->pid);
    EXPECT_EQ(WTERMSIG(status), SIGTERM);
  }
  signal(SIGTERM, before);
  EXPECT_EQ(ours, 0);
}

TEST(child_process, dies_with_the_thread_that_started_it) {
  const egress::test::temporary_folder folder;
  result<child_process> child;
  bool ran = false;
  std::thread([&] {
    child = start_child({"/bin/sh", "-c", "echo up; exec sleep 1000"}, folder.path("log"));
    ran = becomes_true([&] { return text_in(folder.path("log")) == "up\n"; });
  }).join();
  ASSERT_TRUE(child) << child.error().message;
  ASSERT_TRUE(ran);
  int status = 0;
  ASSERT_EQ(waitpid(child->pid, &status, 0), child->pid);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

// As a kubelet does it, which readers of the folder depend on.
TEST(config_volume, swaps_all_files_by_one_link) {
  const egress::test::temporary_folder folder;
  config_volume volume(folder.path("v"));
  ASSERT_TRUE(volume.update({{"a", "1"}, {"b", "1"}}));
  EXPECT_EQ(text_in(volume.folder() + "/a") + text_in(volume.folder() + "/b"), "11");
  const std::filesystem::path top(volume.folder());
  EXPECT_EQ(std::filesystem::read_symlink(top / "a"), "..data/a");
  const auto first = std::filesystem::read_symlink(top / "..data");
  ASSERT_TRUE(volume.update({{"a", "2"}, {"b", "2"}, {"c", "2"}}));
  EXPECT_NE(std::filesystem::read_symlink(top / "..data"), first);
  EXPECT_FALSE(std::filesystem::exists(top / first));
  EXPECT_EQ(text_in(volume.folder() + "/a") + text_in(volume.folder() + "/c"), "22");
}

TEST(config_volume, begins_anew_and_says_when_it_cannot) {
  const egress::test::temporary_folder folder;
  ASSERT_TRUE(config_volume(folder.path("v")).update({{"a", "1"}}));
  config_volume again(folder.path("v"));
  ASSERT_TRUE(again.update({{"b", "1"}}));
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(again.folder()) / "a"));
  const auto refused = config_volume(folder.write("file", "") + "/v").update({{"a", "1"}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("file/v"));
}

constexpr const char* web_server = R"(#!/usr/bin/env python3
import http.server, json, sys
at = json.load(open(sys.argv[2]))["staticResources"]["listeners"][0]["address"]["socketAddress"]
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/ready" else 503)
        self.end_headers()
print(*sys.argv[3:], flush=True)
http.server.HTTPServer((at["address"], at["portValue"]), Answer).serve_forever()
)";

struct gateway_server : testing::Test {
  // The program is a script.
  void start(const std::string& script, milliseconds grace = seconds{10}) {
    dev_server_options options;
    // Other runs of this test have other addresses.
    options.cluster.cluster_ip_range = "127.64." + std::to_string(getpid() % 256) + ".0/24";
    options.cluster.run_gateways.emplace();
    options.envoy = {folder.write_program("envoy", script), folder.path(), grace};
    server = dev_server::start(options, nothing_set).value();
    apply(
        R"("v1","kind":"ConfigMap")",
        R"("data":{"envoy.yaml":"staticResources: {listeners: [{address: {socketAddress: {portValue: 11000}}}]}"})");
    apply(R"("v1","kind":"Service")", R"("spec":{"ports":[{"port":443}]})");
    scale(2);
  }
  void apply(const std::string& kind, const std::string& rest) {
    const auto applied = server->apply(parsed(
        R"({"apiVersion":)" + kind + R"(,"metadata":{"name":"d","namespace":"default"},)" + rest + "}"));
    ASSERT_TRUE(applied) << applied.error().message;
  }
  void scale(int replicas) {
    apply(
        R"("apps/v1","kind":"Deployment")",
        R"("spec":{"replicas":)" + std::to_string(replicas) +
            R"(,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b",)"
            R"("egress.monzo.com/gateway":"d"}},"spec":{"containers":[{"name":"c","image":"i","readinessProbe":)"
            R"({"httpGet":{"path":"/ready","port":11000}}}]}}})");
  }
  bool becomes_ready(std::int64_t replicas) {
    return becomes_true([&] {
      return replicas == server->run([](cluster& on, fault_table&) {
        return number_at(*on.objects().find(kinds::deployments(), {"default", "d"}),
                         {"status", "readyReplicas"});
      });
    });
  }
  std::string log() const { return text_in(folder.path("d.default.log")); }

  egress::test::temporary_folder folder;
  std::unique_ptr<dev_server> server;
};

TEST_F(gateway_server, is_ready_when_the_process_says_so) {
  start(web_server);
  EXPECT_TRUE(becomes_ready(2));
  EXPECT_EQ(log().substr(0, log().find('\n')), "--concurrency 1 --disable-hot-restart");
  EXPECT_THAT(text_in(folder.path("d.default.json")), HasSubstr("enableReusePort"));
  scale(0);
  EXPECT_TRUE(becomes_ready(0));
  scale(3);
  EXPECT_TRUE(becomes_ready(3));
}

TEST_F(gateway_server, gives_a_process_that_follows_its_files_new_ones) {
  start("#!/bin/sh\necho $$\necho $2\nexec sleep 1000\n");
  ASSERT_TRUE(becomes_true([&] { return log().ends_with("d.default.json\n"); }));
  const auto first = std::stoi(log());
  const auto deliver = [&](const std::string& resources) {
    apply(R"("v1","kind":"ConfigMap")",
          R"("data":{"envoy.yaml":"staticResources: {listeners: []}\npath: /etc/envoy/lds.yaml",)"
          R"("lds.yaml":"resources: [)" +
              resources + R"(]"})");
  };
  deliver("{name: first}");
  scale(0);
  ASSERT_TRUE(becomes_true([&] { return kill(first, 0) == -1; }));
  scale(2);
  const auto inside = folder.path("d.default");
  ASSERT_TRUE(becomes_true([&] { return log().ends_with(inside + "/envoy.yaml\n"); }));
  EXPECT_THAT(text_in(inside + "/envoy.yaml"), HasSubstr(inside + "/lds.yaml"));
  EXPECT_THAT(text_in(inside + "/lds.yaml"), HasSubstr("first"));
  const auto starts = log();
  deliver("{name: second}");
  EXPECT_TRUE(becomes_true([&] { return text_in(inside + "/lds.yaml").contains("second"); }));
  EXPECT_EQ(log(), starts);
}

TEST_F(gateway_server, starts_what_was_killed_again) {
  start("#!/bin/sh\necho pid $$\nexec sleep 1000\n");
  ASSERT_TRUE(becomes_true([&] { return log().ends_with("\n"); }));
  kill(std::stoi(log().substr(4)), SIGKILL);
  EXPECT_TRUE(becomes_true([&] { return std::ranges::count(log(), '\n') == 2; }));
}

TEST_F(gateway_server, ends_its_gateways_when_it_stops) {
  start("#!/bin/sh\necho pid $$\nexec sleep 1000\n");
  ASSERT_TRUE(becomes_true([&] { return log().ends_with("\n"); }));
  const auto pid = std::stoi(log().substr(4));
  server->stop();
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST_F(gateway_server, kills_what_does_not_end) {
  start("#!/bin/sh\ntrap '' TERM\necho pid $$\nwhile :; do sleep 1000; done\n", milliseconds{50});
  ASSERT_TRUE(becomes_true([&] { return log().ends_with("\n"); }));
  const auto pid = std::stoi(log().substr(4));
  server->stop();
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST_F(gateway_server, goes_on_when_the_program_is_gone) {
  start("#!/nowhere\n");
  EXPECT_TRUE(becomes_ready(0));
  folder.write_program("envoy", web_server);
  EXPECT_TRUE(becomes_ready(2));
}

}  // namespace
}  // namespace egress::dev::test
