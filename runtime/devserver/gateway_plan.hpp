#pragma once
// Which Envoy process a Deployment asks for: one a Deployment, however many replicas. Pure.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/devserver/gateway_config.hpp"
#include "runtime/devserver/store.hpp"

namespace egress::dev {

struct gateway_plan {
  enum class state : std::uint8_t {
    none,     // the Deployment is not there, or is not a gateway's
    off,      // it has no replicas
    waiting,  // for its ConfigMap, its Service, or the configuration that its pods name: what runs goes on
    run,
  };
  state what = state::none;
  // The rest is for `run` only.
  std::vector<std::string> arguments{};  // Envoy's, but for its configuration file
  config_files files{};                  // of the ConfigMap
  std::string address{};                 // the Service's ClusterIP
  std::uint16_t ready_port = 0;          // of the readiness probe
  std::string ready_path{};
  std::size_t identity = 0;  // another one takes another process: the pods or their address changed
  bool follows_files() const { return files.size() > 1; }  // what changes in them reaches the process
};

// A gateway's Deployment is one whose pods carry the label egress.monzo.com/gateway; its ConfigMap and its
// Service have its name.
gateway_plan plan_gateway(const store& objects, const object_key& deployment);

}  // namespace egress::dev
