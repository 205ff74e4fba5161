#include "runtime/devserver/child_process.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

namespace egress::dev {
namespace {

struct preparation {
  std::vector<char*> arguments;
  int input = -1, output = -1;
  pid_t parent = -1;
};

void complain(const char* text) {
  static_cast<void>(!write(STDERR_FILENO, text, strlen(text)));
}

// Between fork and exec in a program with threads: nothing here takes a lock or memory. All signals are
// blocked: one that is meant for the child waits until it is that.
[[noreturn]] void become(const preparation& with) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Whoever died before that line sends no signal any more.
  if (getppid() != with.parent) _exit(127);
  for (int one = 1; one < NSIG; ++one) signal(one, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(with.input, STDIN_FILENO);
  dup2(with.output, STDOUT_FILENO);
  dup2(with.output, STDERR_FILENO);
  // Our connections, which Asio accepts without CLOEXEC, would stay open with it.
  close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC);
  execv(with.arguments.front(), with.arguments.data());
  const char* const why = strerrordesc_np(errno);
  for (const char* const part : {static_cast<const char*>(with.arguments.front()),
                                 ": it cannot be run: ", why == nullptr ? "" : why, "\n"})
    complain(part);
  _exit(127);
}

// Not posix_spawn: it cannot tie the program's life to ours.
pid_t fork_with_signals_blocked(const preparation& with) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto pid = fork();
  if (pid == 0) become(with);
  const int why = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = why;
  return pid;
}

}  // namespace

result<child_process> start_child(const std::vector<std::string>& arguments, const std::string& output_file) {
  const unique_fd input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const unique_fd output(::open(output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!output) return fail("{}: it cannot be written: {}", output_file, std::strerror(errno));
  preparation with{{}, input.get(), output.get(), getpid()};
  auto texts = arguments;
  for (auto& one : texts) with.arguments.push_back(one.data());
  with.arguments.push_back(nullptr);
  child_process made{fork_with_signals_blocked(with), {}};
  if (made.pid < 0) return fail("no process: {}", std::strerror(errno));
  // Also here: who signals the group next may be faster than the child. It has done it itself if this fails.
  setpgid(made.pid, made.pid);
  // By number: glibc 2.36 declares the function for C alone.
  made.pidfd = unique_fd(static_cast<int>(syscall(SYS_pidfd_open, made.pid, 0)));
  if (made.pidfd) return made;
  const int why = errno;
  kill(made.pid, SIGKILL);
  waitpid(made.pid, nullptr, 0);
  return fail("{}: it cannot be watched: {}", arguments.front(), std::strerror(why));
}

}  // namespace egress::dev
