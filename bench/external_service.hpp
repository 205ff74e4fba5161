#pragma once
// The ExternalService that benchmarks render: two TCP ports, numbered.

#include <cstdint>
#include <string>

#include "runtime/kube/object.hpp"

namespace egress::bench {

inline kube::object external_service(std::uint64_t number) {
  kube::object made;
  made.of = kube::kind::external_service;
  made.meta.name = "es-" + std::to_string(number);
  made.meta.uid = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
  made.meta.generation = 1;
  kube::external_service body;
  body.spec.dns_name = "host-" + std::to_string(number) + ".example.com";
  body.spec.hijack_dns = true;
  body.spec.ports.resize(2);
  body.spec.ports[0].port = 443;
  body.spec.ports[1].port = 8443;
  made.body = body;
  return made;
}

}  // namespace egress::bench
