#include "actors/dns/io/kept_query.hpp"

namespace egress::dns {

void kept_query::keep(const query& asked) {
  packet_.assign(asked.packet.begin(), asked.packet.end());
  query_ = asked;
  query_.packet = packet_;
  if (asked.client_cookie.empty()) return;
  const auto offset = static_cast<std::size_t>(asked.client_cookie.data() - asked.packet.data());
  query_.client_cookie = query_.packet.subspan(offset, asked.client_cookie.size());
}

}  // namespace egress::dns
