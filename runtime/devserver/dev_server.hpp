#pragma once
// The embedded API server: a cluster in memory, served over HTTP on loopback by a thread of its own.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "runtime/base/environment.hpp"
#include "runtime/devserver/cluster.hpp"
#include "runtime/devserver/faults.hpp"
#include "runtime/devserver/gateway_processes.hpp"

namespace egress::dev {

struct dev_server_options {
  std::string address = "127.0.0.1:0";  // loopback only
  cluster_settings cluster;
  milliseconds bookmark_every{60'000};
  // Runs the gateways of cluster.run_gateways; without both, Deployments are played.
  std::optional<envoy_options> envoy{};
};

class fault_control;

class dev_server {
 public:
  // Listens and serves when it returns. Refuses addresses that others can reach, and to run inside a cluster.
  static result<std::unique_ptr<dev_server>> start(dev_server_options options,
                                                   environment_lookup environment);
  // Stops.
  ~dev_server();
  dev_server(const dev_server&) = delete;
  dev_server& operator=(const dev_server&) = delete;

  std::uint16_t port() const;
  std::string url() const;  // "http://127.0.0.1:PORT"
  std::string kubeconfig_text() const;

  // As kubectl apply does it. From any thread; strict about unknown fields.
  result<void> apply(const json::object& manifest);

  // Calls f(cluster&, fault_table&) on the server's thread and gives what it returns (a value, or nothing).
  // From any thread; after stop() on the caller's. What f throws is thrown here.
  template <class F>
  auto run(F f);
  // The faults as calls from any thread.
  fault_control faults();

  // Ends all gateways, all connections and the thread. Not from the server's own thread; a second call does
  // nothing.
  void stop();

 private:
  struct parts;
  explicit dev_server(std::unique_ptr<parts> made);
  void call(const std::function<void(cluster&, fault_table&)>& what);
  std::unique_ptr<parts> parts_;
};

template <class F>
auto dev_server::run(F f) {
  using made = std::invoke_result_t<F, cluster&, fault_table&>;
  if constexpr (std::is_void_v<made>) {
    call([&f](cluster& on, fault_table& with) { f(on, with); });
  } else {
    static_assert(!std::is_reference_v<made>, "a reference would leave the server's thread");
    std::optional<made> value;
    call([&](cluster& on, fault_table& with) { value.emplace(f(on, with)); });
    return *std::move(value);
  }
}

}  // namespace egress::dev
