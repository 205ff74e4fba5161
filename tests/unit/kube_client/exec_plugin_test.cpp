// Exec plugins as shell scripts: good, failing, hanging, lying.

#include "runtime/kube/exec_plugin.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <thread>

#include "tests/support/run_awaitable.hpp"
#include "tests/support/temporary_folder.hpp"

namespace egress::kube {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

const std::string v1 = "client.authentication.k8s.io/v1";

std::string credential(const std::string& status, const std::string& api_version = v1) {
  return R"({"apiVersion":")" + api_version + R"(","kind":"ExecCredential","status":)" + status + "}";
}

struct fixture {
  result<exec_credential> run(const std::string& script, milliseconds limit = 30s) {
    plugin.api_version = v1;
    plugin.command = folder.write_program("plugin", "#!/bin/sh\n" + script + "\n");
    return test::run(io, run_exec_plugin(io.get_executor(), plugin, limit));
  }
  std::string error_of(const std::string& script, milliseconds limit = 30s) {
    const auto got = run(script, limit);
    return got ? "no error" : got.error().message;
  }
  test::temporary_folder folder;
  boost::asio::io_context io;
  exec_plugin plugin;
};

TEST(exec_plugin_run, gives_the_credential_that_the_plugin_prints) {
  fixture f;
  const auto got =
      f.run("echo '" + credential(R"({"token":"t","expirationTimestamp":"2030-01-02T03:04:05Z"})") + "'");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->token, "t");
  EXPECT_EQ(got->ends, from_rfc3339("2030-01-02T03:04:05Z"));
}

// As it is where `trap '' CHLD` was said before this program was started.
TEST(exec_plugin_run, works_where_the_kernel_reaps_all_children) {
  const auto before = ::signal(SIGCHLD, SIG_IGN);
  fixture f;
  const auto got = f.run("echo '" + credential(R"({"token":"t"})") + "'");
  ::signal(SIGCHLD, before);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->token, "t");
}

TEST(exec_plugin_run, hands_over_arguments_variables_and_what_is_asked_for) {
  fixture f;
  f.plugin.args = {"a b", "$HOME"};
  f.plugin.env = {{"EGRESS_TEST_VARIABLE", "v"}};
  ASSERT_TRUE(
      f.run("printf '%s|' \"$@\" \"$EGRESS_TEST_VARIABLE\" \"$KUBERNETES_EXEC_INFO\" > \"$0.seen\"\ncat >> "
            "\"$0.seen\"\necho '" +
            credential(R"({"token":"t"})") + "'"));
  std::ifstream in(f.folder.path("plugin.seen"));
  const std::string seen{std::istreambuf_iterator<char>(in), {}};
  EXPECT_TRUE(seen.starts_with("a b|$HOME|v|{")) << seen;
  EXPECT_TRUE(seen.contains(v1)) << seen;
  EXPECT_TRUE(seen.ends_with("}|")) << "stdin is not empty: " << seen;
}

TEST(exec_plugin_run, tells_the_exit_code_and_the_first_line_of_stderr) {
  fixture f;
  const auto says = f.error_of("echo 'log in first' >&2; echo 'a stack trace' >&2; exit 3");
  EXPECT_TRUE(says.ends_with("failed with exit code 3: log in first")) << says;
}

TEST(exec_plugin_run, reads_stderr_beyond_what_a_pipe_holds) {
  fixture f;
  EXPECT_TRUE(
      f.run("head -c 300000 /dev/zero | tr '\\0' x >&2\necho '" + credential(R"({"token":"t"})") + "'"));
}

TEST(exec_plugin_run, is_refused_what_is_too_long) {
  fixture f;
  const auto says = f.error_of("exec cat /dev/zero");
  EXPECT_TRUE(says.contains("prints more than 1048576 bytes")) << says;
}

TEST(exec_plugin_run, says_how_to_install_a_plugin_that_is_missing) {
  fixture f;
  f.plugin.command = f.folder.path("missing");
  f.plugin.install_hint = "install it from there";
  const auto got = test::run(f.io, run_exec_plugin(f.io.get_executor(), f.plugin));
  ASSERT_FALSE(got);
  EXPECT_TRUE(got.error().message.ends_with("No such file or directory; install it from there"))
      << got.error().message;
}

// Gone, or a zombie that whoever adopted it has not looked at yet.
bool has_ended(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto name_end = text.rfind(')');
  return name_end == std::string::npos || text.substr(name_end + 2, 1) == "Z";
}

void expect_end_of(pid_t child) {
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (!has_ended(child) && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(has_ended(child));
}

TEST(exec_plugin_run, kills_a_hanging_plugin_with_its_children) {
  fixture f;
  const auto began = std::chrono::steady_clock::now();
  // The limit leaves time for the shell to start even on a busy machine.
  const auto says = f.error_of("sleep 600 & echo $! > \"$0.child\"; wait", 2s);
  EXPECT_TRUE(says.ends_with("not done after 2 s")) << says;
  EXPECT_LT(std::chrono::steady_clock::now() - began, 60s);
  pid_t child = 0;
  ASSERT_TRUE(std::ifstream(f.folder.path("plugin.child")) >> child);
  expect_end_of(child);
}

// A plugin with a child, under way.
struct hanging {
  hanging() {
    plugin.api_version = v1;
    plugin.command = folder.write_program(
        "plugin", "#!/bin/sh\nsleep 600 & echo $! > \"$0.tmp\"; mv \"$0.tmp\" \"$0.child\"; wait\n");
    asio::co_spawn(*io, run_exec_plugin(io->get_executor(), plugin, 60s),
                   asio::bind_cancellation_slot(
                       signal.slot(), [this](const std::exception_ptr& thrown, result<exec_credential> got) {
                         EXPECT_FALSE(thrown);
                         says = got ? "no error" : got.error().message;
                       }));
    // The executor is free meanwhile: it is this loop that makes it go on.
    while (!std::filesystem::exists(folder.path("plugin.child"))) io->run_for(1ms);
    EXPECT_TRUE(std::ifstream(folder.path("plugin.child")) >> child);
  }
  test::temporary_folder folder;
  exec_plugin plugin;
  asio::cancellation_signal signal;
  std::optional<asio::io_context> io{std::in_place};
  std::string says;
  pid_t child = 0;
};

TEST(exec_plugin_run, kills_the_plugin_with_its_children_when_it_is_cancelled) {
  hanging one;
  one.signal.emit(asio::cancellation_type::terminal);
  one.io->run();
  EXPECT_TRUE(one.says.ends_with(": cancelled")) << one.says;
  expect_end_of(one.child);
}

TEST(exec_plugin_run, kills_the_plugin_with_its_children_when_its_executor_ends) {
  hanging one;
  one.io.reset();
  expect_end_of(one.child);
}

TEST(exec_plugin_run, shows_what_it_printed_that_is_no_credential) {
  fixture f;
  const auto says = f.error_of("echo 'please log in'; echo 'a hint' >&2");
  EXPECT_TRUE(says.contains("no JSON object")) << says;
  EXPECT_TRUE(says.ends_with("a hint")) << says;
  EXPECT_FALSE(says.contains('\n')) << says;
}

TEST(exec_plugin_run, says_nothing_of_installing_a_plugin_that_is_there) {
  fixture f;
  f.plugin.install_hint = "install it from there";
  EXPECT_FALSE(f.error_of("exit 1").contains("install"));
  EXPECT_FALSE(f.error_of("exec sleep 600", 100ms).contains("install"));
}

TEST(exec_plugin_run, does_not_wait_for_who_left_the_group) {
  fixture f;
  const auto began = std::chrono::steady_clock::now();
  const auto says = f.error_of("setsid sh -c 'echo $$ > \"$1.child\"; exec sleep 30' x \"$0\" & wait", 2s);
  EXPECT_TRUE(says.ends_with("not done after 2 s")) << says;
  EXPECT_LT(std::chrono::steady_clock::now() - began, 25s);
  pid_t child = 0;
  if (std::ifstream(f.folder.path("plugin.child")) >> child) kill(child, SIGKILL);
}

TEST(exec_credential, is_refused_when_it_is_not_what_was_asked_for) {
  const struct {
    std::string text, says;
  } table[] = {
      {"token", "no JSON object"},
      {"{}", "no ExecCredential"},
      {credential(R"({"token":"t"})", "client.authentication.k8s.io/v1beta1"), "v1beta1\" where"},
      {R"({"apiVersion":")" + v1 + R"(","kind":"ExecCredential"})", "no status"},
      {credential("{}"), "neither a token nor a certificate"},
      {credential(R"({"clientCertificateData":"c"})"), "only one of certificate and key"},
      {credential(R"({"token":"t","clientKeyData":"k"})"), "only one of certificate and key"},
      {credential(R"({"token":"t","expirationTimestamp":"soon"})"), "no RFC 3339 time"},
  };
  for (const auto& [text, says] : table) {
    const auto got = parse_exec_credential(text, v1);
    ASSERT_FALSE(got) << text;
    EXPECT_TRUE(got.error().message.contains(says)) << got.error().message;
  }
}

}  // namespace
}  // namespace egress::kube
