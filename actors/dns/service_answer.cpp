#include "actors/dns/service_answer.hpp"

#include <charconv>

#include "actors/dns/answer_writer.hpp"

namespace egress::dns {
namespace {

std::string_view label_at(const wire_name& name, std::size_t at) {
  return {reinterpret_cast<const char*>(&name.data[at + 1]), name.data[at]};
}

// "_PORTNAME._tcp" or "_tcp" before the name of a Service.
struct service_part {
  std::string_view port;    // without '_'; empty: all ports of the protocol
  char protocol = 0;        // as in packed_port
  std::size_t service = 0;  // where in the name the Service's begins
};

std::optional<service_part> split(const wire_name& name) {
  service_part parts;
  std::size_t at = 0;
  const auto protocol_here = [&] {
    const auto label = label_at(name, at);
    parts.protocol = label == "_tcp" ? 't' : label == "_udp" ? 'u' : '\0';
    parts.service = at + 1 + label.size();
    return parts.protocol != 0;
  };
  if (protocol_here()) return parts;
  const auto first = label_at(name, at);
  if (!first.starts_with('_')) return std::nullopt;
  parts.port = first.substr(1);
  at += 1 + first.size();
  return protocol_here() ? std::optional(parts) : std::nullopt;
}

// Ports are called NAME-<tcp|udp>-PORT.
bool is_called(std::string_view name, std::string_view service, char protocol, std::uint16_t number) {
  if (!name.starts_with(service)) return false;
  name.remove_prefix(service.size());
  if (!name.starts_with(protocol == 't' ? "-tcp-" : "-udp-")) return false;
  name.remove_prefix(5);
  std::array<char, 5> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return name == std::string_view(digits.data(), end);
}

// The number of the port of this name; 0 when there is none. Without a name that of any of the protocol.
std::uint16_t port_number(const table_entry& entry, const service_part& parts) {
  for (bytes left = entry.ports(); left.size() >= packed_port; left = left.subspan(packed_port)) {
    const std::uint16_t number = load16(&left[1]);
    if (left[0] != static_cast<std::uint8_t>(parts.protocol)) continue;
    if (parts.port.empty() || is_called(parts.port, entry.owner, parts.protocol, number)) return number;
  }
  return 0;
}

outcome answered(std::size_t size, rcode code) {
  return {.what = action::answered, .size = size, .code = code, .hijacked = true};
}

outcome service_record(const query& asked, const table_entry& entry, std::size_t service, std::uint16_t port,
                       const respond_options& options, buffer out) {
  answer_writer answer(asked, rcode::noerror, flag::aa, out);
  const std::size_t target = header_size + service;
  answer.service(target, port, options.ttl);
  for (std::size_t i = 0; i < entry.v4.size(); ++i)
    answer.additional(target, rr::a, options.ttl, entry.v4.at(i));
  for (std::size_t i = 0; i < entry.v6.size(); ++i)
    answer.additional(target, rr::aaaa, options.ttl, entry.v6.at(i));
  return answered(answer.finish(forged(asked, entry)), rcode::noerror);
}

}  // namespace

std::optional<outcome> respond_below_service(const query& asked, const hijack_table& table,
                                             const respond_options& options, buffer out) {
  const auto parts = split(asked.name);
  if (!parts) return std::nullopt;
  const auto entry = table.find_only(asked.name.view().subspan(parts->service), false);
  if (!entry || entry->kind != entry_kind::in_cluster) return std::nullopt;
  const auto port = port_number(*entry, *parts);
  if (port == 0) {
    answer_writer answer(asked, rcode::nxdomain, flag::aa, out);
    answer.soa(header_size + parts->service, options.ttl);
    return answered(answer.finish({ede::synthesized, "no such port of Service ", entry->owner}),
                    rcode::nxdomain);
  }
  const bool has_record = !parts->port.empty() && (asked.type == rr::srv || asked.type == rr::any);
  if (has_record) return service_record(asked, *entry, parts->service, port, options, out);
  return respond_nodata(asked, options, forged(asked, *entry), out);
}

}  // namespace egress::dns
