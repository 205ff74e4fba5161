#pragma once
// The only place where Asio meets CAF: coroutines run on an I/O thread and send what became of them to an
// actor. Nothing here blocks an actor's handler.

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <thread>

#include "runtime/actor/messages.hpp"
#include "runtime/kube/client.hpp"

namespace egress {

// A thread that runs an io_context until it is destroyed. Owned by main, outside of all actors.
class io_thread {
 public:
  explicit io_thread(std::string name);
  ~io_thread();
  boost::asio::io_context& context() { return context_; }

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

// The requests and watches of one life of the kube_api actor. Its methods may be called from any thread;
// `deliver` is called on the I/O thread, exactly once a ticket, until the bridge is destroyed, which cancels
// everything under way.
class kube_bridge {
 public:
  using deliver_function = std::function<void(payload<delivery>)>;

  kube_bridge(io_thread& on, kube::connection_config where, kube::client_options options,
              deliver_function deliver);
  ~kube_bridge();
  kube_bridge(const kube_bridge&) = delete;
  kube_bridge& operator=(const kube_bridge&) = delete;

  void request(std::uint64_t ticket, payload<api_request> what);
  void poll(std::uint64_t ticket, payload<watch_poll> what);
  void close_watch(std::uint64_t stream);

 private:
  struct session;
  std::shared_ptr<session> session_;
};

}  // namespace egress
