// Writes the seeds of the fuzzers: what the tests know as good and bad input. usage: fuzz_seeds FOLDER

#include <filesystem>
#include <fstream>
#include <iostream>

#include "actors/dns/saved_table.hpp"
#include "tests/unit/dns/malformed.hpp"
#include "tests/unit/dns/table_contents.hpp"

namespace {

using namespace egress::dns;
using test::ask;
using test::packet;

class folder {
 public:
  explicit folder(const std::filesystem::path& at) : at_(at) { std::filesystem::create_directories(at_); }
  void add(const packet& what) {
    std::ofstream out(at_ / std::to_string(count_++), std::ios::binary);
    out.write(reinterpret_cast<const char*>(what.data()), static_cast<std::streamsize>(what.size()));
  }
  void add(std::string_view text) { add(packet(text.begin(), text.end())); }

 private:
  std::filesystem::path at_;
  int count_ = 0;
};

void seed_queries(folder to) {
  for (const unsigned type : {rr::a, rr::aaaa, rr::ptr, rr::https, rr::any, rr::axfr, rr::ns, rr::txt})
    for (const auto* name : {"example.com", "a.B.wild.example.com", "_8443._https.example.com", "",
                             "ex.egress-operator-system.svc.cluster.local", "1.0.0.10.in-addr.arpa"})
      to.add(ask{.name = name, .type = type, .edns = type != rr::ns, .dnssec = type == rr::txt}.make());
  to.add(ask{.edns = true, .version = 1}.make());
  to.add(ask{.edns = true, .options = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8}}.make());
  to.add(ask{.edns = true, .options = {0, 10, 0, 3, 1, 2, 3}}.make());
  for (const unsigned flags : {0x8000u, 0x0800u, 0x2800u, 0x0110u}) to.add(ask{.flags = flags}.make());
  to.add(ask{.rr_class = 3}.make());
  for (const auto& odd : test::odd_queries()) to.add(odd.bytes);
}

// As reply_fuzz.cpp reads them: two bytes, a header, and a record in one of the sections.
void seed_replies(folder to) {
  const packet records[] = {
      {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1},
      {0xc0, 12, 0, 5, 0, 1, 0, 0, 1, 44, 0, 4, 1, 'x', 0xc0, 12,
       0xc0, 45, 0, 1, 0, 1, 0, 0, 0, 5,  0, 4, 1, 2,   3,    4},
      {0xc0, 12, 0, 6, 0, 1, 0, 0, 14, 16, 0, 24, 0xc0, 12, 0xc0, 12, 0, 0,
       0,    1,  0, 0, 2, 0, 0, 0, 3,  0,  0, 0,  4,    0,  0,    0,  5},
      {0, 0, 41, 4, 208, 0, 0, 128, 0, 0, 6, 0, 15, 0, 2, 0, 22},
      {0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, 5, 4, 't', 'e', 'x', 't'},
      // Of a name that the question does not lead to; and one that leads to it from above.
      {1, 'y', 0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 2},
      {0, 0, 39, 0, 1, 0, 0, 0, 60, 0, 3, 1, 'z', 0},
  };
  for (unsigned how = 0; how < 5; ++how)
    for (unsigned question = 0; question < 5; ++question)
      for (unsigned section = 0; section < 3; ++section)
        for (const auto& record : records) {
          packet one{
              static_cast<std::uint8_t>(how << 4 | question), 1, 0, 77, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0};
          if (section == 1) one[5] |= 3;
          one[9 + 2 * section] = 1;
          one.insert(one.end(), record.begin(), record.end());
          to.add(one);
        }
}

void seed_resolv_conf(folder to) {
  to.add("nameserver 10.0.0.10\nsearch a.example b.example\noptions ndots:5\n");
  to.add("# comment\nnameserver fd00::1\r\nnameserver\nnameserver \t192.0.2.1 trailing\ndomain x\n");
  to.add("nameserver [fd00::1]:5300\nnameserver 127.0.0.1:0\nnameserver fe80::1%eth0");
}

// As cache_fuzz.cpp reads them: learn, wait, ask.
void seed_caches(folder to) {
  const packet address{1, 0, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1};
  packet many;
  for (std::uint8_t name = 0; name < 40; ++name) {
    many.insert(many.end(), {0, name, static_cast<std::uint8_t>(address.size())});
    many.insert(many.end(), address.begin(), address.end());
    many.insert(many.end(), {2, name, 0, 1, 0, 25, 2, name, 0, 0, name, 0, 2, name, 0});
  }
  to.add(many);
  packet denial{0, 1, 40, 0, 3, 0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 60, 0, 22, 0, 0};
  denial.resize(3 + 40);
  denial.insert(denial.end(), {2, 1, 0, 1, 0, 255, 2, 1, 0});
  to.add(denial);
}

// The entries of a file; those are behind a header of which an empty table's file is all.
void seed_saved_tables(folder to) {
  const auto header = encode_table(*test::build({}, {}).table).size();
  for (const auto& table : {test::sample_table(), test::full_table()}) {
    const auto file = encode_table(*table);
    to.add(packet(file.begin() + static_cast<std::ptrdiff_t>(header), file.end()));
  }
  to.add(packet{0, 1, 3, 0, 0, 0, 1, 1, 'x', 0, 10, 0, 0, 1, 'o'});
  to.add(packet{4, 16, 3, 0, 0, 0, 1, 1, 'x', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 'o'});
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) {
    std::cerr << "usage: fuzz_seeds FOLDER\n";
    return 2;
  }
  const std::filesystem::path at = words[1];
  seed_caches(folder(at / "cache"));
  seed_queries(folder(at / "query"));
  seed_replies(folder(at / "reply"));
  seed_resolv_conf(folder(at / "resolv_conf"));
  seed_saved_tables(folder(at / "saved_table"));
  return 0;
}
