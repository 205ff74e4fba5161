#include "actors/dns/query_log.hpp"

#include <arpa/inet.h>

#include "actors/dns/record_text.hpp"
#include "runtime/base/log_line.hpp"
#include "runtime/base/time.hpp"

namespace egress::dns {
namespace {

std::string client_text(const address_bytes& client) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const auto v4 = map_v4(&client[12]);
  const bool is_v4 = v4 == client;
  inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? &client[12] : client.data(), text.data(), text.size());
  return text.data();
}

// RFC 3339 with milliseconds, as the other logs have it.
std::string time_text(std::chrono::system_clock::time_point when) {
  using std::chrono::milliseconds;
  auto text = to_rfc3339(when);
  const auto fraction = std::chrono::floor<milliseconds>(when.time_since_epoch()) % 1000;
  text.pop_back();
  return fmt::format("{}.{:03}Z", text, fraction.count());
}

// Of a name below a hijacked one ("_8443._https.NAME") it is that one's.
std::string_view owner_of(const wire_name& name, const hijack_table& table) {
  if (const auto entry = table.find(name)) return entry->owner;
  bytes rest = name.view();
  while (rest.size() > 1 && rest[1] == '_') {
    rest = rest.subspan(rest[0] + 1u);
    if (const auto entry = table.find_only(rest, false)) return entry->owner;
  }
  return {};
}

}  // namespace

logged_query describe(const query& asked, const outcome& made, transport via, plugin from,
                      const hijack_table* table) {
  logged_query one;
  one.client = asked.client;
  one.via = via;
  one.from = from;
  one.code = made.code;
  if (asked.question_size != 0) {
    one.name = asked.name;
    one.type = asked.type;
  }
  if (!(made.hijacked || made.rewritten) || !table) return one;
  const auto owner = owner_of(asked.name, *table).substr(0, one.owner.size());
  std::ranges::copy(owner, one.owner.begin());
  one.owner_size = static_cast<std::uint8_t>(owner.size());
  return one;
}

std::string json_line(const logged_query& one) {
  std::string line =
      fmt::format(R"({{"ts":"{}","msg":"query","client":"{}","transport":"{}")", time_text(one.answered),
                  client_text(one.client), one.via == transport::udp ? "udp" : "tcp");
  if (one.name.size != 0) {
    line += R"(,"name":")";
    log::append_escaped(line, to_text(one.name.view()));
    line += fmt::format(R"(","type":"{}")", type_text(one.type));
  }
  const std::chrono::duration<double> seconds = one.took;
  line += fmt::format(R"(,"rcode":"{}","plugin":"{}","duration":{:.6f})",
                      rcode_text(static_cast<std::size_t>(one.code)),
                      plugin_names[static_cast<std::size_t>(one.from)], seconds.count());
  if (one.owner_size != 0) {
    line += R"(,"externalservice":")";
    log::append_escaped(line, {one.owner.data(), one.owner_size});
    line += '"';
  }
  return line + "}\n";
}

}  // namespace egress::dns
