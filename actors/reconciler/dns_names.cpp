#include "actors/reconciler/dns_names.hpp"

#include "actors/reconciler/dns_name.hpp"

namespace egress::reconciler {

std::string dns_names::holder(std::string_view dns_name) const {
  const auto found = claims_.find(dns_name_key(dns_name));
  return found == claims_.end() ? "" : found->second.begin()->name;
}

std::vector<std::string> dns_names::set(const kube::object& external_service) {
  const auto& meta = external_service.meta;
  const auto wanted = dns_name_key(external_service.as_external_service().spec.dns_name);
  const claim now{meta.creation_time, meta.uid, meta.name};
  return move(meta.name, wanted, &now);
}

std::vector<std::string> dns_names::remove(std::string_view name) {
  return move(std::string(name), "", nullptr);
}

std::vector<std::string> dns_names::move(const std::string& name, const std::string& to, const claim* now) {
  const auto known = of_.find(name);
  const auto from = known == of_.end() ? "" : known->second.first;
  if (now && known != of_.end() && from == to && known->second.second == *now) return {};
  const auto from_holder = holder(from), to_holder = holder(to);
  if (known != of_.end()) {
    if (auto& claims = claims_[from]; claims.erase(known->second.second), claims.empty()) claims_.erase(from);
    of_.erase(known);
  }
  if (now && !to.empty()) {
    claims_[to].insert(*now);
    of_.emplace(name, std::pair{to, *now});
  }
  std::set<std::string> others;
  collect(from, from_holder, others);
  collect(to, to_holder, others);
  others.erase(name);
  return {others.begin(), others.end()};
}

void dns_names::collect(const std::string& dns_name, const std::string& holder_before,
                        std::set<std::string>& into) const {
  const auto found = claims_.find(dns_name);
  if (found == claims_.end() || found->second.begin()->name == holder_before) return;
  for (const auto& one : found->second) into.insert(one.name);
}

}  // namespace egress::reconciler
