#include "actors/reconciler/yaml_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <iterator>
#include <string_view>

#include "actors/reconciler/yaml_scalar.hpp"

namespace egress::yaml {
namespace {

void append_node(std::string& out, const json::value& node, std::size_t indent);

std::string_view view(const json::string& text) {
  return {text.data(), text.size()};
}

bool block(const json::value& node) {
  return (node.is_object() && !node.get_object().empty()) || (node.is_array() && !node.get_array().empty());
}

// A scalar or an empty container, on the line that is open.
void append_inline(std::string& out, const json::value& node, std::size_t indent) {
  switch (node.kind()) {
    case boost::json::kind::null:
      out += "null";
      break;
    case boost::json::kind::bool_:
      out += node.get_bool() ? "true" : "false";
      break;
    case boost::json::kind::int64:
      fmt::format_to(std::back_inserter(out), "{}", node.get_int64());
      break;
    case boost::json::kind::uint64:
      fmt::format_to(std::back_inserter(out), "{}", node.get_uint64());
      break;
    case boost::json::kind::double_:
      fmt::format_to(std::back_inserter(out), "{}", node.get_double());
      break;
    case boost::json::kind::string:
      append_string(out, view(node.get_string()), indent);
      break;
    case boost::json::kind::array:
      out += "[]";
      break;
    case boost::json::kind::object:
      out += "{}";
      break;
  }
}

// The cursor stands where the first key belongs; later keys are indented.
void append_object(std::string& out, const json::object& members, std::size_t indent) {
  boost::container::small_vector<const json::object::value_type*, 16> sorted;
  for (const auto& member : members) sorted.push_back(&member);
  std::ranges::sort(sorted, {}, [](const auto* member) { return std::string_view(member->key()); });
  bool first = true;
  for (const auto* member : sorted) {
    if (!std::exchange(first, false)) out.append(indent, ' ');
    append_string(out, std::string_view(member->key()), indent);
    out += ':';
    const auto& value = member->value();
    if (!block(value)) {
      out += ' ';
      append_inline(out, value, indent + 2);
      out += '\n';
      continue;
    }
    const std::size_t deeper = value.is_array() ? indent : indent + 2;
    out += '\n';
    out.append(deeper, ' ');
    append_node(out, value, deeper);
  }
}

void append_array(std::string& out, const json::array& items, std::size_t indent) {
  bool first = true;
  for (const auto& item : items) {
    if (!std::exchange(first, false)) out.append(indent, ' ');
    out += "- ";
    append_node(out, item, indent + 2);
  }
}

void append_node(std::string& out, const json::value& node, std::size_t indent) {
  if (!block(node)) {
    append_inline(out, node, indent);
    out += '\n';
  } else if (node.is_object()) {
    append_object(out, node.get_object(), indent);
  } else {
    append_array(out, node.get_array(), indent);
  }
}

}  // namespace

void append_document(std::string& out, const json::object& root) {
  if (root.empty())
    out += "{}\n";
  else
    append_object(out, root, 0);
}

std::string to_text(const json::object& root) {
  std::string out;
  append_document(out, root);
  return out;
}

}  // namespace egress::yaml
