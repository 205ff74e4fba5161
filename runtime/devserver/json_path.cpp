#include "runtime/devserver/json_path.hpp"

#include <algorithm>

#include "runtime/devserver/tree.hpp"

namespace egress::dev {
namespace {

constexpr std::string_view filter_start = "[?(@.", filter_end = "\")]";

// Takes "[?(@.name=="value")]" off the path and finds the item it chooses.
const json::value* chosen(const json::value& in, std::string_view& path) {
  const auto end = path.find(filter_end);
  const auto sign = path.find("==\"");
  if (!in.is_array() || end == std::string_view::npos || sign == std::string_view::npos || sign > end)
    return nullptr;
  const auto member = path.substr(filter_start.size(), sign - filter_start.size());
  const auto wanted = path.substr(sign + 3, end - sign - 3);
  path.remove_prefix(end + filter_end.size());
  for (const auto& item : in.get_array())
    if (item.is_object() && text_at(item.get_object(), {member}) == wanted) return &item;
  return nullptr;
}

}  // namespace

json::value json_path_first(const json::object& in, std::string_view path) {
  const json::value whole(in);
  const json::value* at = &whole;
  while (!path.empty() && at != nullptr) {
    if (path.starts_with(filter_start)) {
      at = chosen(*at, path);
    } else if (path.front() == '.') {
      const auto end = std::min(path.find_first_of(".[", 1), path.size());
      const auto* const members = at->if_object();
      at = members == nullptr ? nullptr : members->if_contains(path.substr(1, end - 1));
      path.remove_prefix(end);
    } else {
      at = nullptr;
    }
  }
  return at == nullptr ? json::value{} : *at;
}

}  // namespace egress::dev
