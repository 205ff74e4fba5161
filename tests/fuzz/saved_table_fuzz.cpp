// Any bytes as the entries of a saved table, under a right checksum; and as the whole file.

#include <algorithm>
#include <cstdlib>

#include "actors/dns/saved_table.hpp"
#include "runtime/net/sha256.hpp"
#include "tests/unit/dns/table_contents.hpp"

namespace {

using namespace egress::dns;

std::vector<std::uint8_t> file_with(bytes entries) {
  static const auto empty = encode_table(*test::build({}, {}).table);
  auto file = empty;
  const auto checksum = egress::net::sha256({reinterpret_cast<const char*>(entries.data()), entries.size()});
  store32(&file[file.size() - 36], static_cast<std::uint32_t>(entries.size()));
  std::ranges::copy(checksum, file.end() - 32);
  file.insert(file.end(), entries.begin(), entries.end());
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bytes input(data, size);
  if (decode_table(input)) std::abort();  // no fuzzer finds a SHA-256
  const auto table = decode_table(file_with(input));
  if (!table) return 0;
  (*table)->for_each([&](const table_entry& entry) {
    if (entry.name.empty() || entry.owner.size() > 253) std::abort();
  });
  const auto again = decode_table(encode_table(**table));
  if (!again || test::contents(**again) != test::contents(**table)) std::abort();
  for (const auto* name : {"example.com", "a.wild.example.com", "1.0.0.10.in-addr.arpa"})
    (void)test::find(**table, name);
  return 0;
}
