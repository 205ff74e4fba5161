// The cache under any sequence of replies, questions and pauses. Three bytes are a step: what, about which
// question, how much; the reply that is learnt is what follows, made to fit the question.

#include <algorithm>
#include <cstdlib>

#include "actors/dns/cached_answer.hpp"
#include "tests/unit/dns/support.hpp"

namespace {

using namespace egress::dns;
using test::ask;
using test::packet;

constexpr std::size_t most_bytes = 8 * 1024;

void require(bool holds) {
  if (!holds) std::abort();
}

const std::vector<packet>& questions() {
  static const auto all = [] {
    std::vector<packet> made;
    for (int i = 0; i < 40; ++i)
      made.push_back(ask{.name = "host-" + std::to_string(i) + ".example.org",
                         .type = i % 3 == 0 ? rr::txt : rr::a,
                         .edns = i % 2 == 0,
                         .dnssec = i % 4 == 0}
                         .make());
    return made;
  }();
  return all;
}

packet reply_for(const query& asked, bytes rest) {
  packet reply(header_size);
  if (!rest.empty()) reply[7] = rest[0] & 3;
  if (rest.size() > 1) reply[3] = rest[1] & 3;
  reply[2] = 0x80;
  reply[5] = 1;
  const auto question = asked.question();
  reply.insert(reply.end(), question.begin(), question.end());
  const auto records = rest.subspan(std::min<std::size_t>(rest.size(), 2));
  reply.insert(reply.end(), records.begin(), records.end());
  return reply;
}

void answer_from(cache& known, const query& asked, cache_time now) {
  static const auto table = test::sample_table();
  const auto found = known.find(asked, now);
  if (found.state == cache_state::miss) return;
  std::array<std::uint8_t, edns_udp_size> out;
  const auto room = buffer(out).first(std::max(answer_room, asked.limit(transport::udp)));
  const auto made = respond_cached(asked, forward_kind::plain, found, now, table.get(), {}, room);
  require(made.size >= header_size && made.size <= room.size());
  require(load16(&out[0]) == asked.id);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cache known(most_bytes, {1, 2});
  cache_time now{};
  bytes left(data, size);
  while (left.size() >= 3) {
    query asked;
    require(parse_query(questions()[left[1] % questions().size()], asked) == reaction::serve);
    const auto what = left[0] % 4;
    const std::size_t much = left[2];
    left = left.subspan(3);
    if (what == 0) {
      const auto used = std::min(left.size(), much);
      known.learn(asked, much == 0 ? bytes{} : bytes(reply_for(asked, left.first(used))), now);
      left = left.subspan(used);
    } else if (what == 1) {
      now += std::chrono::milliseconds(much * much * 100);
    } else {
      answer_from(known, asked, now);
    }
    require(known.memory() <= most_bytes);
  }
  return 0;
}
