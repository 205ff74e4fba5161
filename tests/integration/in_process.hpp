#pragma once
// The operator and an API server for it in one process, on free ports of loopback.

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "runtime/devserver/dev_server.hpp"
#include "runtime/program/operator.hpp"

namespace egress::test {

// Waits until the condition holds; false when it does not within 20 s.
template <class Condition>
bool eventually(Condition holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return true;
}

class in_process_world {
 public:
  in_process_world();
  ~in_process_world();

  egress_operator& running() { return *operator_; }
  dev::dev_server& server() { return *server_; }
  std::uint16_t dns_port() const;
  // What the operator serves over HTTP at this path, head and body.
  std::string page(const std::string& path) const;

  // An ExternalService of this name, hijacked, port 443.
  void apply(const std::string& name, const std::string& dns_name);
  void remove_external_service(const std::string& name);
  // A child in egress-operator-system, by its plural.
  void remove(const std::string& plural, const std::string& name);
  // The condition Ready.
  bool ready(const std::string& name);
  // An object of this name, by its plural, in egress-operator-system or in no namespace.
  bool has(const std::string& plural, const std::string& name);
  // Of the gateway's Service; "" when there is none.
  std::string cluster_ip(const std::string& name);

 private:
  std::unique_ptr<dev::dev_server> server_;
  std::unique_ptr<egress_operator> operator_;
};

}  // namespace egress::test
