#include "runtime/kube/json_text.hpp"

#include <algorithm>
#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>
#include <vector>

namespace egress::json {
namespace {

std::vector<const boost::json::key_value_pair*> sorted_members(const object& from) {
  std::vector<const boost::json::key_value_pair*> members;
  members.reserve(from.size());
  for (const auto& member : from) members.push_back(&member);
  std::ranges::sort(members, {}, [](const auto* member) { return std::string_view(member->key()); });
  return members;
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view with_a_letter = "\b\t\n\f\r\"\\", letters = "btnfr\"\\",
                             digits = "0123456789abcdef";
  out += '\\';
  if (const auto at = with_a_letter.find(c); at != std::string_view::npos) {
    out += letters[at];
    return;
  }
  out += "u00";
  out += digits[static_cast<unsigned char>(c) >> 4U];
  out += digits[static_cast<unsigned char>(c) & 15U];
}

// As boost::json::serialize() writes it, but without an allocation.
void append_string(std::string& out, std::string_view text) {
  const auto special = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; };
  out += '"';
  while (!text.empty()) {
    const auto plain = std::ranges::find_if(text, special);
    const auto length = static_cast<std::size_t>(plain - text.begin());
    out += text.substr(0, length);
    if (plain != text.end()) append_escaped(out, *plain);
    text.remove_prefix(std::min(text.size(), length + 1));
  }
  out += '"';
}

void append_canonical(std::string& out, const value& what);

void append_canonical(std::string& out, const object& all) {
  char before = '{';
  for (const auto* member : sorted_members(all)) {
    out += before;
    append_string(out, member->key());
    out += ':';
    append_canonical(out, member->value());
    before = ',';
  }
  out += all.empty() ? "{}" : "}";
}

void append_canonical(std::string& out, const value& what) {
  if (const auto* all = what.if_object()) {
    append_canonical(out, *all);
  } else if (const auto* items = what.if_array()) {
    char before = '[';
    for (const auto& item : *items) {
      out += before;
      append_canonical(out, item);
      before = ',';
    }
    out += items->empty() ? "[]" : "]";
  } else if (const auto* text = what.if_string()) {
    append_string(out, *text);
  } else {
    out += boost::json::serialize(what);
  }
}

void append_pretty(std::string& out, const value& what, std::size_t indent) {
  const auto* all = what.if_object();
  const auto* items = what.if_array();
  if ((all == nullptr || all->empty()) && (items == nullptr || items->empty())) {
    out += boost::json::serialize(what);
    return;
  }
  bool first = true;
  const auto new_line = [&] {
    if (!first) out += ',';
    first = false;
    out += '\n';
    out.append(indent + 2, ' ');
  };
  out += all != nullptr ? '{' : '[';
  if (all != nullptr) {
    for (const auto& member : *all) {
      new_line();
      out += boost::json::serialize(member.key());
      out += ": ";
      append_pretty(out, member.value(), indent + 2);
    }
  } else {
    for (const auto& item : *items) {
      new_line();
      append_pretty(out, item, indent + 2);
    }
  }
  out += '\n';
  out.append(indent, ' ');
  out += all != nullptr ? '}' : ']';
}

}  // namespace

result<value> parse(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = 100;
  boost::json::parser parser({}, options);
  boost::json::error_code failed;
  const auto read = parser.write_some(text.data(), text.size(), failed);
  if (failed == boost::json::error::incomplete)
    return fail("not JSON at byte {}: the text ends too early", text.size());
  if (failed) return fail("not JSON at byte {}: {}", read, failed.message());
  if (read < text.size()) return fail("not JSON at byte {}: more text after the end", read);
  return parser.release();
}

result<object> parse_object(std::string_view text) {
  auto parsed = parse(text);
  if (!parsed) return std::unexpected(parsed.error());
  if (!parsed->is_object()) return fail("{} where a JSON object belongs", type_name(*parsed));
  return std::move(parsed->get_object());
}

std::string to_text(const value& what) {
  return boost::json::serialize(what);
}

std::string to_text(const object& what) {
  return boost::json::serialize(what);
}

std::string canonical_text(const value& what) {
  std::string out;
  append_canonical(out, what);
  return out;
}

std::string canonical_text(const object& what) {
  std::string out;
  out.reserve(4096);
  append_canonical(out, what);
  return out;
}

std::string pretty_text(const value& what) {
  std::string out;
  append_pretty(out, what, 0);
  out += '\n';
  return out;
}

std::string_view text_at(const object& in, std::string_view name) {
  const auto* found = in.if_contains(name);
  const auto* text = found ? found->if_string() : nullptr;
  return text ? std::string_view(*text) : std::string_view();
}

std::string_view type_name(const value& what) {
  switch (what.kind()) {
    case boost::json::kind::null:
      return "null";
    case boost::json::kind::bool_:
      return "a boolean";
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
    case boost::json::kind::double_:
      return "a number";
    case boost::json::kind::string:
      return "a string";
    case boost::json::kind::array:
      return "a list";
    case boost::json::kind::object:
      return "an object";
  }
  return "a value";
}

}  // namespace egress::json
