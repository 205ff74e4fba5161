#include "runtime/kube/json_bytes.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <string_view>

namespace egress::json {
namespace {

// Each value begins with a letter that tells its type; what has no fixed length tells it before.
void append_word(std::string& out, std::uint64_t word) {
  const auto bytes = std::bit_cast<std::array<char, sizeof word>>(word);
  out.append(bytes.data(), bytes.size());
}

void append_string(std::string& out, std::string_view text) {
  append_word(out, text.size());
  out += text;
}

void append_value(std::string& out, const value& what);

void append_object(std::string& out, const object& all) {
  boost::container::small_vector<const boost::json::key_value_pair*, 16> members;
  for (const auto& member : all) members.push_back(&member);
  std::ranges::sort(members, {}, [](const auto* member) { return std::string_view(member->key()); });
  append_word(out, members.size());
  for (const auto* member : members) {
    append_string(out, member->key());
    append_value(out, member->value());
  }
}

void append_array(std::string& out, const array& items) {
  append_word(out, items.size());
  for (const auto& item : items) append_value(out, item);
}

void append_value(std::string& out, const value& what) {
  switch (what.kind()) {
    case boost::json::kind::null:
      out += 'n';
      return;
    case boost::json::kind::bool_:
      out += what.get_bool() ? 't' : 'f';
      return;
    case boost::json::kind::int64:
      out += what.get_int64() < 0 ? '-' : '+';
      return append_word(out, static_cast<std::uint64_t>(what.get_int64()));
    case boost::json::kind::uint64:
      out += '+';
      return append_word(out, what.get_uint64());
    case boost::json::kind::double_:
      out += 'd';
      return append_word(out, std::bit_cast<std::uint64_t>(what.get_double()));
    case boost::json::kind::string:
      out += 's';
      return append_string(out, std::string_view(what.get_string()));
    case boost::json::kind::array:
      out += '[';
      return append_array(out, what.get_array());
    case boost::json::kind::object:
      out += '{';
      return append_object(out, what.get_object());
  }
}

}  // namespace

std::string canonical_bytes(const object& what) {
  std::string out;
  out.reserve(4096);
  append_object(out, what);
  return out;
}

}  // namespace egress::json
