#include "runtime/devserver/apply.hpp"

#include <fmt/format.h>

#include "runtime/devserver/tree.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress::dev {
namespace {

constexpr std::string_view annotation = "kubectl.kubernetes.io/last-applied-configuration";

// Byte for byte as kubectl writes it, or its first apply would find a difference: sorted, <, > and & escaped
// as Go does, an empty annotations member, and a newline.
std::string noted(json::object manifest) {
  auto& annotations = object_in(object_in(manifest, "metadata"), "annotations");
  remove_member(annotations, annotation);
  std::string text;
  for (const char c : json::canonical_text(manifest)) {
    if (c == '<' || c == '>' || c == '&')
      text += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      text += c;
  }
  return text + "\n";
}

json::object last_applied_to(const json::object& present) {
  const auto text = text_at(present, {"metadata", "annotations", annotation});
  auto parsed = json::parse_object(text);
  return parsed ? *std::move(parsed) : json::object{};
}

}  // namespace

json::object apply_patch(const json::object& last_applied, const json::object& wanted) {
  json::object patch = wanted;
  for (const auto& [name, before] : last_applied) {
    const auto* const now = wanted.if_contains(name);
    if (now == nullptr)
      patch[name] = nullptr;
    else if (now->is_object() && before.is_object())
      patch[name] = apply_patch(before.get_object(), now->get_object());
  }
  return patch;
}

outcome<stored> apply(cluster& on, json::object manifest, wall_time now) {
  const auto version = text_at(manifest, {"apiVersion"}), kind = text_at(manifest, {"kind"});
  const auto* const of = find_kind(version, kind);
  if (of == nullptr || !on.serves(*of) || !of->stored_version.empty())
    return bad_request(fmt::format("no matches for kind \"{}\" in version \"{}\"", kind, version));
  if (of->allowed == access::read_only) return method_not_allowed(*of);
  auto& metadata = object_in(manifest, "metadata");
  if (of->namespaced) set_default(metadata, "namespace", "default");
  auto text = noted(manifest);
  const object_key key{of->namespaced ? namespace_of(manifest) : "", name_of(manifest)};
  const auto present = on.objects().find(*of, key);
  write_options with;
  with.now = now;
  with.fields = field_check::strict;
  if (!present) {
    object_in(metadata, "annotations")[annotation] = std::move(text);
    return on.create(*of, key.name_space, std::move(manifest), with);
  }
  auto patch = apply_patch(last_applied_to(*present), manifest);
  object_in(object_in(patch, "metadata"), "annotations")[annotation] = std::move(text);
  return on.patch(*of, key, of->custom() ? patch_kind::merge : patch_kind::strategic, patch, with);
}

}  // namespace egress::dev
