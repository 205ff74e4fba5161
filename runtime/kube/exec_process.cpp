#include "runtime/kube/exec_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include "runtime/base/result.hpp"
#include "runtime/kube/is_cancelled.hpp"
#include "runtime/kube/status_error.hpp"
#include "runtime/net/unique_fd.hpp"

namespace egress::kube {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t longest_output = 1U << 20U;
constexpr std::size_t longest_complaint = 4096;
constexpr auto tuple_awaitable = asio::as_tuple(asio::use_awaitable);

struct pipe_ends {
  unique_fd read, write;
};

result<pipe_ends> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail("no pipe: {}", std::strerror(errno));
  return pipe_ends{unique_fd(ends[0]), unique_fd(ends[1])};
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& one : texts) all.push_back(one.data());
  all.push_back(nullptr);
  return all;
}

struct spawn_settings {
  spawn_settings() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    // A program of its own: our blocked and ignored signals are not its business.
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~spawn_settings() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  spawn_settings(const spawn_settings&) = delete;
  spawn_settings& operator=(const spawn_settings&) = delete;

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
};

// The program under way. Shared with the handlers of its timer and its stderr, which may run late.
class running : public std::enable_shared_from_this<running> {
 public:
  running(const asio::any_io_executor& on, pid_t pid, unique_fd out, unique_fd err)
      : output(on, out.release()), errors_(on, err.release()), limit_(on), pause_(on), pid_(pid) {}

  void begin(milliseconds limit) {
    limit_.expires_after(limit);
    limit_.async_wait([self = shared_from_this()](const error_code& cancelled) {
      if (cancelled || self->reaped_) return;
      self->too_long_ = true;
      self->kill_group();
      // Who left the group may hold the pipe open still.
      self->output.cancel();
    });
    listen();
  }

  // Until its first process is reaped the group's id is not given to anyone else.
  void kill_group() { kill(-pid_, SIGKILL); }

  // The exit status. Waits for it, cancelled or not: a cancelled wait kills, and what is killed ends.
  asio::awaitable<int> reap() {
    for (;;) {
      int status = 0;
      const auto ended = waitpid(pid_, &status, WNOHANG);
      if (ended == pid_) {
        reaped_ = true;
        co_return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
      // The kernel has reaped it: whoever started this process ignores SIGCHLD. How it ended nobody knows;
      // what it printed is looked at.
      if (ended < 0 && errno == ECHILD) {
        reaped_ = true;
        co_return 0;
      }
      pause_.expires_after(milliseconds{10});
      auto [cancelled] = co_await pause_.async_wait(tuple_awaitable);
      if (cancelled) kill_group();
    }
  }

  // Lets go of everything. The program lives still only when the coroutine is destroyed.
  void end() {
    if (!reaped_) {
      kill_group();
      waitpid(pid_, nullptr, 0);
      reaped_ = true;
    }
    limit_.cancel();
    error_code ignored;
    output.close(ignored);
    errors_.close(ignored);
  }

  bool too_long() const { return too_long_; }

  // What it printed to stderr, all of it once the program is reaped.
  std::string complaint() {
    error_code none_left;
    errors_.non_blocking(true, none_left);
    while (!none_left && complaint_.size() < longest_complaint)
      note(errors_.read_some(asio::buffer(piece_), none_left));
    const auto begin = complaint_.find_first_not_of("\r\n");
    return begin == std::string::npos
               ? ""
               : one_line(complaint_.substr(begin, complaint_.find('\n', begin) - begin), 200);
  }

  asio::posix::stream_descriptor output;

 private:
  void note(std::size_t bytes) {
    complaint_.append(piece_.data(), std::min(bytes, longest_complaint - complaint_.size()));
  }

  // Reads stderr beside stdout: a pipe that nobody reads would stop the program.
  void listen() {
    errors_.async_read_some(asio::buffer(piece_),
                            [self = shared_from_this()](const error_code& ended, std::size_t bytes) {
                              self->note(bytes);
                              if (!ended) self->listen();
                            });
  }

  asio::posix::stream_descriptor errors_;
  asio::steady_timer limit_, pause_;
  pid_t pid_;
  bool reaped_ = false, too_long_ = false;
  std::string complaint_;
  std::array<char, 4096> piece_{};
};

struct ended_at_the_end {
  std::shared_ptr<running> program;
  ~ended_at_the_end() { program->end(); }
};

result<std::shared_ptr<running>> start(const asio::any_io_executor& on, std::vector<std::string>& arguments,
                                       std::vector<std::string>& environment) {
  auto out = make_pipe();
  if (!out) return std::unexpected(out.error());
  auto err = make_pipe();
  if (!err) return std::unexpected(err.error());
  spawn_settings with;
  posix_spawn_file_actions_addopen(&with.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&with.files, out->write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&with.files, err->write.get(), STDERR_FILENO);
  pid_t pid = -1;
  const int code = posix_spawnp(&pid, arguments.front().c_str(), &with.files, &with.attributes,
                                pointers_to(arguments).data(), pointers_to(environment).data());
  if (code != 0) return fail("{}", std::strerror(code));
  return std::make_shared<running>(on, pid, std::move(out->read), std::move(err->read));
}

}  // namespace

asio::awaitable<std::expected<program_outcome, program_failure>> run_program(
    asio::any_io_executor on, std::vector<std::string> arguments, std::vector<std::string> environment,
    milliseconds limit) {
  // Who is cancelled has a program to kill before it ends.
  co_await asio::this_coro::throw_if_cancelled(false);
  auto started = start(on, arguments, environment);
  if (!started) co_return std::unexpected(program_failure{false, started.error().message});
  const ended_at_the_end guard{std::move(*started)};
  auto& program = *guard.program;
  program.begin(limit);
  program_outcome made;
  std::string piece(4096, '\0');
  error_code ended;
  while (!ended && made.output.size() <= longest_output) {
    std::size_t bytes = 0;
    std::tie(ended, bytes) = co_await program.output.async_read_some(asio::buffer(piece), tuple_awaitable);
    made.output.append(piece, 0, bytes);
  }
  if (ended != asio::error::eof) program.kill_group();
  made.status = co_await program.reap();
  const auto failed = [](std::string why) { return std::unexpected(program_failure{true, std::move(why)}); };
  if (program.too_long())
    co_return failed(fmt::format("not done after {} s", std::chrono::duration<double>(limit).count()));
  if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return failed("cancelled");
  if (made.output.size() > longest_output)
    co_return failed(fmt::format("it prints more than {} bytes", longest_output));
  made.complaint = program.complaint();
  co_return made;
}

}  // namespace egress::kube
