// The program, read from top to bottom: what the command line says, then that command's steps. Exit codes: 0
// done, 1 refused or failed, 2 wrong usage.

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "runtime/base/log.hpp"
#include "runtime/kube/kubeconfig.hpp"
#include "runtime/program/descriptors.hpp"
#include "runtime/program/dev.hpp"
#include "runtime/program/files.hpp"
#include "runtime/program/memory.hpp"
#include "runtime/program/operator.hpp"
#include "runtime/program/signals.hpp"
#include "runtime/program/version.hpp"

namespace egress {
namespace {

constexpr int failed = 1, wrong_usage = 2;

const char* environment(const char* name) {
  return std::getenv(name);
}

int complain(const error& what, int code) {
  std::fprintf(stderr, "egress-operator: %s\n", what.message.c_str());
  return code;
}

// A file that is cut short must not look like one that is whole.
int print(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return 0;
  return complain({std::string{"standard output cannot be written: "} + std::strerror(errno)}, failed);
}

// Serves until a signal or a failure ends it.
int serve(operator_setup setup, const caught_signals& caught) {
  auto started = egress_operator::start(std::move(setup));
  if (!started) return complain(started.error(), wrong_usage);
  auto& running = **started;
  log::info("serving", {{"dns", running.dns_address()}, {"metrics", running.metrics_address()}});
  const shutdown_signals signals(caught, [&running] { running.shutdown(); });
  return running.wait();
}

int perform(const run_options& options) {
  log::configure(options.log);
  auto api = kube::load_connection(options.kubeconfig, options.context, environment);
  if (!api) return complain(api.error(), wrong_usage);
  log::info("starting", {{"version", version()}, {"server", api->server}});
  return serve({options, std::move(*api), {}, version()}, caught_signals{});
}

int perform(const dev_options& options) {
  log::configure(options.run.log);
  auto ready = start_dev(options);
  if (!ready) return complain(ready.error(), wrong_usage);
  if (options.api_only) return (*ready)->wait_for_signal();
  auto setup = (*ready)->operator_to_run();
  setup.version = version();
  return serve(std::move(setup), (*ready)->caught());
}

int perform(const render_options& options) {
  auto text = render_files(options);
  if (!text) return complain(text.error().why, text.error().exit_code);
  return print(*text);
}

int perform(const validate_options& options) {
  auto report = validate_files(options);
  if (!report) return complain(report.error().why, report.error().exit_code);
  const auto printed = print(report->text);
  return report->refused ? failed : printed;
}

int perform(const version_options&) {
  return print(versions());
}

int perform(const help_options& help) {
  return print(help.text);
}

}  // namespace
}  // namespace egress

int main(int count, char** words) {
  egress::set_up_memory();
  egress::raise_descriptor_limit();
  egress::ignore_broken_pipes();
  const auto asked = egress::parse_command_line({words + 1, words + count}, egress::environment);
  if (!asked) return egress::complain(asked.error(), egress::wrong_usage);
  try {
    return std::visit([](const auto& command) { return egress::perform(command); }, *asked);
  } catch (const std::exception& e) {
    return egress::complain({std::string{"it cannot go on: "} + e.what()}, egress::failed);
  }
}
