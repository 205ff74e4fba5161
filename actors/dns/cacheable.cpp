#include "actors/dns/cacheable.hpp"

#include <algorithm>

#include "actors/dns/record_walk.hpp"

namespace egress::dns {
namespace {

// What a walk over all records shows.
struct walk {
  std::vector<std::uint16_t> capped_ttls, other_ttls;
  bool has_data = false;  // a record of the asked type in the answer
  std::optional<walked_record> soa;
  std::uint16_t additional = 0;
  std::size_t additional_at = 0, end = 0;
};

// Nothing when a record is malformed.
std::optional<walk> walk_records(const query& asked, bytes message) {
  const std::size_t answers = load16(&message[6]), authority = answers + load16(&message[8]);
  const std::size_t total = authority + load16(&message[10]);
  walk seen;
  seen.end = header_size + asked.name.size + 4u;
  for (std::size_t i = 0; i < total; ++i) {
    if (i == authority) seen.additional_at = seen.end;
    const auto next = next_record(message, seen.end);
    if (!next) return std::nullopt;
    if (next->type == rr::opt) {
      if (i < authority) return std::nullopt;
      seen.end = next->begin;
      break;
    }
    if (i < answers) seen.has_data |= next->type == asked.type || asked.type == rr::any;
    if (i >= answers && i < authority && next->type == rr::soa) seen.soa = next;
    if (i >= authority) ++seen.additional;
    auto& ttls = rr::outlives_a_hijack(next->type) ? seen.capped_ttls : seen.other_ttls;
    ttls.push_back(static_cast<std::uint16_t>(next->ttl()));
  }
  if (total <= authority) seen.additional_at = seen.end;
  return seen;
}

// The SOA of a denial lives no longer than its minimum field says (RFC 2308, section 5). False when it is
// cut.
bool bound_by_minimum(std::vector<std::uint8_t>& message, const walked_record& soa) {
  const std::size_t size = load16(&message[soa.data() - 2]);
  if (size < 22) return false;  // two names and five numbers
  const std::uint32_t minimum = read_ttl(&message[soa.data() + size - 4]);
  store32(&message[soa.ttl()], std::min(read_ttl(&message[soa.ttl()]), minimum));
  return true;
}

// Bounds every TTL, and gives the least.
std::uint32_t bound_ttls(std::vector<std::uint8_t>& message, const std::vector<std::uint16_t>& places,
                         std::uint32_t most) {
  std::uint32_t least = most;
  for (const auto at : places) {
    const std::uint32_t ttl = std::min(read_ttl(&message[at]), most);
    store32(&message[at], ttl);
    least = std::min(least, ttl);
  }
  return least;
}

void copy_normalised(const query& asked, bytes reply, const walk& seen, std::vector<std::uint8_t>& to) {
  to.assign(reply.begin(), reply.begin() + static_cast<std::ptrdiff_t>(seen.end));
  store16(&to[10], seen.additional);
  std::copy_n(asked.name.data.begin(), asked.name.size, to.begin() + header_size);
}

}  // namespace

judged_reply judge_reply(const query& asked, bytes reply) {
  judged_reply made;
  if (reply.empty()) {
    made.worth = reply_worth::failure;
    return made;
  }
  if (reply.size() < header_size + asked.name.size + 4u) return made;
  const std::uint16_t flags = load16(&reply[2]);
  if ((flags & flag::tc) != 0) return made;
  made.code = static_cast<rcode>(flags & flag::rcode);
  if (!is_answer(made.code)) {
    made.worth = reply_worth::failure;
    return made;
  }
  const auto seen = walk_records(asked, reply);
  if (!seen) return made;
  made.worth = reply_worth::forget;
  const bool denial = made.code == rcode::nxdomain || !seen->has_data;
  // Two servers could else keep a denial alive between them for ever (RFC 2308, section 5). A referral has
  // no SOA either.
  if (denial && !seen->soa) return made;
  made.kind = denial ? cache_kind::denial : cache_kind::success;
  copy_normalised(asked, reply, *seen, made.message);
  if (denial && !bound_by_minimum(made.message, *seen->soa)) return made;
  made.additional_at = seen->additional_at;
  made.ttls = seen->capped_ttls;
  made.capped_ttls = made.ttls.size();
  made.ttls.insert(made.ttls.end(), seen->other_ttls.begin(), seen->other_ttls.end());
  made.lifetime = bound_ttls(made.message, made.ttls, denial ? most_negative : most_positive);
  if (made.lifetime > 0) made.worth = reply_worth::keep;
  return made;
}

}  // namespace egress::dns
