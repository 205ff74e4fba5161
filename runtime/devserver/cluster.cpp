#include "runtime/devserver/cluster.hpp"

#include <fmt/format.h>

#include "runtime/devserver/defaults.hpp"
#include "runtime/devserver/definition.hpp"
#include "runtime/devserver/metadata.hpp"
#include "runtime/devserver/scale.hpp"
#include "runtime/devserver/schema.hpp"
#include "runtime/devserver/tree.hpp"
#include "runtime/devserver/validation.hpp"

namespace egress::dev {

result<std::unique_ptr<cluster>> cluster::make(const cluster_settings& settings, wall_time now) {
  auto v4 = ip_pool::parse(settings.cluster_ip_range);
  if (!v4) return std::unexpected(v4.error());
  std::optional<ip_pool> v6;
  if (!settings.cluster_ip_range_v6.empty()) {
    auto parsed = ip_pool::parse(settings.cluster_ip_range_v6);
    if (!parsed) return std::unexpected(parsed.error());
    v6 = *std::move(parsed);
  }
  std::unique_ptr<cluster> made(new cluster(settings, {*std::move(v4), std::move(v6)}));
  made->seed(now);
  return made;
}

cluster::cluster(const cluster_settings& settings, service_addresses addresses)
    : objects_(settings.history),
      addresses_(std::move(addresses)),
      controllers_(*this, settings.readiness_delay) {
  if (settings.run_gateways)
    controllers_.gateways.emplace(*this, controllers_.deployments, *settings.run_gateways);
  objects_.listener = [this](const change& what) { controllers_.observe(what); };
}

void cluster::seed(wall_time now) {
  write_options with;
  with.now = now;
  for (const auto* const name : {"default", "egress-operator-system"})
    static_cast<void>(create(kinds::namespaces(), "", {{"metadata", {{"name", name}}}}, with));
  auto definition = external_service_definition();
  set_created(kinds::custom_resource_definitions(), definition, make_uid(), now);
  object_in(definition, "metadata")["generation"] = 1;
  auto names = definition.at("spec").as_object().at("names");
  const auto since = to_rfc3339(now);
  definition["status"] = json::object{{"acceptedNames", std::move(names)},
                                      {"storedVersions", json::array{"v1"}},
                                      {"conditions",
                                       {{{"type", "NamesAccepted"},
                                         {"status", "True"},
                                         {"lastTransitionTime", since},
                                         {"reason", "NoConflicts"},
                                         {"message", "no conflicts found"}},
                                        {{"type", "Established"},
                                         {"status", "True"},
                                         {"lastTransitionTime", since},
                                         {"reason", "InitialNamesAccepted"},
                                         {"message", "the initial names have been accepted"}}}}};
  const object_key key{"", name_of(definition)};
  objects_.put(kinds::custom_resource_definitions(), key, std::move(definition));
}

// Unique within this server's life, and of the form of a random UUID (RFC 9562, version 8: our own content).
std::string cluster::make_uid() {
  const auto mixed = (++uids_ + 0x9e3779b97f4a7c15U) * 0xbf58476d1ce4e5b9U;
  return fmt::format("{:08x}-{:04x}-8{:03x}-8{:03x}-{:012x}", mixed >> 32U, (mixed >> 16U) & 0xffffU,
                     (mixed >> 4U) & 0xfffU, mixed & 0xfffU, uids_);
}

void cluster::serve(const std::string& plural, bool served) {
  if (served)
    hidden_.erase(plural);
  else
    hidden_.insert(plural);
}

outcome<stored> cluster::create(const resource& of, const std::string& name_space, json::object object,
                                write_options& with) {
  if (auto fits = check_identity(of, object, name_space, ""); !fits)
    return std::unexpected(std::move(fits.error()));
  if (of.namespaced && !objects_.find(kinds::namespaces(), {"", name_space}))
    return not_found(kinds::namespaces(), name_space);
  auto& metadata = object_in(object, "metadata");
  if (text_at(metadata, {"name"}).empty() && !text_at(metadata, {"generateName"}).empty())
    metadata["name"] =
        fmt::format("{}{:05x}", text_at(metadata, {"generateName"}), (uids_ * 2654435761U) & 0xfffffU);
  if (!text_at(metadata, {"resourceVersion"}).empty())
    return bad_request("resourceVersion should not be set on objects to be created");
  if (auto named = check_metadata(of, object); !named) return std::unexpected(std::move(named.error()));
  const object_key key{of.namespaced ? name_space : "", name_of(object)};
  if (objects_.find(of, key)) return already_exists(of, key.name);
  set_created(of, object, make_uid(), with.now);
  if (auto fine = prepare(of, object, nullptr, with); !fine) return std::unexpected(std::move(fine.error()));
  if (with.dry_run) {
    if (&of == &kinds::services()) addresses_.release(object);
    return std::make_shared<const json::object>(std::move(object));
  }
  return objects_.put(of, key, std::move(object));
}

outcome<void> cluster::check_fields(const resource& of, json::object& object, const stored& old,
                                    write_options& with) const {
  if (!of.custom()) return {};
  const auto found = apply_schema(external_service_schema(), object, old.get());
  if (!found.wrong.empty()) return invalid(of, name_of(object), found.wrong);
  if (with.fields == field_check::ignore) return {};
  std::string all;
  for (const auto& field : found.unknown) {
    const auto text = fmt::format("unknown field \"{}\"", field);
    if (with.fields == field_check::warn) with.warnings.push_back(text);
    all += (all.empty() ? "" : ", ") + text;
  }
  if (with.fields == field_check::warn || all.empty()) return {};
  return bad_request(
      fmt::format("{0} in version \"{1}\" cannot be handled as a {0}: strict decoding error: {2}", of.kind,
                  of.version, all));
}

// Everything between what a client sent and what is stored. Services leave it with their addresses taken.
outcome<void> cluster::prepare(const resource& of, json::object& object, const stored& old,
                               write_options& with) {
  if (auto fine = check_fields(of, object, old, with); !fine) return fine;
  apply_defaults(of, object);
  if (with.part == subresource::none) isolate_status(of, object, old.get());
  if (auto fine = check_spec(of, object, old.get()); !fine) return fine;
  if (&of == &kinds::services()) return addresses_.assign(object, old.get());
  return {};
}

outcome<stored> cluster::replace(const resource& of, const object_key& key, json::object object,
                                 write_options& with) {
  if (with.part == subresource::scale) {
    const auto deployment = objects_.find(of, key);
    if (!deployment) return not_found(of, key.name);
    auto scaled = with_scale(*deployment, object);
    if (!scaled) return std::unexpected(std::move(scaled.error()));
    with.part = subresource::none;
    auto written = write(of, key, *std::move(scaled), deployment, with);
    with.part = subresource::scale;
    return written;
  }
  if (auto fits = check_identity(of, object, key.name_space, key.name); !fits)
    return std::unexpected(std::move(fits.error()));
  const auto old = objects_.find(of, key);
  if (!old) return not_found(of, key.name);
  return write(of, key, std::move(object), old, with);
}

outcome<stored> cluster::write(const resource& of, const object_key& key, json::object object,
                               const stored& old, write_options& with) {
  if (auto fresh = check_preconditions(of, *old, uid_of(object), version_of(object)); !fresh)
    return std::unexpected(std::move(fresh.error()));
  if (with.part == subresource::status) object = with_status(*old, object);
  if (auto named = check_metadata(of, object); !named) return std::unexpected(std::move(named.error()));
  keep_system_fields(object, *old);
  if (auto fine = prepare(of, object, old, with); !fine) return std::unexpected(std::move(fine.error()));
  count_generation(of, object, *old);
  if (same_object(object, *old)) return old;
  if (with.dry_run) {
    if (&of == &kinds::services()) addresses_.release(object, old.get());
    return std::make_shared<const json::object>(std::move(object));
  }
  if (&of == &kinds::services()) addresses_.release(*old, &object);
  const bool over = being_deleted(object) && !has_finalizers(object);
  auto written = objects_.put(of, key, std::move(object));
  return over ? erase(of, key) : written;
}

outcome<stored> cluster::patch(const resource& of, const object_key& key, patch_kind how,
                               const json::value& change, write_options& with) {
  const auto old = objects_.find(of, key);
  if (!old) return not_found(of, key.name);
  if (how == patch_kind::strategic && of.custom())
    return unsupported_media(
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
  json::value base = with.part == subresource::scale ? scale_of(*old) : *old;
  if (how == patch_kind::json) {
    auto patched = json_patched(std::move(base), change);
    if (!patched)
      return std::unexpected(refusal_of(
          422, "the server rejected our request due to an error in our request: " + patched.error()));
    base = *std::move(patched);
  } else if (!change.is_object()) {
    return bad_request("a patch of this type must be an object");
  } else {
    base = how == patch_kind::merge ? merge_patched(std::move(base), change)
                                    : json::value(strategic_patched(base.as_object(), change.get_object()));
  }
  if (!base.is_object()) return bad_request("the patched document is no object");
  return replace(of, key, std::move(base.get_object()), with);
}

stored cluster::erase(const resource& of, const object_key& key) {
  auto last = objects_.remove(of, key);
  if (last && &of == &kinds::services()) addresses_.release(*last);
  return last;
}

outcome<stored> cluster::remove(const resource& of, const object_key& key, const delete_options& with) {
  auto present = objects_.find(of, key);
  if (!present) return not_found(of, key.name);
  if (auto fine = check_preconditions(of, *present, with.uid, with.resource_version); !fine)
    return std::unexpected(std::move(fine.error()));
  if (&of == &kinds::namespaces() && key.name == "default")
    return std::unexpected(
        refusal_of(403, "namespaces \"default\" is forbidden: this namespace may not be deleted"));
  if (with.dry_run) return present;
  if (with.how == propagation::orphan) controllers_.garbage.orphan(uid_of(*present), with.now);
  if (&of == &kinds::namespaces()) empty_namespace(key.name, with.now);
  if (with.how != propagation::foreground && !has_finalizers(*present)) return erase(of, key);
  auto marked = *objects_.find(of, key);
  if (with.how == propagation::foreground && !being_deleted(marked))
    add_finalizer(marked, "foregroundDeletion");
  mark_deleted(marked, with.now);
  if (same_object(marked, *present)) return present;
  return objects_.put(of, key, std::move(marked));
}

void cluster::empty_namespace(const std::string& name, wall_time now) {
  delete_options with;
  with.now = now;
  for (const auto& of : all_resources())
    if (of.namespaced && of.stored_version.empty())
      for (const auto& one : objects_.list(of, name))
        static_cast<void>(remove(of, {name, name_of(*one)}, with));
}

}  // namespace egress::dev
