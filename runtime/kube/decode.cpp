#include "runtime/kube/decode.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/base/time.hpp"
#include "runtime/kube/controller_pool.hpp"
#include "runtime/kube/decode_fields.hpp"
#include "runtime/kube/keys.hpp"
#include "runtime/kube/status_error.hpp"

namespace egress::kube {
namespace {

using fields::maybe;
using fields::member;
using fields::text;
namespace dom = simdjson::dom;

// Buffers grow with the largest document and are as large as ten of it; beyond this they are not kept.
constexpr std::size_t largest_kept = 128U << 10U;

bool has_informer(kind of) {
  return of != kind::event && of != kind::lease;
}

// wall_time counts nanoseconds and holds 1678 to 2261 only: a year outside of 1900 to 2199 is not read.
std::int64_t creation_seconds(std::string_view when) {
  const auto century = when.substr(0, 2);
  if (century != "19" && century != "20" && century != "21") return 0;
  const auto created = from_rfc3339(when);
  return created ? std::chrono::duration_cast<seconds>(created->time_since_epoch()).count() : 0;
}

result<object_meta> read_meta(const maybe& object) {
  const auto metadata = member(object, "metadata");
  const auto name = member(metadata, "name");
  if (!name) return fail("metadata.name: missing");
  if (name->type() != dom::element_type::STRING)
    return fail("metadata.name: {} where a string belongs", fields::type_name(*name));
  object_meta out;
  out.name = text(name);
  if (out.name.empty()) return fail("metadata.name: empty");
  out.uid = text(member(metadata, "uid"));
  out.resource_version = text(member(metadata, "resourceVersion"));
  out.generation = fields::integer(member(metadata, "generation")).value_or(0);
  out.creation_time = creation_seconds(text(member(metadata, "creationTimestamp")));
  out.deleting = member(metadata, "deletionTimestamp").has_value();
  return out;
}

std::optional<controller_ref> read_controller(const maybe& object) {
  dom::array owners;
  const auto list = member(object, "metadata", "ownerReferences");
  if (!list || list->get(owners) != simdjson::SUCCESS) return std::nullopt;
  for (const dom::element owner : owners) {
    if (!fields::boolean(member(owner, "controller"))) continue;
    return controller_ref{.api_version = std::string(text(member(owner, "apiVersion"))),
                          .kind = std::string(text(member(owner, "kind"))),
                          .name = std::string(text(member(owner, "name"))),
                          .uid = text(member(owner, "uid")),
                          .block_owner_deletion = fields::boolean(member(owner, "blockOwnerDeletion"))};
  }
  return std::nullopt;
}

// The only selector a Deployment of ours has; it is immutable, so one with another cannot become ours.
bool has_our_selector(const maybe& object, std::string_view name) {
  dom::object selector, labels;
  const auto all = member(object, "spec", "selector");
  const auto match = member(all, "matchLabels");
  dom::array expressions;
  if (!match || match->get(labels) != simdjson::SUCCESS || labels.size() != 1) return false;
  const auto more = member(all, "matchExpressions");
  if (more && (more->get(expressions) != simdjson::SUCCESS || expressions.size() != 0)) return false;
  return text(member(match, keys::gateway)) == name;
}

std::vector<std::string> read_cluster_ips(const maybe& spec) {
  std::vector<std::string> out;
  dom::array listed;
  const auto keep = [&](std::string_view address) {
    if (!address.empty() && address != "None") out.emplace_back(address);
  };
  const auto list = member(spec, "clusterIPs");
  if (list && list->get(listed) == simdjson::SUCCESS)
    for (const dom::element address : listed) keep(text(address));
  if (out.empty()) keep(text(member(spec, "clusterIP")));
  return out;
}

void read_deployment(const maybe& object, std::string_view name, child& out) {
  out.ours_cannot_be = !has_our_selector(object, name);
  out.replicas = fields::integer(member(object, "spec", "replicas")).value_or(1);
  out.ready_replicas = fields::integer(member(object, "status", "readyReplicas")).value_or(0);
  out.observed_generation = fields::integer(member(object, "status", "observedGeneration")).value_or(0);
}

void read_service(const maybe& object, child& out) {
  const auto spec = member(object, "spec");
  out.ours_cannot_be = text(member(spec, "clusterIP")) == "None";
  out.hijack_label = text(member(object, "metadata", "labels", keys::hijack_dns));
  out.dns_name = text(member(object, "metadata", "annotations", keys::dns_name));
  out.cluster_ips = read_cluster_ips(spec);
}

child read_child_metadata(dom::element object, std::string_view name, controller_pool& controllers) {
  child out;
  if (auto controller = read_controller(object)) out.controller = controllers.shared(std::move(*controller));
  out.our_label = text(member(object, "metadata", "labels", keys::gateway)) == name;
  return out;
}

// What decoding needs beside the bytes.
struct surroundings {
  projection_rules rules;
  controller_pool controllers{};
};

child read_child(kind of, dom::element object, std::string_view name, surroundings& with) {
  auto out = read_child_metadata(object, name, with.controllers);
  out.projected = fields::projected_digest(of, object, with.rules);
  if (of == kind::config_map) out.immutable = fields::boolean(member(object, "immutable"));
  if (of == kind::deployment) read_deployment(object, name, out);
  if (of == kind::service) read_service(object, out);
  return out;
}

result<std::shared_ptr<object>> read_object(kind of, dom::element object, surroundings& with) {
  auto meta = read_meta(object);
  if (!meta) return std::unexpected(meta.error());
  auto out =
      std::make_shared<struct object>(egress::kube::object{.of = of, .meta = std::move(*meta), .body = {}});
  if (of == kind::external_service) {
    out->body = fields::read_external_service(object);
  } else {
    out->body = read_child(of, object, out->meta.name, with);
  }
  return out;
}

api_error malformed(std::string what) {
  return {
      .code = api_errc::malformed, .status = 0, .reason = {}, .message = std::move(what), .retry_after = {}};
}

// The object of an ERROR event: a metav1.Status.
api_error read_status_object(const maybe& status) {
  status_parts parts;
  const auto code = fields::integer(member(status, "code")).value_or(0);
  parts.code = code >= 400 && code < 600 ? static_cast<int>(code) : 0;
  parts.reason = text(member(status, "reason"));
  parts.message = text(member(status, "message"));
  const auto wait = fields::integer(member(status, "details", "retryAfterSeconds")).value_or(0);
  if (wait > 0) parts.retry_after = std::chrono::seconds(std::min<std::int64_t>(wait, 3600));
  dom::array causes;
  const auto list = member(status, "details", "causes");
  if (list && list->get(causes) == simdjson::SUCCESS)
    for (const dom::element cause : causes)
      if (text(member(cause, "reason")) == "ResourceVersionTooLarge") parts.version_too_large = true;
  return classify(parts);
}

// The object in a watch line as the API server writes it; "" in any other form, which is as good.
std::string_view object_in(std::string_view line) {
  constexpr std::string_view before = R"({"type":"MODIFIED","object":)";
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (!line.starts_with(before) || !line.ends_with("}}")) return {};
  line.remove_prefix(before.size());
  line.remove_suffix(1);
  return line;
}

std::optional<event_type> event_type_of(std::string_view name) {
  if (name == "ADDED") return event_type::added;
  if (name == "MODIFIED") return event_type::modified;
  if (name == "DELETED") return event_type::deleted;
  if (name == "BOOKMARK") return event_type::bookmark;
  return std::nullopt;
}

}  // namespace

struct decoder::state {
  surroundings with;
  dom::parser parser;
  std::array<std::shared_ptr<const std::string>, 16> recent;
  std::size_t next_recent = 0;

  std::weak_ptr<const std::string> keep_a_while(std::string_view json) {
    // A large one is read again rather than kept.
    if (json.empty() || json.size() > largest_kept) return {};
    auto& slot = recent[next_recent++ % recent.size()];
    slot = std::make_shared<const std::string>(json);
    return slot;
  }
  result<dom::element> parse(std::string_view json) {
    if (parser.capacity() > largest_kept && json.size() <= largest_kept) parser = dom::parser{};
    dom::element root;
    if (const auto failed = parser.parse(json.data(), json.size()).get(root); failed != simdjson::SUCCESS)
      return fail("not JSON: {}", simdjson::error_message(failed));
    if (root.type() != dom::element_type::OBJECT)
      return fail("{} where a JSON object belongs", fields::type_name(root));
    return root;
  }
};

decoder::decoder(projection_rules rules) : state_(std::make_unique<state>()) {
  state_->with.rules = rules;
}
decoder::~decoder() = default;
decoder::decoder(decoder&&) noexcept = default;
decoder& decoder::operator=(decoder&&) noexcept = default;

result<object_ptr> decoder::decode(kind of, std::string_view json) {
  const auto root = state_->parse(json);
  if (!root) return std::unexpected(root.error());
  if (!has_informer(of)) return nullptr;
  return read_object(of, *root, state_->with);
}

result<object_ptr> decoder::decode_metadata(kind of, std::string_view json) {
  const auto root = state_->parse(json);
  if (!root) return std::unexpected(root.error());
  if (!has_informer(of)) return nullptr;
  auto meta = read_meta(*root);
  if (!meta) return std::unexpected(meta.error());
  auto out = std::make_shared<object>(object{.of = of, .meta = std::move(*meta), .body = {}});
  if (of != kind::external_service)
    out->body = read_child_metadata(*root, out->meta.name, state_->with.controllers);
  return out;
}

std::expected<watch_event, api_error> decoder::decode_watch_line(kind of, std::string_view line) {
  const auto root = state_->parse(line);
  if (!root) return std::unexpected(malformed("a watch event that is " + root.error().message));
  const auto type = text(member(*root, "type"));
  const auto object = member(*root, "object");
  if (type == "ERROR") return std::unexpected(read_status_object(object));
  const auto known = event_type_of(type);
  if (!known)
    return std::unexpected(malformed("a watch event of the unknown type \"" + one_line(type, 64) + "\""));
  if (!object || object->type() != dom::element_type::OBJECT)
    return std::unexpected(malformed("a watch event without an object"));
  watch_event out;
  out.type = *known;
  out.resource_version = text(member(object, "metadata", "resourceVersion"));
  if (out.resource_version.empty())
    return std::unexpected(malformed("a watch event without metadata.resourceVersion"));
  if (*known == event_type::bookmark) {
    out.initial_events_end =
        text(member(object, "metadata", "annotations", "k8s.io/initial-events-end")) == "true";
    return out;
  }
  if (!has_informer(of)) {
    out.json = simdjson::minify(*object);
    return out;
  }
  auto decoded = read_object(of, *object, state_->with);
  if (!decoded) return std::unexpected(malformed("a watch event with " + decoded.error().message));
  if (*known == event_type::modified && of != kind::external_service)
    (*decoded)->recent_json = state_->keep_a_while(object_in(line));
  out.object = std::move(*decoded);
  return out;
}

}  // namespace egress::kube
