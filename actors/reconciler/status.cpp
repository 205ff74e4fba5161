#include "actors/reconciler/status.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/reconciler/conditions.hpp"
#include "actors/reconciler/shortened.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress::reconciler {
namespace {

std::string ports_of(const kube::external_service_spec& spec) {
  std::string out;
  for (const auto& port : spec.ports)
    out += fmt::format("{}{}/{}", out.empty() ? "" : ",", port.port,
                       port.protocol.empty() ? "TCP" : port.protocol);
  return out;
}

json::object to_json(const kube::condition_view& one, const json::storage_ptr& in) {
  return {{{"type", one.type},
           {"status", one.status},
           {"reason", one.reason},
           {"message", one.message},
           {"lastTransitionTime", one.last_transition_time},
           {"observedGeneration", one.observed_generation}},
          in};
}

}  // namespace

kube::external_service_status status_of(const status_facts& facts) {
  const auto& meta = facts.external_service.meta;
  kube::external_service_status out;
  out.observed_generation = meta.generation;
  out.ports = ports_of(facts.external_service.as_external_service().spec);
  out.config_hash = facts.config_hash.empty() ? facts.previous.config_hash : facts.config_hash;
  const auto* service = own(facts.external_service, facts.live, kube::kind::service);
  // A missing Service asks for its address again when it is made: the address stays known.
  out.cluster_ip = !service                       ? facts.previous.cluster_ip
                   : service->cluster_ips.empty() ? ""
                                                  : service->cluster_ips.front();
  if (const auto* deployment = own(facts.external_service, facts.live, kube::kind::deployment))
    out.ready_replicas = deployment->ready_replicas;
  auto conditions = conditions_of(facts);
  std::vector<kube::condition_view> told;
  told.reserve(conditions.size());
  std::string time;
  for (auto& one : conditions) {
    // That of the last answer, for who takes it from here.
    if (one.reason == "LastAnswer" && one.type == "DNSHijacked") out.cluster_ip = facts.previous.cluster_ip;
    one.message = shortened(std::move(one.message));
    one.observed_generation = meta.generation;
    const auto before = facts.previous.conditions.find(one.type);
    const bool kept = before && before->status == one.status && !before->last_transition_time.empty();
    if (!kept && time.empty()) time = to_rfc3339(facts.now);
    told.push_back(one);
    told.back().last_transition_time = kept ? before->last_transition_time : std::string_view{time};
  }
  out.conditions = kube::condition_list(told);
  return out;
}

bool differs(const kube::external_service_status& now, const kube::external_service_status& wanted) {
  return now != wanted;
}

bool differs_in_words_only(const kube::external_service_status& now,
                           const kube::external_service_status& wanted) {
  const auto then = now.conditions.all(), next = wanted.conditions.all();
  if (!std::ranges::equal(then, next, [](kube::condition_view a, const kube::condition_view& b) {
        a.message = b.message;
        return a == b;
      }))
    return false;
  auto same_words = now;
  same_words.conditions = wanted.conditions;
  return now != wanted && same_words == wanted;
}

json::object status_patch(const kube::external_service_status& status, const std::string& resource_version,
                          const json::storage_ptr& in) {
  json::array conditions(in);
  for (const auto& one : status.conditions.all()) conditions.push_back(to_json(one, in));
  json::object body({{"observedGeneration", status.observed_generation},
                     {"conditions", std::move(conditions)},
                     {"readyReplicas", status.ready_replicas}},
                    in);
  const auto text = [&body](const char* key, const std::string& value) {
    if (value.empty())
      body[key] = nullptr;
    else
      body[key] = value;
  };
  text("clusterIP", status.cluster_ip);
  text("configHash", status.config_hash);
  text("ports", status.ports);
  json::object out({{"status", std::move(body)}}, in);
  if (!resource_version.empty()) out["metadata"] = json::object({{"resourceVersion", resource_version}}, in);
  return out;
}

live_children after(const live_children& before, const child_outcomes& outcomes) {
  live_children out = before;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (outcomes[i].now) out[i] = outcomes[i].now;
    if (outcomes[i].state == child_state::removed) out[i] = nullptr;
  }
  return out;
}

bool serves_status(std::string_view discovery) {
  const auto document = json::parse_object(discovery);
  const auto* resources = document ? document->if_contains("resources") : nullptr;
  if (!resources || !resources->is_array()) return true;
  return std::ranges::any_of(resources->get_array(), [](const json::value& one) {
    const auto* resource = one.if_object();
    const auto* name = resource ? resource->if_contains("name") : nullptr;
    return name && *name == "externalservices/status";
  });
}

}  // namespace egress::reconciler
