#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "runtime/devserver/patch.hpp"
#include "runtime/devserver/tree.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress::dev {
namespace {

using step_result = std::expected<void, std::string>;
using steps = std::vector<std::string>;

std::unexpected<std::string> no(std::string why) {
  return std::unexpected(std::move(why));
}

// RFC 6901: ~1 is a slash, ~0 a tilde.
std::optional<steps> parse_pointer(std::string_view text) {
  steps found;
  if (text.empty()) return found;
  if (text.front() != '/') return std::nullopt;
  for (const char c : text) {
    if (c == '/')
      found.emplace_back();
    else if (found.back().ends_with('~') && (c == '0' || c == '1') && !found.back().ends_with("~~"))
      found.back().back() = c == '1' ? '/' : '\x01';
    else
      found.back() += c;
  }
  for (auto& one : found)
    for (auto& c : one)
      if (c == '\x01') c = '~';
  return found;
}

std::optional<std::size_t> index_in(const json::array& items, const std::string& step, bool may_append) {
  if (step == "-") return may_append ? std::optional{items.size()} : std::nullopt;
  std::size_t index = 0;
  const auto [end, code] = std::from_chars(step.data(), step.data() + step.size(), index);
  if (code != std::errc{} || end != step.data() + step.size()) return std::nullopt;
  if (step.size() > 1 && step.front() == '0') return std::nullopt;
  if (index >= items.size() + (may_append ? 1 : 0)) return std::nullopt;
  return index;
}

json::value* child_of(json::value& in, const std::string& step) {
  if (auto* const members = in.if_object()) return members->if_contains(step);
  auto* const items = in.if_array();
  if (items == nullptr) return nullptr;
  const auto index = index_in(*items, step, false);
  return index ? &(*items)[*index] : nullptr;
}

json::value* resolve(json::value& root, const steps& to, std::size_t count) {
  auto* at = &root;
  for (std::size_t i = 0; i < count && at != nullptr; ++i) at = child_of(*at, to[i]);
  return at;
}

step_result add(json::value& root, const steps& to, json::value what) {
  if (to.empty()) return root = std::move(what), step_result{};
  auto* const parent = resolve(root, to, to.size() - 1);
  if (parent == nullptr) return no("the parent of its path does not exist");
  if (auto* const members = parent->if_object())
    return (*members)[to.back()] = std::move(what), step_result{};
  auto* const items = parent->if_array();
  if (items == nullptr) return no("the parent of its path is neither an object nor an array");
  const auto index = index_in(*items, to.back(), true);
  if (!index) return no("its index is out of range");
  items->insert(items->begin() + static_cast<std::ptrdiff_t>(*index), std::move(what));
  return {};
}

step_result remove(json::value& root, const steps& to) {
  if (to.empty() || resolve(root, to, to.size()) == nullptr) return no("its path does not exist");
  auto* const parent = resolve(root, to, to.size() - 1);
  if (auto* const members = parent->if_object()) return remove_member(*members, to.back()), step_result{};
  auto& items = parent->get_array();
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(*index_in(items, to.back(), false)));
  return {};
}

step_result move_or_copy(json::value& root, const steps& from, const steps& to, bool move) {
  auto* const source = resolve(root, from, from.size());
  if (source == nullptr) return no("its from does not exist");
  auto value = *source;
  if (move) {
    // RFC 6902, 4.4: a value cannot be moved into one of its children.
    if (to.size() > from.size() && std::equal(from.begin(), from.end(), to.begin()))
      return no("it moves a value into itself");
    if (auto removed = remove(root, from); !removed) return removed;
  }
  return add(root, to, std::move(value));
}

step_result apply(json::value& root, const json::object& operation) {
  const auto name = text_at(operation, {"op"});
  const auto* const path_text = find(operation, {"path"});
  if (path_text == nullptr || !path_text->is_string()) return no("it has no path");
  const auto to = parse_pointer(text_at(operation, {"path"}));
  if (!to) return no("its path is no JSON pointer");
  if (name == "remove") return remove(root, *to);
  if (name == "move" || name == "copy") {
    const auto from = parse_pointer(text_at(operation, {"from"}));
    if (!from) return no("its from is no JSON pointer");
    return move_or_copy(root, *from, *to, name == "move");
  }
  const auto* const value = find(operation, {"value"});
  if (value == nullptr) return no("it has no value");
  if (name == "add") return add(root, *to, *value);
  auto* const present = resolve(root, *to, to->size());
  if (name == "replace") {
    if (present == nullptr) return no("its path does not exist");
    *present = *value;
    return {};
  }
  if (name != "test") return no(fmt::format("there is no operation \"{}\"", name));
  if (present == nullptr || *present != *value) return no("the test failed");
  return {};
}

}  // namespace

std::expected<json::value, std::string> json_patched(json::value base, const json::value& operations) {
  const auto* const all = operations.if_array();
  if (all == nullptr) return no("a JSON patch is an array of operations");
  for (std::size_t i = 0; i < all->size(); ++i) {
    const auto* const one = (*all)[i].if_object();
    if (one == nullptr) return no(fmt::format("operation {} is no object", i));
    if (auto done = apply(base, *one); !done)
      return no(fmt::format("operation {} ({}): {}", i, json::to_text((*all)[i]), done.error()));
  }
  return base;
}

}  // namespace egress::dev
