#pragma once
// Queries that are no good, or look it, and what becomes of each (RFC 1035, 6891, 6895, 7873).

#include <cctype>

#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {

enum class fate { dropped, formerr, notimp, refused, badvers, forwarded };

inline unsigned code_of(fate one) {
  switch (one) {
    case fate::formerr:
      return 1;
    case fate::notimp:
      return 4;
    case fate::badvers:
      return 16;
    default:
      return 5;
  }
}

struct odd_query {
  std::string what;
  packet bytes;
  fate becomes = fate::dropped;
  bool has_opt = false;  // that can be seen: so does the answer
};

// What is asked and how often; counts of records; then all that follows.
inline packet message(unsigned flags, std::array<unsigned, 4> counts, const packet& rest) {
  packet made;
  put16(made, 0x1234);
  put16(made, flags);
  for (const auto count : counts) put16(made, count);
  made.insert(made.end(), rest.begin(), rest.end());
  return made;
}
inline packet joined(std::initializer_list<packet> parts) {
  packet whole;
  for (const auto& one : parts) whole.insert(whole.end(), one.begin(), one.end());
  return whole;
}

inline const packet a_in{0, 1, 0, 1};
inline const packet bare_opt{0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0};

// The name, whatever its bytes are, asked for its address.
inline packet asking(const packet& name, const packet& type_and_class = a_in) {
  return message(flag::rd, {1, 0, 0, 0}, joined({name, type_and_class}));
}
// example.com with these in the additional section.
inline packet with_additional(unsigned count, const packet& records) {
  return message(flag::rd, {1, 0, 0, count}, joined({name_in_case("example.com"), a_in, records}));
}
inline packet without_last(packet whole, std::size_t bytes = 1) {
  whole.resize(whole.size() - bytes);
  return whole;
}
inline packet labels_of(std::initializer_list<std::size_t> sizes) {
  packet name;
  for (const auto size : sizes) {
    name.push_back(static_cast<std::uint8_t>(size));
    name.insert(name.end(), size, 'a');
  }
  name.push_back(0);
  return name;
}

inline packet one_label(std::string_view text) {
  packet name{static_cast<std::uint8_t>(text.size())};
  name.insert(name.end(), text.begin(), text.end());
  name.push_back(0);
  return name;
}

inline std::vector<odd_query> odd_headers() {
  const packet good = ask{}.make();
  const packet question = joined({name_in_case("example.com"), a_in});
  std::vector<odd_query> all{
      {"nothing", {}, fate::dropped},
      {"a byte less than a header", packet(11), fate::dropped},
      {"an answer", ask{.flags = flag::qr}.make(), fate::dropped},
      {"an answer that is only a header", message(flag::qr, {0, 0, 0, 0}, {}), fate::dropped},
      {"an answer to a NOTIFY", ask{.flags = flag::qr | 4 << 11}.make(), fate::dropped},
      {"a header alone", message(0, {0, 0, 0, 0}, {}), fate::formerr},
      {"a header alone that promises a question", message(0, {1, 0, 0, 0}, {}), fate::formerr},
      {"QDCOUNT 0 before a question", message(0, {0, 0, 0, 0}, question), fate::formerr},
      {"QDCOUNT 2", message(0, {2, 0, 0, 0}, joined({question, question})), fate::formerr},
      {"QDCOUNT 2 before one question", message(0, {2, 0, 0, 0}, question), fate::formerr},
      {"QDCOUNT 65535", message(0, {65535, 0, 0, 0}, question), fate::formerr},
      {"ANCOUNT without a record", message(0, {1, 1, 0, 0}, question), fate::formerr},
      {"NSCOUNT without a record", message(0, {1, 0, 1, 0}, question), fate::formerr},
      {"ARCOUNT without a record", message(0, {1, 0, 0, 1}, question), fate::formerr},
      {"OPT as an answer", message(0, {1, 1, 0, 0}, joined({question, bare_opt})), fate::formerr, true},
      {"a header and OPT", message(0, {0, 0, 0, 1}, bare_opt), fate::formerr, true},
      {"QDCOUNT 2 with OPT", message(0, {2, 0, 0, 1}, joined({question, question, bare_opt})), fate::formerr,
       true},
      {"a record as an answer, and OPT",
       message(0, {1, 1, 0, 1}, joined({question, {0}, a_in, {0, 0, 0, 0, 0, 0}, bare_opt})), fate::formerr,
       true},
      {"a byte behind the question", joined({good, {0}}), fate::formerr},
      {"a byte behind OPT", with_additional(1, joined({bare_opt, {0}})), fate::formerr, true},
      {"a record that is not counted", with_additional(0, bare_opt), fate::formerr},
  };
  // IQUERY, STATUS, one that is not assigned, NOTIFY, UPDATE, DSO, and the last one.
  for (const unsigned opcode : {1u, 2u, 3u, 4u, 5u, 6u, 15u})
    all.push_back(
        {"opcode " + std::to_string(opcode), ask{.flags = opcode << 11 | flag::rd}.make(), fate::notimp});
  all.push_back({"NOTIFY without a question", message(4 << 11, {0, 0, 0, 0}, {}), fate::notimp});
  all.push_back({"STATUS with OPT", ask{.flags = 2 << 11, .edns = true}.make(), fate::notimp, true});
  all.push_back(
      {"STATUS without a question, with OPT", message(2 << 11, {0, 0, 0, 1}, bare_opt), fate::notimp, true});
  all.push_back({"an opcode we do not know with half an OPT",
                 message(3 << 11, {0, 0, 0, 1}, without_last(bare_opt)), fate::notimp});
  all.push_back({"an opcode we do not know with half a question, and OPT",
                 message(3 << 11, {2, 0, 0, 1}, joined({question, bare_opt})), fate::notimp});
  all.push_back({"UPDATE with OPT behind its records",
                 message(5 << 11, {1, 0, 1, 1}, joined({question, {0}, a_in, {0, 0, 0, 0, 0, 0}, bare_opt})),
                 fate::notimp, true});
  return all;
}

inline std::vector<odd_query> odd_questions() {
  std::vector<odd_query> all{
      {"a pointer to itself", asking({0xc0, 12}), fate::formerr},
      {"a pointer forward", asking({0xc0, 14, 0}), fate::formerr},
      {"a pointer backward, into the header", asking({0xc0, 4}), fate::formerr},
      {"two pointers to each other", asking({0xc0, 14, 0xc0, 12}), fate::formerr},
      {"a pointer behind a label, to it", asking({1, 'a', 0xc0, 12}), fate::formerr},
      {"half a pointer", asking({0xc0}, {}), fate::formerr},
      {"label type 01 (RFC 2673)", asking({0x41, 8, 0xff, 0}), fate::formerr},
      {"label type 10", asking({0x80, 'a', 0}), fate::formerr},
      {"a name of 255 bytes", asking(labels_of({63, 63, 63, 61})), fate::forwarded},
      {"a name of 256 bytes", asking(labels_of({63, 63, 63, 62})), fate::formerr},
      {"a name of 400 bytes", asking(labels_of({63, 63, 63, 63, 63, 63, 14})), fate::formerr},
      {"a name without an end", asking({3, 'c', 'o', 'm'}, {}), fate::formerr},
      {"a label that is longer than the packet", asking({60, 'c', 'o', 'm'}, {}), fate::formerr},
      {"no type", asking(name_in_case("example.com"), {}), fate::formerr},
      {"no class", asking(name_in_case("example.com"), {0, 1}), fate::formerr},
      {"half a class", without_last(ask{}.make()), fate::formerr},
      {"a dot inside a label: not the hijacked example.com", asking(one_label("example.com")),
       fate::forwarded},
      {"a NUL inside a label", asking({8, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 3, 'c', 'o', 'm', 0}),
       fate::forwarded},
      {"a NUL before the end of a label",
       asking({8, 0, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 3, 'c', 'o', 'm', 0}), fate::forwarded},
      {"bytes that are no text", asking({2, 0xff, 0x80, 0}), fate::forwarded},
  };
  for (const unsigned rr_class : {0u, 2u, 3u, 4u, 254u, 255u, 65535u})
    all.push_back({"class " + std::to_string(rr_class), ask{.rr_class = rr_class}.make(), fate::refused});
  for (const unsigned type : {rr::axfr, rr::ixfr, rr::opt, rr::tsig, rr::tkey})
    all.push_back({"type " + std::to_string(type), ask{.type = type}.make(), fate::refused});
  return all;
}

inline std::vector<odd_query> odd_edns() {
  const packet owned_opt = joined({{1, 'a'}, bare_opt});
  const packet long_opt{0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 9};
  const auto options = [](packet data) { return ask{.edns = true, .options = std::move(data)}.make(); };
  return {
      {"an option that we do not know",
       ask{.name = "other.org", .edns = true, .options = {0xff, 0, 0, 1, 1}}.make(), fate::forwarded},
      {"two OPT records", with_additional(2, joined({bare_opt, bare_opt})), fate::formerr, true},
      {"OPT that is not the root's", with_additional(1, owned_opt), fate::formerr},
      {"OPT that is longer than the packet", with_additional(1, long_opt), fate::formerr},
      {"half an OPT", with_additional(1, without_last(bare_opt, 5)), fate::formerr},
      {"an option that is longer than OPT", options({0, 8, 0, 9, 1}), fate::formerr, true},
      {"half an option's head", options({0, 8, 0}), fate::formerr, true},
      {"a cookie of 7 bytes", options({0, 10, 0, 7, 1, 2, 3, 4, 5, 6, 7}), fate::formerr, true},
      {"a cookie of 9 bytes", options({0, 10, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9}), fate::formerr, true},
      {"EDNS version 1", ask{.edns = true, .version = 1}.make(), fate::badvers, true},
      {"EDNS version 255", ask{.edns = true, .version = 255}.make(), fate::badvers, true},
      {"EDNS version 1 in another class", ask{.rr_class = 3, .edns = true, .version = 1}.make(),
       fate::badvers, true},
  };
}

// As GoogleTest wants names.
inline std::string test_name(std::string text) {
  for (auto& c : text)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return text;
}

inline std::vector<odd_query> odd_queries() {
  auto all = odd_headers();
  for (const auto& more : {odd_questions(), odd_edns()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace egress::dns::test
