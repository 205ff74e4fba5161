#include "runtime/kube/exec_plugin.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstring>
#include <vector>

#include "runtime/kube/json_text.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): unistd.h declares it for GNU only

namespace egress::kube {

namespace asio = boost::asio;

namespace {

constexpr seconds longest_run{30};
constexpr std::size_t longest_output = 1 << 20;
constexpr auto tuple_awaitable = asio::as_tuple(asio::use_awaitable);

std::string text_of(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  return found && found->is_string() ? std::string{found->get_string()} : "";
}

std::vector<std::string> environment_of(const exec_plugin& what) {
  std::vector<std::string> all;
  for (char** one = environ; *one; ++one) {
    const std::string_view entry{*one};
    const auto key = entry.substr(0, entry.find('='));
    if (!what.env.contains(std::string{key}) && key != "KUBERNETES_EXEC_INFO") all.emplace_back(entry);
  }
  for (const auto& [key, value] : what.env) all.push_back(key + "=" + value);
  all.push_back("KUBERNETES_EXEC_INFO=" +
                json::to_text(json::object{{"apiVersion", what.api_version},
                                           {"kind", "ExecCredential"},
                                           {"spec", json::object{{"interactive", false}}}}));
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& one : texts) all.push_back(one.data());
  all.push_back(nullptr);
  return all;
}

struct child_process {
  pid_t pid = -1;
  int output = -1;
};

result<child_process> start(const exec_plugin& what) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return fail("exec plugin {}: no pipe: {}", what.command, std::strerror(errno));
  std::vector<std::string> arguments{what.command};
  arguments.insert(arguments.end(), what.args.begin(), what.args.end());
  auto environment = environment_of(what);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  child_process made;
  const int code = posix_spawnp(&made.pid, what.command.c_str(), &actions, nullptr,
                                pointers_to(arguments).data(), pointers_to(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (code != 0) {
    close(ends[0]);
    return fail("exec plugin {}: {}{}{}", what.command, std::strerror(code),
                what.install_hint.empty() ? "" : "; ", what.install_hint);
  }
  made.output = ends[0];
  return made;
}

// The exit status, without waiting for longer than it takes to look; a plugin that closed its output ends.
asio::awaitable<int> reap(asio::any_io_executor on, pid_t pid) {
  asio::steady_timer pause(on);
  for (int waited = 0;; ++waited) {
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) == pid) co_return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    if (waited == 200) kill(pid, SIGKILL);
    pause.expires_after(milliseconds{10});
    co_await pause.async_wait(tuple_awaitable);
  }
}

}  // namespace

result<exec_credential> parse_exec_credential(std::string_view text, std::string_view api_version) {
  const auto whole = json::parse_object(text);
  if (!whole) return fail("its output is no JSON object: {}", whole.error().message);
  if (text_of(*whole, "kind") != "ExecCredential") return fail("its output is no ExecCredential");
  if (text_of(*whole, "apiVersion") != api_version)
    return fail("it answers with apiVersion {:?} where {:?} is configured", text_of(*whole, "apiVersion"),
                api_version);
  const auto* status = whole->if_contains("status");
  if (!status || !status->is_object()) return fail("its ExecCredential has no status");
  const auto& from = status->get_object();
  exec_credential made{
      text_of(from, "token"), text_of(from, "clientCertificateData"), text_of(from, "clientKeyData"), {}};
  if (made.token.empty() && made.certificate.empty())
    return fail("it gives neither a token nor a certificate");
  if (made.certificate.empty() != made.key.empty()) return fail("it gives only one of certificate and key");
  if (const auto ends = text_of(from, "expirationTimestamp"); !ends.empty()) {
    made.ends = from_rfc3339(ends);
    if (!made.ends) return fail("its expirationTimestamp {:?} is no RFC 3339 time", ends);
  }
  return made;
}

asio::awaitable<result<exec_credential>> run_exec_plugin(asio::any_io_executor on, exec_plugin what) {
  auto child = start(what);
  if (!child) co_return std::unexpected(child.error());
  asio::posix::stream_descriptor output(on, child->output);
  asio::steady_timer limit(on, longest_run);
  const auto pid = child->pid;
  limit.async_wait([pid](const boost::system::error_code& cancelled) {
    if (!cancelled) kill(pid, SIGKILL);
  });
  std::string text;
  std::string piece(4096, '\0');
  boost::system::error_code ended;
  while (!ended && text.size() < longest_output) {
    std::size_t bytes = 0;
    std::tie(ended, bytes) = co_await output.async_read_some(asio::buffer(piece), tuple_awaitable);
    text.append(piece, 0, bytes);
  }
  output.close();
  const int status = co_await reap(on, pid);
  const bool too_long = limit.cancel() == 0;
  if (too_long) co_return fail("exec plugin {}: not done after {} s", what.command, longest_run.count());
  if (status != 0) co_return fail("exec plugin {}: it failed with exit code {}", what.command, status);
  auto made = parse_exec_credential(text, what.api_version);
  if (!made) co_return fail("exec plugin {}: {}", what.command, made.error().message);
  co_return std::move(*made);
}

}  // namespace egress::kube
