// Answers from the table and from the cache allocate nothing: counted by this program's own operator new.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "actors/dns/cookie.hpp"
#include "tests/unit/dns/cache_support.hpp"

namespace {
std::atomic<std::size_t> allocations{0};
}

void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* room = std::malloc(size == 0 ? 1 : size)) return room;
  throw std::bad_alloc();
}
void operator delete(void* room) noexcept {
  std::free(room);
}
void operator delete(void* room, std::size_t) noexcept {
  std::free(room);
}

namespace egress::dns::test {
namespace {

TEST(hot_path, does_not_allocate_for_answers_of_our_own) {
  kube::external_service_spec seen_by_some;
  seen_by_some.dns_clients = {"10.0.0.0/8", "fd00::/8"};
  const auto table =
      build(
          {service("ex", "Example.com.", {"10.0.0.1", "fd00::1"}), service("some", "some.com", {"10.0.0.2"})},
          {external_with_ports("ex", {{443, "TCP"}}), external("some", true, 1, false, seen_by_some)})
          .table;
  const std::string ours = ".egress-operator-system.svc.cluster.local";
  const packet cookie{0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
  const std::vector<packet> queries{ask{}.make(),
                                    ask{.type = rr::aaaa, .edns = true, .dnssec = true}.make(),
                                    ask{.type = rr::https}.make(),
                                    ask{.type = rr::any}.make(),
                                    ask{.name = "not.hijacked.example.org"}.make(),
                                    ask{.name = "_443._https.example.com", .type = rr::https}.make(),
                                    ask{.flags = 4 << 11}.make(),
                                    ask{.rr_class = 3, .edns = true}.make(),
                                    ask{.edns = true, .dnssec = true, .options = cookie}.make(),
                                    ask{.name = "some.com", .edns = true}.make(),
                                    ask{.name = "_ex-tcp-443._tcp.ex" + ours, .type = rr::srv}.make(),
                                    ask{.name = "_none._tcp.ex" + ours, .type = rr::srv}.make(),
                                    ask{.name = "9.9.9.10.in-addr.arpa", .type = rr::ptr}.make()};
  std::array<std::uint8_t, answer_room> out{};
  query asked;
  const auto all = [&] {
    for (const auto& p : queries) {
      const auto judged = parse_query(p, asked);
      if (!asked.client_cookie.empty()) give_cookie(asked, 1'700'000'000, {});
      respond(asked, judged, true, table.get(), {}, out);
    }
  };
  all();  // the list of private zones is made once
  const std::size_t before = allocations.load();
  for (int i = 0; i < 1000; ++i) all();
  EXPECT_EQ(allocations.load(), before);
}

TEST(hot_path, does_not_allocate_for_answers_from_the_cache) {
  timed_cache c;
  const std::vector<ask> known{{.name = "a.org"},
                               {.name = "gone.org", .edns = true},
                               {.name = "fails.org"},
                               {.name = "below.wild.example.com"},
                               {.name = "stale.org", .edns = true, .dnssec = true},
                               {.name = "large.org", .type = rr::txt}};
  c.learn(known[4], address(known[4], 1));
  c.now += seconds{2};
  c.learn(known[0], address(known[0]));
  c.learn(known[1], denial(known[1], 60, 60));
  c.learn(known[2], {});
  c.learn(known[3], address(known[3]));
  c.learn(known[5], upstream_reply{.answers = {{"large.org", rr::txt, 60, packet(2000)}}}.to(known[5]));
  std::vector<packet> packets;
  for (const auto& what : known) packets.push_back(what.make());
  std::array<std::uint8_t, edns_udp_size> out{};
  query asked;
  std::size_t answered = 0;
  const std::size_t before = allocations.load();
  for (int i = 0; i < 1000; ++i)
    for (const auto& p : packets) {
      const auto judged = parse_query(p, asked);
      const auto first = respond(asked, judged, true, c.table.get(), {}, out);
      const auto found = c.held.find(asked, c.now);
      if (first.what != action::forward || !found.entry) continue;
      const auto room = buffer(out).first(asked.limit(transport::udp));
      answered += respond_cached(asked, first.how, found, c.now, c.table.get(), c.options, room).size > 0;
    }
  EXPECT_EQ(allocations.load(), before);
  EXPECT_EQ(answered, 6000u);
}

}  // namespace
}  // namespace egress::dns::test
