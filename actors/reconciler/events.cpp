#include "actors/reconciler/events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "runtime/kube/json_text.hpp"

namespace egress::reconciler {
namespace {

constexpr std::size_t similar_allowed = 10;
constexpr std::chrono::minutes similar_window{10};
constexpr double burst = 25;
constexpr std::chrono::seconds one_token{300};
// Far more than what is worth telling at once; beyond it the oldest go.
constexpr std::size_t remembered = 4096;
// The server drops an Event after an hour.
constexpr std::chrono::minutes lives{60};

// A cluster-scoped object's Events are accepted in this namespace only.
constexpr auto event_namespace = "default";

std::string_view text(event_kind how) {
  return how == event_kind::warning ? "Warning" : "Normal";
}

kube::request event_request(kube::verb what) {
  kube::request out;
  out.what = what;
  out.of = kube::kind::event;
  out.name_space = event_namespace;
  out.timeout = std::chrono::seconds(5);
  return out;
}

}  // namespace

std::optional<kube::request> event_recorder::record(const happening& what, wall_time now) {
  forget_old(now);
  if (spam(what.uid, now)) return std::nullopt;
  const auto group = fmt::format("{}\n{}\n{}", what.uid, text(what.how), what.reason);
  const bool many = aggregated(group, what.message, now);
  const auto message = many ? "(combined from similar events): " + what.message : what.message;
  const auto key = many ? group : group + "\n" + what.message;
  const auto found = posted_.find(key);
  if (found != posted_.end()) {
    found->second.last = now;
    ++found->second.count;
    return bump(found->second, message);
  }
  const auto& fresh =
      posted_.emplace(key, posted_event{event_name(what.name, now), now, now, 1}).first->second;
  return create(what, message, fresh);
}

void event_recorder::expired(const std::string& event_name) {
  std::erase_if(posted_, [&](const auto& entry) { return entry.second.name == event_name; });
}

bool event_recorder::spam(const std::string& object, wall_time now) {
  auto& [tokens, refilled] = buckets_.try_emplace(object, bucket{burst, now}).first->second;
  const std::chrono::duration<double> passed = now - refilled;
  tokens = std::min(burst, tokens + std::max(0.0, passed / one_token));
  refilled = now;
  if (tokens < 1) return true;
  tokens -= 1;
  return false;
}

bool event_recorder::aggregated(const std::string& group, const std::string& message, wall_time now) {
  auto& seen = groups_[group].messages;
  std::erase_if(seen, [&](const auto& one) { return now - one.second > similar_window; });
  const auto hash = std::hash<std::string>{}(message);
  const auto same = std::ranges::find(seen, hash, [](const auto& one) { return one.first; });
  if (same != seen.end()) {
    same->second = now;
    return seen.size() >= similar_allowed;
  }
  if (seen.size() >= similar_allowed) seen.erase(seen.begin());
  seen.emplace_back(hash, now);
  return seen.size() >= similar_allowed;
}

kube::request event_recorder::create(const happening& what, const std::string& message,
                                     const posted_event& event) const {
  auto out = event_request(kube::verb::create);
  // No involvedObject.namespace: the ExternalService has none.
  const json::object body{{"apiVersion", "v1"},
                          {"kind", "Event"},
                          {"metadata", {{"name", event.name}, {"namespace", event_namespace}}},
                          {"involvedObject",
                           {{"apiVersion", kube::info(kube::kind::external_service).api_version},
                            {"kind", "ExternalService"},
                            {"name", what.name},
                            {"uid", what.uid},
                            {"resourceVersion", what.resource_version}}},
                          {"type", text(what.how)},
                          {"reason", what.reason},
                          {"message", message},
                          {"source", {{"component", component_}}},
                          {"reportingComponent", component_},
                          {"reportingInstance", instance_},
                          {"count", event.count},
                          {"firstTimestamp", to_rfc3339(event.first)},
                          {"lastTimestamp", to_rfc3339(event.last)}};
  out.body = json::to_text(body);
  return out;
}

kube::request event_recorder::bump(const posted_event& event, const std::string& message) {
  auto out = event_request(kube::verb::patch);
  out.name = event.name;
  out.body = json::to_text(
      json::object{{"count", event.count}, {"message", message}, {"lastTimestamp", to_rfc3339(event.last)}});
  return out;
}

std::string event_recorder::event_name(const std::string& object, wall_time now) {
  const auto stamp = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  // A name has 253 characters at most, and no dot or hyphen before this one.
  constexpr std::size_t most = 253 - 1 - 16 - 4;
  const auto end = object.find_last_not_of(".-", most - 1);
  // The sequence tells apart what happens in one instant.
  return fmt::format("{}.{:x}{:04x}", object.substr(0, end == object.npos ? 0 : end + 1), stamp,
                     sequence_++ & 0xffff);
}

void event_recorder::forget_old(wall_time now) {
  if (posted_.size() < remembered && groups_.size() < remembered && buckets_.size() < remembered) return;
  auto limit = std::chrono::duration_cast<wall_time::duration>(lives);
  // One pass is enough in all but a flood; halving the age in every pass ends that one, too.
  for (; limit.count() > 0; limit /= 2) {
    std::erase_if(posted_, [&](const auto& one) { return now - one.second.last >= limit; });
    std::erase_if(groups_, [&](const auto& one) {
      return one.second.messages.empty() || now - one.second.messages.back().second >= limit;
    });
    std::erase_if(buckets_, [&](const auto& one) { return now - one.second.refilled >= limit; });
    if (posted_.size() < remembered && groups_.size() < remembered && buckets_.size() < remembered) return;
  }
  posted_.clear();
  groups_.clear();
  buckets_.clear();
}

}  // namespace egress::reconciler
