#include "actors/dns/io/query_log_writer.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace egress::dns {
namespace {

// A pipe that poll calls writable takes this much without blocking (PIPE_BUF).
constexpr std::size_t chunk = 4096;
constexpr int patience_ms = 100;

}  // namespace

result<std::shared_ptr<query_log_writer>> query_log_writer::start(const settings& how, std::size_t loops,
                                                                  int fd) {
  unique_fd bell(::eventfd(0, EFD_CLOEXEC));
  if (!bell) return fail("no eventfd for the query log: {}", std::generic_category().message(errno));
  std::shared_ptr<query_log_writer> made(new query_log_writer(how, loops, fd, std::move(bell)));
  try {
    made->thread_ = std::thread([writer = made.get()] { writer->run(); });
  } catch (const std::system_error& problem) {
    return fail("no thread for the query log: {}", problem.what());
  }
  return made;
}

query_log_writer::query_log_writer(const settings& how, std::size_t loops, int fd, unique_fd bell)
    : fd_(fd), bell_(std::move(bell)) {
  for (std::size_t i = 0; i < loops; ++i)
    recorders_.emplace_back(log_sampler(how.which, how.one_in), how.room, [this] { ring(); });
}

query_log_writer::~query_log_writer() {
  stopping_ = true;
  ring();
  if (thread_.joinable()) thread_.join();
}

void query_log_writer::ring() const {
  const std::uint64_t once = 1;
  // It fails only when it has been rung 2⁶⁴ times and is heard anyway.
  [[maybe_unused]] const auto ignored = ::write(bell_.get(), &once, sizeof once);
}

void query_log_writer::run() {
  pthread_setname_np(pthread_self(), "query-log");
  while (!stopping_) {
    std::uint64_t rings = 0;
    if (::read(bell_.get(), &rings, sizeof rings) < 0 && errno != EINTR) return;
    write_what_waits();
  }
  write_what_waits();
}

// One of each loop in turn: a busy one keeps no other from being written.
void query_log_writer::write_what_waits() {
  for (bool more = true; more;) {
    more = false;
    for (auto& one : recorders_)
      if (const auto next = one.take()) {
        const auto line = json_line(*next);
        if (lines_.size() + line.size() > chunk) flush();
        lines_ += line;
        more = true;
      }
  }
  flush();
}

// Waits until the file takes it, but not beyond the end.
void query_log_writer::flush() {
  std::string_view left = lines_;
  while (!left.empty() && !given_up_) {
    pollfd want{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (::poll(&want, 1, patience_ms) <= 0) {
      given_up_ = stopping_;
      if (given_up_) break;
      continue;
    }
    const auto wrote = ::write(fd_, left.data(), left.size());
    if (wrote < 0 && errno != EINTR && errno != EAGAIN) break;
    if (wrote > 0) left.remove_prefix(static_cast<std::size_t>(wrote));
  }
  lines_.clear();
}

}  // namespace egress::dns
