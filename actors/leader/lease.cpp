#include "actors/leader/lease.hpp"

#include "runtime/kube/json_text.hpp"

namespace egress::leader {
namespace {

// Absent and null are the default; another type is an error.
result<std::string> text_at(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  if (!found || found->is_null()) return std::string{};
  const auto* text = found->if_string();
  if (!text) return fail("Lease: {} is not a string", key);
  return std::string(*text);
}

result<std::int64_t> number_at(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  if (!found || found->is_null()) return 0;
  const auto* number = found->if_int64();
  if (!number) return fail("Lease: {} is not a whole number", key);
  return *number;
}

result<const json::object*> object_at(const json::object& from, std::string_view key) {
  static const json::object nothing;
  const auto* found = from.if_contains(key);
  if (!found || found->is_null()) return &nothing;
  const auto* object = found->if_object();
  if (!object) return fail("Lease: {} is not an object", key);
  return object;
}

result<lease_record> record_of(const json::object& spec) {
  const auto holder = text_at(spec, "holderIdentity");
  if (!holder) return std::unexpected(holder.error());
  const auto duration = number_at(spec, "leaseDurationSeconds");
  if (!duration) return std::unexpected(duration.error());
  const auto acquired = text_at(spec, "acquireTime");
  if (!acquired) return std::unexpected(acquired.error());
  const auto renewed = text_at(spec, "renewTime");
  if (!renewed) return std::unexpected(renewed.error());
  const auto transitions = number_at(spec, "leaseTransitions");
  if (!transitions) return std::unexpected(transitions.error());
  return lease_record{*holder, *duration, *acquired, *renewed, *transitions};
}

void lay_over(json::object& spec, const lease_record& record) {
  spec["holderIdentity"] = record.holder;
  spec["leaseDurationSeconds"] = record.duration_seconds;
  spec["acquireTime"] = record.acquire_time;
  spec["renewTime"] = record.renew_time;
  spec["leaseTransitions"] = record.transitions;
}

}  // namespace

result<lease> decode_lease(std::string_view text) {
  auto parsed = json::parse_object(text);
  if (!parsed) return fail("Lease: not a JSON object");
  lease made{.record = {}, .resource_version = {}, .document = std::move(*parsed)};
  const auto meta = object_at(made.document, "metadata");
  if (!meta) return std::unexpected(meta.error());
  const auto version = text_at(**meta, "resourceVersion");
  if (!version) return std::unexpected(version.error());
  if (version->empty()) return fail("Lease: no metadata.resourceVersion");
  const auto spec = object_at(made.document, "spec");
  if (!spec) return std::unexpected(spec.error());
  auto record = record_of(**spec);
  if (!record) return std::unexpected(record.error());
  made.record = std::move(*record);
  made.resource_version = *version;
  return made;
}

std::string encode_new_lease(std::string_view name_space, std::string_view name, const lease_record& record) {
  json::object spec;
  lay_over(spec, record);
  const json::object whole{{"apiVersion", "coordination.k8s.io/v1"},
                           {"kind", "Lease"},
                           {"metadata", json::object{{"name", name}, {"namespace", name_space}}},
                           {"spec", std::move(spec)}};
  return json::to_text(whole);
}

std::string encode_lease(const lease& current, const lease_record& record) {
  auto whole = current.document;
  auto& spec = whole["spec"];
  if (!spec.is_object()) spec = json::object{};
  lay_over(spec.get_object(), record);
  return json::to_text(whole);
}

}  // namespace egress::leader
