#include "runtime/devserver/object_api.hpp"

#include <fmt/format.h>

#include "runtime/devserver/scale.hpp"
#include "runtime/devserver/tree.hpp"
#include "runtime/devserver/versions.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress::dev {
namespace {

row_object include_of(const parsed_request& what) {
  if (what.option("includeObject") == "None") return row_object::none;
  return what.option("includeObject") == "Object" ? row_object::whole : row_object::metadata;
}

api_answer answer_object(const parsed_request& what, const stored& object, int status, wall_time now) {
  api_answer made;
  made.status = status;
  const auto shown = in_version(*what.of, object);
  if (what.part == "scale")
    made.body = json::to_text(scale_of(*shown));
  else if (what.asks_for_table())
    made.body = json::to_text(table_of(*what.of, {&shown, 1}, {{"resourceVersion", version_of(*shown)}},
                                       {include_of(what), true, now}));
  else
    made.body = json::to_text(*shown);
  return made;
}

api_answer get(const cluster& on, const parsed_request& what, wall_time now) {
  const auto found = on.objects().find(storage_of(*what.of), {what.name_space, what.name});
  if (!found) return answer_of(not_found(*what.of, what.name).error());
  return answer_object(what, found, 200, now);
}

// Items of built-in kinds come without their apiVersion and kind, which the list has for all of them.
void append_item(const resource& of, const stored& object, std::string& to) {
  auto text = json::to_text(*in_version(of, object));
  const auto head = fmt::format("{{\"apiVersion\":\"{}\",\"kind\":\"{}\",", of.api_version(), of.kind);
  if (!of.custom() && text.starts_with(head)) text.replace(0, head.size(), "{");
  to += text;
}

api_answer answer_page(const parsed_request& what, const page& of, wall_time now) {
  api_answer made;
  if (what.asks_for_table()) {
    std::vector<stored> shown;
    for (const auto& one : of.items) shown.push_back(in_version(*what.of, one));
    made.body = json::to_text(table_of(*what.of, shown, of.metadata, {include_of(what), true, now}));
    return made;
  }
  made.body = fmt::format(R"({{"kind":"{}List","apiVersion":"{}","metadata":{},"items":[)", what.of->kind,
                          what.of->api_version(), json::to_text(of.metadata));
  for (const auto& one : of.items) {
    if (made.body.back() != '[') made.body += ',';
    append_item(*what.of, one, made.body);
  }
  made.body += "]}";
  return made;
}

api_answer list(const cluster& on, const parsed_request& what, wall_time now) {
  const auto found = list_page(on.objects(), what);
  return found ? answer_page(what, *found, now) : answer_of(found.error());
}

api_answer watch(const cluster& on, const parsed_request& what) {
  auto plan = plan_watch(on.objects(), what);
  if (!plan) return answer_of(plan.error());
  api_answer made;
  made.watch = *std::move(plan);
  return made;
}

outcome<json::value> body_of(const parsed_request& what) {
  auto parsed = json::parse(what.from->body);
  if (!parsed) return bad_request("the body of the request is no JSON: " + parsed.error().message);
  return *std::move(parsed);
}

outcome<json::object> object_of(const parsed_request& what) {
  const auto type = std::string_view{what.from->content_type}.substr(0, what.from->content_type.find(';'));
  if (!type.empty() && type != "application/json")  // kubectl's generators (`kubectl create configmap`) send
                                                    // built-in kinds as protobuf.
    return unsupported_media(
        "application/json (the embedded server reads no protobuf: use kubectl apply -f)");
  auto body = body_of(what);
  if (!body) return std::unexpected(std::move(body.error()));
  if (!body->is_object()) return bad_request("the body of the request is no object");
  return std::move(body->get_object());
}

outcome<bool> dry_run_of(std::string_view option) {
  if (!option.empty() && option != "All")
    return bad_request("dryRun: Unsupported value: supported values: \"All\"");
  return option == "All";
}

outcome<write_options> write_options_of(const parsed_request& what, wall_time now) {
  write_options with;
  with.now = now;
  const auto dry = dry_run_of(what.option("dryRun"));
  if (!dry) return std::unexpected(dry.error());
  with.dry_run = *dry;
  const auto check = what.option("fieldValidation");
  if (check == "Strict") with.fields = field_check::strict;
  if (check == "Ignore") with.fields = field_check::ignore;
  if (what.part == "status") with.part = subresource::status;
  if (what.part == "scale") with.part = subresource::scale;
  return with;
}

api_answer answer_write(const parsed_request& what, const outcome<stored>& written, const write_options& with,
                        int status) {
  if (!written) return answer_of(written.error());
  auto made = answer_object(what, *written, status, with.now);
  for (const auto& text : with.warnings) {
    std::string quoted;
    for (const char c : text) quoted += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
    made.headers.emplace_back("Warning", fmt::format("299 - \"{}\"", quoted));
  }
  return made;
}

api_answer create(cluster& on, const parsed_request& what, write_options with) {
  if (!what.name.empty() || (what.of->namespaced && what.name_space.empty()))
    return answer_of(method_not_allowed(*what.of).error());
  auto object = object_of(what);
  if (!object) return answer_of(object.error());
  return answer_write(what, on.create(*what.of, what.name_space, *std::move(object), with), with, 201);
}

api_answer update(cluster& on, const parsed_request& what, write_options with) {
  auto object = object_of(what);
  if (!object) return answer_of(object.error());
  if (what.of->custom() && version_of(*object).empty())
    return answer_of(invalid(*what.of, what.name,
                             {{"FieldValueInvalid", "Invalid value: 0: must be specified for an update",
                               "metadata.resourceVersion"}})
                         .error());
  const object_key key{what.name_space, what.name};
  return answer_write(what, on.replace(*what.of, key, *std::move(object), with), with, 200);
}

outcome<patch_kind> patch_kind_of(const parsed_request& what) {
  const auto type = std::string_view{what.from->content_type}.substr(0, what.from->content_type.find(';'));
  if (type == "application/merge-patch+json") return patch_kind::merge;
  if (type == "application/json-patch+json") return patch_kind::json;
  if (type == "application/strategic-merge-patch+json") return patch_kind::strategic;
  // Server-side apply needs managedFields, which this server does not keep.
  return unsupported_media(
      "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json");
}

api_answer patch(cluster& on, const parsed_request& what, write_options with) {
  const auto how = patch_kind_of(what);
  if (!how) return answer_of(how.error());
  const auto change = body_of(what);
  if (!change) return answer_of(change.error());
  const object_key key{what.name_space, what.name};
  return answer_write(what, on.patch(*what.of, key, *how, *change, with), with, 200);
}

// From the body, which may be empty, and the query, which older clients use.
outcome<delete_options> delete_options_of(const parsed_request& what, wall_time now) {
  delete_options with;
  with.now = now;
  json::object body;
  if (!what.from->body.empty()) {
    auto object = object_of(what);
    if (!object) return std::unexpected(std::move(object.error()));
    body = *std::move(object);
  }
  with.uid = text_at(body, {"preconditions", "uid"});
  with.resource_version = text_at(body, {"preconditions", "resourceVersion"});
  auto policy = text_at(body, {"propagationPolicy"});
  if (policy.empty()) policy = what.option("propagationPolicy");
  if (policy == "Orphan" || flag_at(body, {"orphanDependents"})) with.how = propagation::orphan;
  if (policy == "Foreground") with.how = propagation::foreground;
  const auto* const asked = array_at(body, {"dryRun"});
  const auto dry = dry_run_of(what.option("dryRun"));
  if (!dry) return std::unexpected(dry.error());
  with.dry_run = *dry || (asked != nullptr && !asked->empty());
  return with;
}

api_answer remove(cluster& on, const parsed_request& what, wall_time now) {
  const auto with = delete_options_of(what, now);
  if (!with) return answer_of(with.error());
  const object_key key{what.name_space, what.name};
  const auto last = on.remove(*what.of, key, *with);
  if (!last) return answer_of(last.error());
  // What waits for finalizers is answered with the object, what is gone with a Status.
  if (being_deleted(**last) && on.objects().find(*what.of, key)) return answer_object(what, *last, 200, now);
  json::object details{{"name", what.name}, {"kind", what.of->plural}, {"uid", uid_of(**last)}};
  if (!what.of->group.empty()) details["group"] = what.of->group;
  api_answer made;
  made.body = json::to_text(json::object{{"kind", "Status"},
                                         {"apiVersion", "v1"},
                                         {"metadata", json::object{}},
                                         {"status", "Success"},
                                         {"details", std::move(details)}});
  return made;
}

api_answer remove_all(cluster& on, const parsed_request& what, wall_time now) {
  const auto with = delete_options_of(what, now);
  if (!with) return answer_of(with.error());
  const auto found = list_page(on.objects(), what);
  if (!found) return answer_of(found.error());
  for (const auto& one : found->items)
    static_cast<void>(on.remove(*what.of, {namespace_of(*one), name_of(*one)}, *with));
  return answer_page(what, *found, now);
}

}  // namespace

api_answer answer_for_objects(cluster& on, const parsed_request& what, wall_time now) {
  if (what.verb == "get") return get(on, what, now);
  if (what.verb == "list") return list(on, what, now);
  if (what.verb == "watch") return watch(on, what);
  if (what.of->allowed == access::read_only || what.verb.empty())
    return answer_of(method_not_allowed(*what.of).error());
  if (what.verb == "delete" && what.part.empty()) return remove(on, what, now);
  if (what.verb == "deletecollection") return remove_all(on, what, now);
  const auto with = write_options_of(what, now);
  if (!with) return answer_of(with.error());
  if (what.verb == "create") return create(on, what, *with);
  if (what.verb == "update" && !what.name.empty()) return update(on, what, *with);
  if (what.verb == "patch" && !what.name.empty()) return patch(on, what, *with);
  return answer_of(method_not_allowed(*what.of).error());
}

}  // namespace egress::dev
