#pragma once
// Which ExternalService has which dnsName: of several that claim one, the oldest. An index, so that a change
// finds those whose standing it changes without looking at all.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/kube/object.hpp"

namespace egress::reconciler {

class dns_names {
 public:
  // The ExternalService as it is now. Returns the names of the *others* that must be looked at again, because
  // they win or lose the dnsName by this.
  std::vector<std::string> set(const kube::object& external_service);
  // It is gone.
  std::vector<std::string> remove(std::string_view name);

  // Who has the dnsName: the name of the oldest ExternalService that claims it; "" when nobody does. Case and
  // a trailing dot do not matter.
  std::string holder(std::string_view dns_name) const;

 private:
  // Oldest first; of the same second, by uid, in files without one by name: the order is the same in every
  // replica.
  struct claim {
    std::int64_t created;
    kube::object_uid uid;
    std::string name;
    auto operator<=>(const claim&) const = default;
  };
  std::vector<std::string> move(const std::string& name, const std::string& to, const claim* now);
  // All that claim the name, if it has another holder than before.
  void collect(const std::string& dns_name, const std::string& holder_before,
               std::set<std::string>& into) const;

  std::unordered_map<std::string, std::set<claim>> claims_;            // by dnsName
  std::unordered_map<std::string, std::pair<std::string, claim>> of_;  // dnsName and claim by name
};

}  // namespace egress::reconciler
