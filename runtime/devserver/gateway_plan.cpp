#include "runtime/devserver/gateway_plan.hpp"

#include <fmt/format.h>

#include <functional>
#include <utility>

#include "runtime/devserver/tree.hpp"
#include "runtime/kube/json_text.hpp"
#include "runtime/kube/keys.hpp"

namespace egress::dev {
namespace {

// FNV-1a, as the operator computes the annotation.
std::string hash_of(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return fmt::format("{:x}", hash);
}

const json::object* first_container(const json::object& pods) {
  const auto* const all = array_at(pods, {"spec", "containers"});
  return all == nullptr || all->empty() ? nullptr : all->front().if_object();
}

// The container's arguments without what is different here: where the configuration is, and the threads.
std::vector<std::string> arguments_of(const json::object& container) {
  std::vector<std::string> all;
  if (const auto* const given = array_at(container, {"args"})) {
    bool skip_next = false;
    for (const auto& one : *given) {
      const auto* const text = one.if_string();
      if (text == nullptr || std::exchange(skip_next, false)) continue;
      skip_next = *text == "-c" || *text == "--config-path" || *text == "--concurrency";
      if (!skip_next) all.emplace_back(*text);
    }
  }
  // Instances that may be restarted hot share memory under one name.
  for (const auto* const ours : {"--concurrency", "1", "--disable-hot-restart"}) all.emplace_back(ours);
  return all;
}

config_files files_in(const json::object& config_map) {
  config_files made;
  for (const auto* const name : {"envoy.yaml", "cds.yaml", "lds.yaml"})
    if (const auto text = text_at(config_map, {"data", name}); !text.empty()) made[name] = text;
  return made;
}

std::string_view address_in(const stored& service) {
  const auto address = service ? text_at(*service, {"spec", "clusterIP"}) : "";
  return address == "None" ? "" : address;
}

}  // namespace

gateway_plan plan_gateway(const store& objects, const object_key& key) {
  using enum gateway_plan::state;
  const auto deployment = objects.find(kinds::deployments(), key);
  const auto* const pods = deployment ? object_at(*deployment, {"spec", "template"}) : nullptr;
  if (pods == nullptr || text_at(*pods, {"metadata", "labels", kube::keys::gateway}).empty()) return {none};
  const auto* const container = first_container(*pods);
  if (container == nullptr || being_deleted(*deployment)) return {none};
  if (number_at(*deployment, {"spec", "replicas"}, 1) <= 0) return {off};
  const auto map = objects.find(kinds::config_maps(), key);
  auto files = map ? files_in(*map) : config_files{};
  const auto yaml = files["envoy.yaml"];
  const auto address = address_in(objects.find(kinds::services(), key));
  const auto hash = text_at(*pods, {"metadata", "annotations", kube::keys::config_hash});
  if (yaml.empty() || address.empty() || (!hash.empty() && hash != hash_of(yaml))) return {waiting};
  gateway_plan made{run};
  made.arguments = arguments_of(*container);
  made.files = std::move(files);
  made.address = address;
  made.ready_port =
      static_cast<std::uint16_t>(number_at(*container, {"readinessProbe", "httpGet", "port"}, 0));
  made.ready_path = text_at(*container, {"readinessProbe", "httpGet", "path"});
  made.identity = std::hash<std::string>{}(json::canonical_text(*pods) + made.address);
  return made;
}

}  // namespace egress::dev
