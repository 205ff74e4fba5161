// Any packet in an upstream's place. The first byte says which question it answers and how; with the second's
// lowest bit set, the input is a header and records, which are given the question, so that what comes behind
// it is reached.

#include <algorithm>
#include <cstdlib>

#include "actors/dns/forward_reply.hpp"
#include "actors/dns/hijacked_alias.hpp"
#include "tests/unit/dns/support.hpp"

namespace {

using namespace egress::dns;
using test::ask;
using test::packet;

void require(bool holds) {
  if (!holds) std::abort();
}

const std::vector<packet>& questions() {
  static const std::vector<packet> all{
      ask{.name = "Other.example.org", .edns = true}.make(),
      ask{.name = "example.com", .type = rr::txt, .edns = true, .dnssec = true}.make(),
      ask{.name = "a.wild.example.com"}.make(),
      ask{.name = "a.wild.example.com", .type = rr::mx}.make(),
      ask{.name = "", .type = rr::ns}.make(),
  };
  return all;
}

constexpr forward_kind kinds[] = {forward_kind::plain, forward_kind::hijacked_other, forward_kind::wildcard,
                                  forward_kind::wildcard_other, forward_kind::root_probe};

// The header of the input made to answer the question, the question, and the rest of the input.
packet made_to_fit(bytes input, const query& asked, std::uint16_t id) {
  packet reply(header_size);
  std::ranges::copy(input.first(std::min(input.size(), header_size)), reply.begin());
  store16(&reply[0], id);
  store16(&reply[2], (load16(&reply[2]) | flag::qr) & ~std::size_t{flag::opcode});
  store16(&reply[4], 1);
  const auto question = asked.question();
  reply.insert(reply.end(), question.begin(), question.end());
  const auto rest = input.subspan(std::min(input.size(), header_size));
  reply.insert(reply.end(), rest.begin(), rest.end());
  return reply;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto table = test::sample_table();
  if (size < 2) return 0;
  const auto& question = questions()[data[0] % questions().size()];
  const auto how = kinds[(data[0] >> 4) % std::size(kinds)];
  query asked;
  require(parse_query(question, asked) == reaction::serve);
  const bytes input(data + 2, size - 2);
  const auto reply = (data[1] & 1) != 0 ? made_to_fit(input, asked, 77) : packet(input.begin(), input.end());
  if (!is_reply_to(reply, asked, 77)) return 0;
  std::vector<std::uint8_t> room;
  require(is_reply_to(without_extended_rcode(asked, reply, room), asked, 77));
  has_hijacked_alias(asked, reply, *table);
  const auto limit = (data[1] & 2) != 0 ? max_message : asked.limit(transport::udp);
  std::vector<std::uint8_t> out;
  const auto made = finish_forwarded(asked, how, reply, table.get(), {}, limit, out);
  require(made.what == action::answered && made.size == out.size());
  require(out.size() >= header_size && out.size() <= limit);
  require(load16(&out[0]) == asked.id && (load16(&out[2]) & flag::qr) != 0);
  return 0;
}
