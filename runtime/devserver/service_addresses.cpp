#include "runtime/devserver/service_addresses.hpp"

#include <fmt/format.h>

#include "runtime/devserver/tree.hpp"

namespace egress::dev {
namespace {

std::vector<std::string> texts(const json::array* in) {
  std::vector<std::string> found;
  if (in != nullptr)
    for (const auto& one : *in)
      if (one.is_string()) found.emplace_back(one.get_string());
  return found;
}

std::vector<std::string> addresses_of(const json::object& service) {
  auto found = texts(array_at(service, {"spec", "clusterIPs"}));
  if (const auto first = text_at(service, {"spec", "clusterIP"}); found.empty() && !first.empty())
    found.emplace_back(first);
  return found;
}

bool has_addresses(const json::object& service) {
  return text_at(service, {"spec", "type"}) != "ExternalName";
}

json::array array_of(const std::vector<std::string>& of) {
  json::array made;
  for (const auto& one : of) made.emplace_back(one);
  return made;
}

std::unexpected<refusal> wrong(const json::object& service, std::string why, std::string field) {
  return invalid(kinds::services(), name_of(service),
                 {{"FieldValueInvalid", std::move(why), std::move(field)}});
}

void set(json::object& service, const std::vector<std::string>& addresses,
         const std::vector<std::string>& families) {
  auto& spec = object_in(service, "spec");
  spec["clusterIP"] = addresses.front();
  spec["clusterIPs"] = array_of(addresses);
  spec["ipFamilies"] = array_of(families);
  set_default(spec, "ipFamilyPolicy", families.size() > 1 ? "RequireDualStack" : "SingleStack");
}

// A change that names no addresses keeps those it has; one that names others is refused.
outcome<void> keep(json::object& service, const json::object& old) {
  auto asked = addresses_of(service);
  const auto held = addresses_of(old);
  for (std::size_t i = 0; i < asked.size(); ++i)
    if (i >= held.size() || asked[i] != held[i])
      return wrong(service, fmt::format("Invalid value: \"{}\": may not change once set", asked[i]),
                   fmt::format("spec.clusterIPs[{}]", i));
  auto& spec = object_in(service, "spec");
  for (const auto* const member : {"clusterIP", "clusterIPs", "ipFamilies"})
    if (const auto* const before = find(old, {"spec", member})) spec[member] = *before;
  if (const auto* const policy = find(old, {"spec", "ipFamilyPolicy"}))
    set_default(spec, "ipFamilyPolicy", *policy);
  return {};
}

}  // namespace

outcome<std::vector<std::string>> service_addresses::families(const json::object& service) const {
  auto asked = texts(array_at(service, {"spec", "ipFamilies"}));
  const auto policy = text_at(service, {"spec", "ipFamilyPolicy"});
  if (policy == "RequireDualStack" && !v6_)
    return wrong(
        service,
        "Invalid value: \"RequireDualStack\": this cluster is not configured for dual-stack services",
        "spec.ipFamilyPolicy");
  if (asked.empty()) asked.emplace_back("IPv4");
  const bool both = v6_ && (policy == "PreferDualStack" || policy == "RequireDualStack");
  if (both && asked.size() == 1) asked.emplace_back(asked.front() == "IPv4" ? "IPv6" : "IPv4");
  for (const auto& one : asked)
    if (one != "IPv4" && !(one == "IPv6" && v6_))
      return wrong(service, fmt::format("Invalid value: \"{}\": not configured on this cluster", one),
                   "spec.ipFamilies[0]");
  return asked;
}

outcome<std::string> service_addresses::address_for(const json::object& service, bool v6,
                                                    const std::string& asked, const std::string& field) {
  auto& from = *pool(v6);
  if (asked.empty()) {
    if (auto given = from.allocate()) return *std::move(given);
    return std::unexpected(refusal_of(500, "failed to allocate a serviceIP: range is full"));
  }
  if (from.take(asked)) return asked;
  return wrong(service,
               fmt::format("Invalid value: [\"{0}\"]: failed to allocate IP {0}: {1}", asked,
                           from.contains(asked) ? "provided IP is already allocated"
                                                : "the provided IP is not in the valid range"),
               field);
}

outcome<void> service_addresses::assign(json::object& service, const json::object* old) {
  if (!has_addresses(service)) return {};
  if (old != nullptr && has_addresses(*old)) return keep(service, *old);
  const auto asked = addresses_of(service);
  const auto wanted = families(service);
  if (!wanted) return std::unexpected(wanted.error());
  if (!asked.empty() && asked.front() == "None") return set(service, {"None"}, *wanted), outcome<void>{};
  std::vector<std::string> got;
  for (std::size_t i = 0; i < wanted->size(); ++i) {
    const bool v6 = (*wanted)[i] == "IPv6";
    auto one = address_for(service, v6, i < asked.size() ? asked[i] : "", "spec.clusterIPs");
    if (!one) {
      for (std::size_t taken = 0; taken < got.size(); ++taken)
        pool((*wanted)[taken] == "IPv6")->release(got[taken]);
      return std::unexpected(std::move(one.error()));
    }
    got.push_back(*std::move(one));
  }
  set(service, got, *wanted);
  return {};
}

void service_addresses::release(const json::object& service, const json::object* kept) {
  const auto still = kept == nullptr ? std::vector<std::string>{} : addresses_of(*kept);
  for (const auto& address : addresses_of(service)) {
    if (std::find(still.begin(), still.end(), address) != still.end()) continue;
    if (auto* const from = pool(address.find(':') != std::string::npos)) from->release(address);
  }
}

}  // namespace egress::dev
