#include "actors/reconciler/ineffective.hpp"

#include <iterator>
#include <string_view>
#include <vector>

#include "runtime/kube/json_text.hpp"
#include "runtime/net/keyed_digest.hpp"

namespace egress::reconciler {
namespace {

using std::string_view;

// RFC 6901: ~ and / inside a token.
std::vector<std::string> tokens(string_view pointer) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/')
      out.emplace_back();
    else if (pointer[i] == '~' && i + 1 < pointer.size())
      out.back() += pointer[++i] == '1' ? '/' : '~';
    else if (!out.empty())
      out.back() += pointer[i];
  }
  return out;
}

std::size_t index_of(const std::string& token, std::size_t size) {
  std::size_t out = 0;
  for (const char c : token) {
    if (c < '0' || c > '9' || out > size) return size;
    out = out * 10 + static_cast<std::size_t>(c - '0');
  }
  return token.empty() ? size : out;
}

const json::value* child_of(const json::value& in, const std::string& token) {
  if (const auto* members = in.if_object()) return members->if_contains(token);
  if (const auto* items = in.if_array()) return items->if_contains(index_of(token, items->size()));
  return nullptr;
}

// Null: it leads nowhere.
const json::value* at(const json::value& tree, const std::vector<std::string>& path) {
  const auto* here = &tree;
  for (const auto& token : path)
    if (here = child_of(*here, token); !here) break;
  return here;
}

kube::digest digest_at(const json::value& tree, const std::vector<std::string>& path) {
  const auto* value = at(tree, path);
  return net::keyed_digest(value ? json::to_text(*value) : "");
}

// Makes what `path` names from `depth` on in `wanted` as it is in `live`.
void take_from_live(json::value& wanted, const json::value& live, const std::vector<std::string>& path,
                    std::size_t depth) {
  if (depth == path.size()) {
    wanted = live;
  } else if (wanted.is_object() && live.is_object()) {
    auto& object = wanted.get_object();
    static const json::value nothing = json::object();
    const auto* theirs = live.get_object().if_contains(path[depth]);
    if (depth + 1 < path.size()) {
      if (auto* ours = object.if_contains(path[depth]))
        take_from_live(*ours, theirs ? *theirs : nothing, path, depth + 1);
    } else if (theirs) {
      object[path[depth]] = *theirs;
    } else {
      object.erase(path[depth]);
    }
  } else if (wanted.is_array() && live.is_array() && wanted.get_array().size() == live.get_array().size()) {
    const auto index = index_of(path[depth], live.get_array().size());
    if (index < live.get_array().size())
      take_from_live(wanted.get_array()[index], live.get_array()[index], path, depth + 1);
  }
}

}  // namespace

ineffective_fields unchanged(const pointers& where, const json::object& wanted, const json::object& live) {
  ineffective_fields out;
  const json::value ours = wanted, theirs = live;
  for (const auto& pointer : where) {
    const auto path = tokens(pointer);
    out.insert({pointer, digest_at(ours, path), digest_at(theirs, path)});
  }
  return out;
}

json::object leaving(json::object wanted, const json::object& live, const ineffective_fields& alone) {
  if (alone.empty()) return wanted;
  json::value tree = std::move(wanted);
  const json::value theirs = live;
  for (const auto& field : alone) {
    const auto path = tokens(field.pointer);
    if (digest_at(tree, path) == field.wanted && digest_at(theirs, path) == field.stayed)
      take_from_live(tree, theirs, path, 0);
  }
  return tree.as_object();
}

bool remember(ineffective_fields& known, const ineffective_field& one) {
  if (known.size() >= fields_of_a_kind || known.contains(one)) return false;
  const auto first = known.lower_bound({one.pointer, {}, {}});
  std::size_t same = 0;
  for (auto at = first; at != known.end() && at->pointer == one.pointer; ++at) ++same;
  // Digests have no order that means anything: any of them makes room.
  if (same >= values_of_a_field) known.erase(first);
  known.insert(one);
  return same == 0;
}

}  // namespace egress::reconciler
