#include "runtime/kube/manifest.hpp"

#include "runtime/kube/decode.hpp"
#include "runtime/kube/json_text.hpp"
#include "runtime/kube/known_fields.hpp"
#include "runtime/kube/yaml_tree.hpp"

namespace egress::kube {
namespace {

json::array* items_of_list(json::object& in) {
  auto* items = json::text_at(in, "kind").ends_with("List") ? in.if_contains("items") : nullptr;
  return items == nullptr ? nullptr : items->if_array();
}

// The lines below a path, by the path from there.
std::map<std::string, int> lines_below(const std::map<std::string, int>& lines, const std::string& path) {
  const auto prefix = path + ".";
  std::map<std::string, int> out;
  for (auto at = lines.lower_bound(prefix); at != lines.end() && at->first.starts_with(prefix); ++at)
    out.emplace_hint(out.end(), at->first.substr(prefix.size()), at->second);
  return out;
}

result<void> add_object(json::value value, manifest place, std::vector<manifest>& out) {
  const auto here = [&](std::string_view path) {
    return fmt::format("{}:{}", place.file, place.line_of(path));
  };
  auto* object = value.if_object();
  if (object == nullptr) return fail("{}: {} where an API object belongs", here(""), json::type_name(value));
  for (const std::string_view name : {"apiVersion", "kind"})
    if (json::text_at(*object, name).empty()) return fail("{}: {}: missing, or no string", here(name), name);
  if (auto* items = items_of_list(*object)) {
    for (std::size_t i = 0; i < items->size(); ++i) {
      const auto path = fmt::format("items[{}]", i);
      manifest inner{.object = {},
                     .file = place.file,
                     .line = place.line_of(path),
                     .lines = lines_below(place.lines, path)};
      if (auto added = add_object(std::move((*items)[i]), std::move(inner), out); !added) return added;
    }
    return {};
  }
  place.object = std::move(*object);
  out.push_back(std::move(place));
  return {};
}

// "spec.ports[0].port: a string where …" is about the first part; a wrong type that quotes would have avoided
// says so.
std::unexpected<error> located(const manifest& from, const std::string& what) {
  const auto path = what.substr(0, what.find(": "));
  const bool unquoted = what.ends_with("where a string belongs") && !what.contains("a list where") &&
                        !what.contains("an object where");
  return fail("{}:{}: {}{}", from.file, from.line_of(path), what, unquoted ? "; quote it" : "");
}

}  // namespace

int manifest::line_of(std::string_view path) const {
  while (!path.empty()) {
    if (const auto found = lines.find(std::string(path)); found != lines.end()) return found->second;
    const auto end = path.find_last_of(".[");
    path = path.substr(0, end == std::string_view::npos ? 0 : end);
  }
  return line;
}

result<std::vector<manifest>> parse_manifests(std::string_view text, std::string_view file_name) {
  auto documents = read_yaml(text, file_name);
  if (!documents) return std::unexpected(documents.error());
  std::vector<manifest> out;
  for (auto& document : *documents) {
    manifest place{.object = {},
                   .file = std::string(file_name),
                   .line = document.line,
                   .lines = std::move(document.lines)};
    if (auto added = add_object(std::move(document.root), std::move(place), out); !added)
      return std::unexpected(added.error());
  }
  return out;
}

result<object_ptr> external_service_from(const manifest& from) {
  const auto& wanted = info(kind::external_service);
  if (json::text_at(from.object, "kind") != wanted.name ||
      json::text_at(from.object, "apiVersion") != wanted.api_version)
    return fail("{}:{}: a {} {} where an {} {} belongs", from.file, from.line_of("kind"),
                json::text_at(from.object, "apiVersion"), json::text_at(from.object, "kind"),
                wanted.api_version, wanted.name);
  if (const auto* metadata = from.object.if_contains("metadata");
      metadata != nullptr && metadata->is_object())
    if (const auto* name = metadata->get_object().if_contains("name"); name != nullptr && name->is_null())
      return located(from, "metadata.name: null where a string belongs");
  decoder reader{projection_rules{}};
  auto decoded = reader.decode(kind::external_service, json::to_text(from.object));
  if (!decoded) return located(from, decoded.error().message);
  const auto& body = (*decoded)->as_external_service();
  const auto why = body.undecodable.empty() ? unknown_field(from.object).value_or("") : body.undecodable;
  if (why.empty()) return decoded;
  // It is refused alone, as by the operator, and with its place.
  auto placed = body;
  placed.undecodable = located(from, why).error().message;
  auto made = std::make_shared<object>(**decoded);
  made->body = std::move(placed);
  return made;
}

}  // namespace egress::kube
