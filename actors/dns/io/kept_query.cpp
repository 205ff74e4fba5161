#include "actors/dns/io/kept_query.hpp"

#include <algorithm>

namespace egress::dns {

void kept_query::keep(const query& asked) {
  // What nobody reads again, padding mostly, may be 64 KiB.
  const auto begin =
      asked.packet.first(std::min<std::size_t>(asked.packet.size(), header_size + asked.question_size));
  packet_.assign(begin.begin(), begin.end());
  packet_.insert(packet_.end(), asked.client_cookie.begin(), asked.client_cookie.end());
  query_ = asked;
  query_.packet = bytes(packet_).first(begin.size());
  query_.client_cookie = bytes(packet_).subspan(begin.size());
}

}  // namespace egress::dns
