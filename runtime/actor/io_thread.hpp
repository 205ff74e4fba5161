#pragma once
// The thread that sockets and actors share: whatever is ready runs on it, one after the other.

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace egress {

// Runs an io_context until it is destroyed. Owned by main, outside of all actors, whose system goes first.
class io_thread {
 public:
  // How long the thread rests before it looks at its sockets again; 0: until something is ready.
  using pace_function = std::function<std::chrono::microseconds()>;

  explicit io_thread(std::string name);
  ~io_thread();
  io_thread(const io_thread&) = delete;
  io_thread& operator=(const io_thread&) = delete;

  boost::asio::io_context& context() { return context_; }
  // `pace` is asked on the thread whenever all that was ready has run. From any thread; the latest one
  // counts.
  void rest_by(pace_function pace);

 private:
  void run();
  void look();

  std::string name_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  pace_function pace_;
  std::thread thread_;
};

}  // namespace egress
