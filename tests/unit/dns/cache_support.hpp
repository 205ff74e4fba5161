#pragma once
// Upstreams' replies, and a cache at a moment of its own, for tests.

#include <gtest/gtest.h>

#include "actors/dns/cached_answer.hpp"
#include "tests/unit/dns/reply_reader.hpp"
#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct rr_text {
  std::string owner;
  unsigned type = rr::a;
  std::uint32_t ttl = 300;
  packet data = {192, 0, 2, 1};
};

// The rdata of an SOA with this minimum.
inline packet soa_data(std::uint32_t minimum) {
  packet data{0, 0};
  for (const std::uint32_t field : {1u, 2u, 3u, 4u, minimum}) {
    put16(data, field >> 16);
    put16(data, field & 0xffff);
  }
  return data;
}

struct upstream_reply {
  std::vector<rr_text> answers = {}, authority = {}, additional = {};
  unsigned code = 0, extra = 0;
  bool opt = true;

  packet to(const ask& what) const {
    auto p = ask{.name = what.name,
                 .type = what.type,
                 .id = 99,
                 .flags = flag::qr | flag::rd | flag::ra | extra | code}
                 .make();
    p[7] = static_cast<std::uint8_t>(answers.size());
    p[9] = static_cast<std::uint8_t>(authority.size());
    p[11] = static_cast<std::uint8_t>(additional.size() + (opt ? 1 : 0));
    for (const auto* section : {&answers, &authority, &additional})
      for (const auto& one : *section) append(p, one);
    if (opt)
      for (const unsigned byte : {0u, 0u, 41u, 16u, 0u, 0u, 0u, 0u, 0u, 0u, 0u})
        p.push_back(static_cast<std::uint8_t>(byte));
    return p;
  }

 private:
  static void append(packet& p, const rr_text& one) {
    const auto owner = name_in_case(one.owner);
    p.insert(p.end(), owner.begin(), owner.end());
    for (const unsigned field : {one.type, 1u, one.ttl >> 16, one.ttl & 0xffff}) put16(p, field);
    put16(p, static_cast<unsigned>(one.data.size()));
    p.insert(p.end(), one.data.begin(), one.data.end());
  }
};

inline packet denial(const ask& what, std::uint32_t ttl, std::uint32_t minimum, unsigned code = 3) {
  return upstream_reply{.authority = {{"org", rr::soa, ttl, soa_data(minimum)}}, .code = code}.to(what);
}
inline packet address(const ask& what, std::uint32_t ttl = 300) {
  return upstream_reply{.answers = {{what.name, what.type, ttl}}}.to(what);
}

// A parsed query with its packet.
struct asking {
  explicit asking(const ask& what) : packet_(what.make()) { judged = parse_query(packet_, q); }
  asking(const asking&) = delete;
  asking& operator=(const asking&) = delete;
  query q;
  reaction judged;

 private:
  packet packet_;
};

struct timed_cache {
  explicit timed_cache(std::size_t bytes = 1 << 20) : held(bytes, {1, 2}) {}

  void learn(const ask& what, const packet& reply) { held.learn(asking(what).q, reply, now); }
  cache_finding find(const ask& what) { return held.find(asking(what).q, now); }
  cache_state state(const ask& what) { return find(what).state; }
  // What a client gets; `how` as the table says.
  reply said(const ask& what, std::size_t room = 0) {
    const asking one(what);
    std::array<std::uint8_t, 4096> out{};
    const outcome first = respond(one.q, one.judged, true, table.get(), options.answers, out);
    EXPECT_EQ(first.what, action::forward) << "answered from the table";
    const auto found = held.find(one.q, now);
    if (!found.entry) throw std::out_of_range("not in the cache");
    const auto limit = room == 0 ? one.q.limit(transport::udp) : room;
    last = respond_cached(one.q, first.how, found, now, table.get(), options, buffer(out).first(limit));
    return read_reply(bytes(out).first(last.size));
  }

  cache held;
  cache_time now = cache_time{} + std::chrono::hours{1000};
  std::shared_ptr<const hijack_table> table = sample_table();
  forward_options options{.answers = {.ttl = 5}, .max_ttl = 30};
  outcome last;
};

}  // namespace egress::dns::test
