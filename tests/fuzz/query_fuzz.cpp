// Any packet of a client: read, judged and answered. What we serve, ldns reads as we do.

#include <algorithm>
#include <cstdlib>

#include "actors/dns/wire.hpp"
#include "tests/unit/dns/support.hpp"

namespace {

using namespace egress::dns;

void require(bool holds) {
  if (!holds) std::abort();
}

void answer_is_sound(const query& asked, const outcome& made, bytes answer) {
  require(answer.size() == made.size && answer.size() >= header_size);
  require(answer.size() <= asked.limit(transport::udp));
  require(load16(&answer[0]) == asked.id);
  const auto flags = load16(&answer[2]);
  require((flags & flag::qr) != 0 && (flags & flag::ra) != 0 && (flags & flag::ad) == 0);
  require(read_with_ldns(answer).has_value());
}

// ldns looks into the data of records, which we do not, and may refuse what we let pass there.
void ldns_agrees(const query& asked) {
  const auto theirs = read_with_ldns(asked.packet);
  if (!theirs) return;
  require(theirs->id == asked.id && theirs->questions == 1);
  require(theirs->type == asked.type && theirs->rr_class == asked.rr_class);
  require(std::ranges::equal(theirs->name, asked.question().first(asked.name.size)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto table = test::sample_table();
  query asked;
  const auto judged = parse_query({data, size}, asked);
  if (judged == reaction::serve) ldns_agrees(asked);
  for (const auto* known : {table.get(), static_cast<const hijack_table*>(nullptr)}) {
    std::array<std::uint8_t, answer_room> out;
    const auto made = respond(asked, judged, true, known, {}, out);
    if (made.what == action::answered) answer_is_sound(asked, made, bytes(out).first(made.size));
  }
  return 0;
}
