#include "actors/reconciler/yaml_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <iterator>
#include <string_view>

#include "actors/reconciler/growing_hash.hpp"
#include "actors/reconciler/yaml_scalar.hpp"

namespace egress::yaml {
namespace {

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

class writer {
 public:
  // `hash` may be null: it follows what is written to `out`.
  writer(std::string& out, growing_hash* hash) : out_(out), hash_(hash) {}

  void write_document(const json::object& root) {
    if (root.empty())
      out_ += "{}\n";
    else
      write_object(root, 0);
    if (hash_) hash_->follow(out_);
  }

 private:
  void write_node(const json::value& node, std::size_t indent) {
    if (!block(node)) {
      append_inline(out_, node, indent);
      out_ += '\n';
    } else if (node.is_object()) {
      write_object(node.get_object(), indent);
    } else {
      write_array(node.get_array(), indent);
    }
  }

  // The cursor stands where the first key belongs; later keys are indented.
  void write_object(const json::object& members, std::size_t indent) {
    boost::container::small_vector<const json::object::value_type*, 16> sorted;
    for (const auto& member : members) sorted.push_back(&member);
    std::ranges::sort(sorted, {}, [](const auto* member) { return std::string_view(member->key()); });
    bool first = true;
    for (const auto* member : sorted) {
      if (hash_) hash_->follow(out_);
      if (!std::exchange(first, false)) out_.append(indent, ' ');
      write_member(member->key(), member->value(), indent);
    }
  }

  void write_member(std::string_view key, const json::value& value, std::size_t indent) {
    append_string(out_, key, indent);
    out_ += ':';
    if (!block(value)) {
      out_ += ' ';
      append_inline(out_, value, indent + 2);
      out_ += '\n';
      return;
    }
    const std::size_t deeper = value.is_array() ? indent : indent + 2;
    out_ += '\n';
    out_.append(deeper, ' ');
    write_node(value, deeper);
  }

  void write_array(const json::array& items, std::size_t indent) {
    bool first = true;
    for (const auto& item : items) {
      if (!std::exchange(first, false)) out_.append(indent, ' ');
      out_ += "- ";
      write_node(item, indent + 2);
    }
  }

  std::string& out_;
  growing_hash* hash_;
};

}  // namespace

void append_document(std::string& out, const json::object& root) {
  writer(out, nullptr).write_document(root);
}

std::string to_text(const json::object& root) {
  std::string out;
  append_document(out, root);
  return out;
}

hashed_text to_hashed_text(const json::object& root) {
  hashed_text made;
  made.text.reserve(std::size_t{16} * 1024);
  growing_hash hash;
  writer(made.text, &hash).write_document(root);
  made.hash = hash.value();
  return made;
}

}  // namespace egress::yaml
