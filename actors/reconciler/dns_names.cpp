#include "actors/reconciler/dns_names.hpp"

#include <algorithm>

#include "actors/reconciler/dns_name.hpp"
#include "runtime/base/give_back.hpp"

namespace egress::reconciler {

std::string dns_names::holder(std::string_view dns_name) const {
  const auto found = claims_.find(dns_name_key(dns_name));
  return found == claims_.end() ? "" : found->second.begin()->name;
}

void dns_names::set(const kube::object& external_service) {
  const auto& meta = external_service.meta;
  const auto wanted = dns_name_key(external_service.as_external_service().spec.dns_name);
  const claim now{meta.creation_time, meta.name};
  move(meta.name, wanted, &now);
}

void dns_names::remove(std::string_view name) {
  move(std::string(name), "", nullptr);
}

void dns_names::move(const std::string& name, const std::string& to, const claim* now) {
  const auto known = of_.find(name);
  const auto from = known == of_.end() ? "" : known->second.first;
  if (now && known != of_.end() && from == to && known->second.second == *now) return;
  note_holder(from);
  note_holder(to);
  if (known != of_.end()) {
    if (auto& claims = claims_[from]; claims.erase(known->second.second), claims.empty()) claims_.erase(from);
    of_.erase(known);
  }
  if (now && !to.empty()) {
    claims_[to].insert(*now);
    of_.emplace(name, std::pair{to, *now});
  }
}

void dns_names::note_holder(const std::string& dns_name) {
  if (dns_name.empty()) return;
  const auto found = claims_.find(dns_name);
  held_by_.try_emplace(dns_name, found == claims_.end() ? "" : found->second.begin()->name);
}

std::vector<std::string> dns_names::take_affected() {
  std::vector<std::string> all;
  for (const auto& [dns_name, holder_before] : held_by_) {
    // Whoever claims a name that nobody had is one of those that have just come.
    const auto found = claims_.find(dns_name);
    if (holder_before.empty() || found == claims_.end() || found->second.begin()->name == holder_before)
      continue;
    for (const auto& one : found->second) all.push_back(one.name);
  }
  give_back(held_by_);
  std::ranges::sort(all);
  return all;
}

}  // namespace egress::reconciler
