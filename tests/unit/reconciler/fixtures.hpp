#pragma once
// An ExternalService and children for the tests of the reconciler's pure parts.

#include <memory>
#include <string>

#include "actors/reconciler/plan.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress::reconciler::testing {

inline const std::string es_uid = "es-uid";

inline kube::object_ptr an_external_service(kube::external_service_spec spec = {},
                                            const std::string& name = "web",
                                            const std::string& uid = es_uid) {
  auto out = std::make_shared<kube::object>();
  out->of = kube::kind::external_service;
  out->meta.name = name;
  out->meta.uid = uid;
  out->meta.resource_version = "100";
  out->meta.generation = 3;
  kube::external_service body;
  body.spec = std::move(spec);
  out->body = std::move(body);
  return out;
}

inline kube::digest digest(std::uint8_t n) {
  return {n};
}

// A child of `web` that is ours, with this digest.
inline std::shared_ptr<kube::object> child(kube::kind of, std::uint8_t n = 1,
                                           const std::string& version = "7") {
  auto out = std::make_shared<kube::object>();
  out->of = of;
  out->meta.name = "web";
  out->meta.uid = "child-uid";
  out->meta.resource_version = version;
  kube::child body;
  body.projected = digest(n);
  body.controller = kube::controller_ref{"egress.monzo.com/v1", "ExternalService", "web", es_uid, true};
  body.our_label = true;
  out->body = std::move(body);
  return out;
}
inline kube::child& body(const std::shared_ptr<kube::object>& of) {
  return std::get<kube::child>(of->body);
}

// Its controller is another one of that uid, or kind.
inline void set_controller(kube::child& of, const std::string& uid,
                           const std::string& kind = "ExternalService") {
  auto other = *of.controller;
  other.uid = uid;
  other.kind = kind;
  of.controller = other;
}

inline rendered_child rendered(kube::kind of, std::uint8_t n = 1, json::object object = {}) {
  return {of, std::make_shared<json::object>(std::move(object)), digest(n)};
}

inline json::object tree(std::string_view text) {
  auto out = json::parse_object(text);
  if (!out) throw std::invalid_argument(out.error().message);
  return *out;
}

}  // namespace egress::reconciler::testing
