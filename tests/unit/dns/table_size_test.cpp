// What the table of 100,000 hijacked names takes, and what its build takes beside it: counted by this
// program's own operator new.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "tests/unit/dns/support.hpp"

namespace {
std::size_t in_use = 0, most = 0;
}

void* operator new(std::size_t size) {
  void* room = std::malloc(size == 0 ? 1 : size);
  if (room == nullptr) throw std::bad_alloc();
  in_use += ::malloc_usable_size(room);
  most = std::max(most, in_use);
  return room;
}
void operator delete(void* room) noexcept {
  in_use -= ::malloc_usable_size(room);
  std::free(room);
}
void operator delete(void* room, std::size_t) noexcept {
  operator delete(room);
}

namespace egress::dns::test {
namespace {

constexpr int names = 100'000;
constexpr std::size_t mebibyte = 1 << 20;

// What the API server has: not counted.
struct objects {
  explicit objects(int count) { add(0, count); }
  void add(int from, int to) {
    for (int i = from; i < to; ++i) {
      const auto name = fmt::format("s{}", i);
      services.put(service(name, fmt::format("host-{}.example.com", i),
                           {fmt::format("10.{}.{}.{}", i / 65536, i / 256 % 256, i % 256)}));
      externals.put(external_with_ports(name, {{443, "TCP"}}));
    }
  }
  kube::snapshot services, externals;
};

TEST(table_size, is_bounded_while_the_last_table_is_still_served) {
  const objects all(names);
  const auto before = in_use;
  const auto last = build_hijack_table(all.services, all.externals, nullptr, {}).table;
  ASSERT_EQ(last->size(), static_cast<std::size_t>(names));
  EXPECT_NEAR(static_cast<double>(in_use - before), static_cast<double>(last->memory()), mebibyte / 16);
  most = in_use;
  const auto next = build_hijack_table(all.services, all.externals, last.get(), {}).table;
  EXPECT_LE(most - before, 40 * mebibyte) << "with what the build let go again";
  std::printf("%zu MiB for both, at most %zu while the second was built\n", (in_use - before) / mebibyte,
              (most - before) / mebibyte);
}

TEST(table_size, is_bounded_while_it_grows) {
  objects all(names / 10 * 9);
  const auto last = build_hijack_table(all.services, all.externals, nullptr, {}).table;
  all.add(names / 10 * 9, names);
  const auto before = in_use - last->memory();
  most = in_use;
  const auto next = build_hijack_table(all.services, all.externals, last.get(), {}).table;
  ASSERT_EQ(next->size(), static_cast<std::size_t>(names));
  EXPECT_LE(most - before, 40 * mebibyte);
}

}  // namespace
}  // namespace egress::dns::test
