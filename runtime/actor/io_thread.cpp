#include "runtime/actor/io_thread.hpp"

#include <pthread.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "runtime/base/log.hpp"

namespace egress {

io_thread::io_thread(std::string name)
    : name_(std::move(name)), work_(context_.get_executor()), thread_([this] { run(); }) {}

io_thread::~io_thread() {
  work_.reset();
  context_.stop();
  thread_.join();
}

void io_thread::rest_by(pace_function pace) {
  boost::asio::post(context_, [this, pace = std::move(pace)]() mutable { pace_ = std::move(pace); });
}

void io_thread::run() {
  pthread_setname_np(pthread_self(), name_.c_str());
  while (!context_.stopped()) {
    try {
      look();
    } catch (const std::exception& e) {
      log::error("an I/O handler threw", {{"thread", name_}, {"error", e.what()}});
    }
  }
}

// What comes while the thread rests runs together, with caches that are warm for it.
void io_thread::look() {
  context_.run_one();
  context_.poll();
  const auto pause = pace_ ? pace_() : std::chrono::microseconds{0};
  if (pause > std::chrono::microseconds{0}) std::this_thread::sleep_for(pause);
}

}  // namespace egress
