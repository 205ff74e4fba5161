#pragma once
// What leak_check asks, and what it thinks of the answers. Pure, but for tally::print.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egress::leaks {

using clock = std::chrono::steady_clock;

struct subject {
  bool hijacked = false;
  std::string name;                       // `*.` at its beginning: another name each time
  std::array<std::uint8_t, 4> address{};  // the gateway's
};
using subjects = std::vector<subject>;

enum class type : std::uint16_t { a = 1, cname = 5, mx = 15, txt = 16, aaaa = 28, https = 65, any = 255 };

struct question {
  const subject* about = nullptr;  // of `questions`, which outlives it
  std::string name;
  type kind = type::a;
  bool edns = false, dnssec_ok = false;
  bool gone = false;  // the upstreams say that there is no such name
  // The operator answers it by itself; another type of a hijacked name is the upstreams' to answer.
  bool is_ours() const { return about->hijacked && kind != type::mx && kind != type::txt; }
};

inline std::vector<std::uint8_t> packet_of(const question& what, std::uint16_t id) {
  std::vector<std::uint8_t> made{
      static_cast<std::uint8_t>(id >> 8),  static_cast<std::uint8_t>(id), 1, 0, 0, 1, 0, 0, 0, 0, 0,
      static_cast<std::uint8_t>(what.edns)};
  for (std::size_t at = 0; at < what.name.size();) {
    const auto dot = std::min(what.name.find('.', at), what.name.size());
    made.push_back(static_cast<std::uint8_t>(dot - at));
    made.insert(made.end(), what.name.begin() + static_cast<std::ptrdiff_t>(at),
                what.name.begin() + static_cast<std::ptrdiff_t>(dot));
    at = dot + 1;
  }
  made.insert(made.end(), {0, 0, static_cast<std::uint8_t>(what.kind), 0, 1});
  if (what.edns)
    made.insert(made.end(),
                {0, 0, 41, 4, 208, 0, 0, static_cast<std::uint8_t>(what.dnssec_ok ? 0x80 : 0), 0, 0, 0});
  return made;
}

// Names, types, DO and letter case at random. One query in 1,000 is for a name that no cache can know.
class questions {
 public:
  explicit questions(subjects all) : all_(std::move(all)) {
    for (const auto& one : all_) (one.name.starts_with("*.") ? ever_new_ : known_).push_back(&one);
  }
  questions(const questions&) = delete;
  question next() {
    const bool is_new = !ever_new_.empty() && (known_.empty() || one_in(1000));
    const auto& from = is_new ? ever_new_ : known_;
    const subject* about = from[random_() % from.size()];
    question made{.about = about, .name = about->name, .kind = kind()};
    made.gone = is_new && one_in(4);
    if (is_new) made.name.replace(0, 1, (made.gone ? "gone" : "n") + std::to_string(++counter_));
    if (one_in(4)) mix_case(made.name);
    made.edns = one_in(2);
    made.dnssec_ok = made.edns && one_in(4);
    return made;
  }

 private:
  bool one_in(unsigned n) { return random_() % n == 0; }
  type kind() {
    constexpr std::array all{type::a,  type::a,    type::a,    type::a,    type::a,     type::a,
                             type::a,  type::aaaa, type::aaaa, type::aaaa, type::https, type::https,
                             type::mx, type::txt,  type::any,  type::cname};
    return all[random_() % all.size()];
  }
  // As resolvers do (draft-vixie-dnsext-dns0x20), to be harder to fool.
  void mix_case(std::string& name) {
    for (auto& c : name)
      if (c >= 'a' && c <= 'z' && one_in(2)) c = static_cast<char>(c - 'a' + 'A');
  }

  subjects all_;
  std::vector<const subject*> known_, ever_new_;
  std::uint64_t counter_ = 0;
  std::mt19937 random_{7};
};

inline bool is_answer_to(const question& what, std::span<const std::uint8_t> packet) {
  const auto asked = packet_of(what, 0);
  const std::size_t size = 12 + what.name.size() + 2 + 4;
  return packet.size() >= size &&
         std::ranges::equal(packet.subspan(12, size - 12), std::span(asked).subspan(12, size - 12));
}

inline bool has_real_address(std::span<const std::uint8_t> packet) {
  constexpr std::array<std::uint8_t, 3> v4{203, 0, 113};
  constexpr std::array<std::uint8_t, 4> v6{0x20, 0x01, 0x0d, 0xb8};
  const auto body = packet.subspan(12);
  return !std::ranges::search(body, v4).empty() || !std::ranges::search(body, v6).empty();
}

// Of a CNAME or DNAME: where they lead has this name, and wherever its bytes are, they are there whole once.
inline bool has_alias(std::span<const std::uint8_t> packet) {
  constexpr std::string_view elsewhere = "really-elsewhere";
  return !std::ranges::search(packet.subspan(12), elsewhere).empty();
}

enum class verdict : std::uint8_t { right, stale, servfail, refused, wrong, leaked };

// The one answer that a hijacked name has: its gateway's address for A, no data for what could lead around
// it. Below a wildcard it may be that there is no such name; while the upstreams are silent nobody knows.
inline verdict judge(const question& what, std::span<const std::uint8_t> packet) {
  if (what.about->hijacked && (has_real_address(packet) || has_alias(packet))) return verdict::leaked;
  const auto rcode = packet[3] & 15;
  if (rcode == 2) return verdict::servfail;
  if (rcode == 5) return verdict::refused;
  if (rcode == 3 && what.gone) return verdict::right;
  if (!what.is_ours()) return rcode == 0 ? verdict::right : verdict::wrong;
  if (rcode != 0) return verdict::wrong;
  const auto answers = packet[6] << 8 | packet[7];
  if (what.kind == type::aaaa || what.kind == type::https || what.kind == type::cname)
    return answers == 0 ? verdict::right : verdict::wrong;
  if (what.kind == type::any) return verdict::right;
  // A name, type, class, TTL, the length 4, and the address: TTL 0 is CoreDNS's word for stale.
  const auto found = std::ranges::search(packet, what.about->address);
  if (answers != 1 || found.empty()) return verdict::wrong;
  const auto* ttl = &*found.begin() - 6;
  return ttl[0] == 0 && ttl[1] == 0 && ttl[2] == 0 && ttl[3] == 0 ? verdict::stale : verdict::right;
}

class tally {
 public:
  void sent() { ++asked_; }
  std::uint64_t asked() const { return asked_; }
  std::uint64_t leaked() const { return of(true, verdict::leaked) + of(false, verdict::leaked); }

  void take(const question& what, std::span<const std::uint8_t> packet) {
    const auto found = judge(what, packet);
    ++counts_[what.is_ours() ? 1 : 0][static_cast<std::size_t>(found)];
    if (found == verdict::leaked || found == verdict::wrong) show(what, packet, found);
  }
  void lost(const question& what) { ++lost_[what.is_ours() ? 1 : 0]; }

  void print(clock::duration since) const {
    std::printf("{\"asked\": %lu, \"seconds\": %.2f", asked_, std::chrono::duration<double>(since).count());
    for (const bool ours : {true, false}) {
      std::printf(", \"%s\": {\"lost\": %lu", ours ? "hijacked" : "other", lost_[ours ? 1 : 0]);
      for (std::size_t i = 0; i < names.size(); ++i)
        std::printf(", \"%s\": %lu", names[i].data(), of(ours, static_cast<verdict>(i)));
      std::printf("}");
    }
    std::printf("}\n");
    std::fflush(stdout);
  }

 private:
  static constexpr std::array<std::string_view, 6> names{"right",   "stale", "servfail",
                                                         "refused", "wrong", "leaked"};

  std::uint64_t of(bool ours, verdict what) const {
    return counts_[ours ? 1 : 0][static_cast<std::size_t>(what)];
  }
  void show(const question& what, std::span<const std::uint8_t> packet, verdict found) {
    if (++shown_ > 10) return;
    std::fprintf(stderr, "%s: %s type %u edns %d do %d:", names[static_cast<std::size_t>(found)].data(),
                 what.name.c_str(), static_cast<unsigned>(what.kind), what.edns, what.dnssec_ok);
    for (const auto byte : packet) std::fprintf(stderr, " %02x", byte);
    std::fprintf(stderr, "\n");
  }

  std::uint64_t asked_ = 0;
  std::array<std::uint64_t, 2> lost_{};
  std::array<std::array<std::uint64_t, 6>, 2> counts_{};
  unsigned shown_ = 0;
};

}  // namespace egress::leaks
