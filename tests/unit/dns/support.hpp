#pragma once
// Queries and tables for tests: made by hand, byte for byte, so that broken ones can be made, too.

#include <memory>
#include <string>
#include <vector>

#include "actors/dns/hijack_table.hpp"
#include "actors/dns/respond.hpp"

namespace egress::dns::test {

using packet = std::vector<std::uint8_t>;

inline void put16(packet& to, unsigned value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8));
  to.push_back(static_cast<std::uint8_t>(value));
}

// The name in the case given.
inline packet name_in_case(const std::string& text) {
  packet name;
  for (std::size_t at = 0; at < text.size();) {
    const auto dot = std::min(text.find('.', at), text.size());
    name.push_back(static_cast<std::uint8_t>(dot - at));
    name.insert(name.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                text.begin() + static_cast<std::ptrdiff_t>(dot));
    at = dot + 1;
  }
  name.push_back(0);
  return name;
}

struct ask {
  std::string name = "example.com";
  unsigned type = rr::a, rr_class = rr::class_in, id = 0x1234, flags = flag::rd;
  bool edns = false, dnssec = false;
  unsigned udp_size = 1232, version = 0;
  packet options = {};

  packet make() const {
    packet p;
    put16(p, id);
    put16(p, flags);
    for (const unsigned count : {1u, 0u, 0u, edns ? 1u : 0u}) put16(p, count);
    const auto wire = name_in_case(name);
    p.insert(p.end(), wire.begin(), wire.end());
    put16(p, type);
    put16(p, rr_class);
    if (!edns) return p;
    p.push_back(0);
    put16(p, rr::opt);
    put16(p, udp_size);
    put16(p, version);
    put16(p, dnssec ? do_bit : 0);
    put16(p, static_cast<unsigned>(options.size()));
    p.insert(p.end(), options.begin(), options.end());
    return p;
  }
};

inline kube::object_ptr service(const std::string& name, const std::string& dns_name,
                                std::vector<std::string> ips, const std::string& label = "true") {
  auto made = std::make_shared<kube::object>();
  made->of = kube::kind::service;
  made->meta.name = name;
  kube::child body;
  body.hijack_label = label;
  body.dns_name = dns_name;
  body.cluster_ips = std::move(ips);
  made->body = std::move(body);
  return made;
}

inline kube::object_ptr external(const std::string& name, bool hijack = true, std::int64_t created = 1,
                                 bool deleting = false, kube::external_service_spec spec = {}) {
  auto made = std::make_shared<kube::object>();
  made->of = kube::kind::external_service;
  made->meta.name = name;
  made->meta.creation_time = created;
  made->meta.deleting = deleting;
  kube::external_service body;
  body.spec = std::move(spec);
  body.spec.hijack_dns = hijack;
  made->body = std::move(body);
  return made;
}

inline kube::object_ptr external_with_ports(const std::string& name, std::vector<kube::service_port> ports,
                                            bool hijack = true) {
  kube::external_service_spec spec;
  spec.ports = std::move(ports);
  return external(name, hijack, 1, false, std::move(spec));
}
inline kube::object_ptr external_for(const std::string& name, std::vector<std::string> clients) {
  kube::external_service_spec spec;
  spec.dns_clients = std::move(clients);
  return external(name, true, 1, false, std::move(spec));
}

// One hijacked name a Service.
inline kube::snapshot snapshot_of(const std::vector<kube::object_ptr>& objects) {
  kube::snapshot made;
  for (const auto& object : objects) made.put(object);
  return made;
}

inline built_table build(const std::vector<kube::object_ptr>& services,
                         const std::vector<kube::object_ptr>& externals,
                         const hijack_table* previous = nullptr) {
  return build_hijack_table(snapshot_of(services), snapshot_of(externals), previous, {});
}

// example.com on both families, v4only.example.com, *.wild.example.com.
inline std::shared_ptr<const hijack_table> sample_table() {
  return build({service("ex", "Example.com.", {"10.0.0.1", "fd00::1"}),
                service("v4", "v4only.example.com", {"10.0.0.2"}),
                service("wild", "*.wild.example.com", {"10.0.0.3"})},
               {external("ex"), external("v4"), external("wild")})
      .table;
}

inline std::optional<table_entry> find(const hijack_table& table, const std::string& name) {
  return table.find(parse_name(name).value());
}

}  // namespace egress::dns::test
