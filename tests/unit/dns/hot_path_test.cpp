// The hijacked path allocates nothing: counted by this program's own operator new.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/unit/dns/support.hpp"

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
  const auto table = sample_table();
  const std::vector<packet> queries{ask{}.make(),
                                    ask{.type = rr::aaaa, .edns = true, .dnssec = true}.make(),
                                    ask{.type = rr::https}.make(),
                                    ask{.type = rr::any}.make(),
                                    ask{.name = "not.hijacked.example.org"}.make(),
                                    ask{.name = "_443._https.example.com", .type = rr::https}.make(),
                                    ask{.flags = 4 << 11}.make(),
                                    ask{.name = "9.9.9.10.in-addr.arpa", .type = rr::ptr}.make()};
  std::array<std::uint8_t, answer_room> out{};
  query asked;
  const auto all = [&] {
    for (const auto& p : queries) {
      const auto judged = parse_query(p, asked);
      respond(asked, judged, true, table.get(), {}, out);
    }
  };
  all();  // the list of private zones is made once
  const std::size_t before = allocations.load();
  for (int i = 0; i < 1000; ++i) all();
  EXPECT_EQ(allocations.load(), before);
}

}  // namespace
}  // namespace egress::dns::test
