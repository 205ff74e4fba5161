// Any packet in an upstream's place, on the way that replies go: judged by what the question leads to, then
// given to the client, and to the cache. The first byte says which question it answers and how; with the
// second's lowest bit set, the input is a header and records, which are given the question, so that what
// comes behind it is reached.

#include <algorithm>
#include <cstdlib>

#include "actors/dns/bailiwick.hpp"
#include "actors/dns/cacheable.hpp"
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

constexpr std::uint16_t id = 77;

// The header of the input made to answer the question, the question, and the rest of the input.
packet made_to_fit(bytes input, const query& asked) {
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

// What of it belongs to the question, in `room` or where it was; empty when it cannot be read. What stays is
// the reply to the same question still, and all of it stays for good.
bytes believed(const query& asked, bytes reply, packet& room) {
  const auto kept = in_bailiwick(asked, reply, room);
  if (!kept) return {};
  require(is_reply_to(*kept, asked, id) && load16(&(*kept)[2]) == load16(&reply[2]));
  packet not_needed;
  const auto again = in_bailiwick(asked, *kept, not_needed);
  require(again && again->data() == kept->data());
  return *kept;
}

void is_judged_soundly(const query& asked, bytes reply) {
  const auto judged = judge_reply(asked, reply);
  if (judged.worth != reply_worth::keep) return;
  require(is_reply_to(judged.message, asked, id));
  require(judged.lifetime > 0 && judged.lifetime <= most_positive);
  require(judged.capped_ttls <= judged.ttls.size());
  for (const auto at : judged.ttls) {
    require(at + 4u <= judged.message.size());
    require(load32(&judged.message[at]) >= judged.lifetime && load32(&judged.message[at]) <= most_positive);
  }
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
  const auto reply = (data[1] & 1) != 0 ? made_to_fit(input, asked) : packet(input.begin(), input.end());
  if (!is_reply_to(reply, asked, id)) return 0;
  packet plain, room;
  const auto said = without_extended_rcode(asked, reply, plain);
  require(is_reply_to(said, asked, id));
  const auto kept = believed(asked, said, room);
  if (!kept.empty()) has_hijacked_alias(asked, kept, *table);
  const auto limit = (data[1] & 2) != 0 ? max_message : asked.limit(transport::udp);
  std::vector<std::uint8_t> out;
  const auto made = finish_forwarded(asked, how, kept, table.get(), {}, limit, out);
  require(made.what == action::answered && made.size == out.size());
  require(out.size() >= header_size && out.size() <= limit);
  require(load16(&out[0]) == asked.id && (load16(&out[2]) & flag::qr) != 0);
  is_judged_soundly(asked, kept);
  return 0;
}
