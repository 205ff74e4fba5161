#pragma once
// Requests and watches as coroutines on the I/O thread, which send what became of them to an actor. Nothing
// here blocks an actor's handler.

#include <functional>
#include <memory>

#include "runtime/actor/io_thread.hpp"
#include "runtime/actor/messages.hpp"
#include "runtime/kube/client.hpp"

namespace egress {

// The requests and watches of one life of the kube_api actor. Its methods may be called from any thread;
// `deliver` is called on the I/O thread, exactly once a ticket, until the bridge is destroyed, which cancels
// everything under way. It has the I/O thread rest under its load (io_thread::rest_by): one bridge a thread
// at a time, as the next one takes the last one's place there.
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
