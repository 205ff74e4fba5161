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
  // The ExternalService as it is now.
  void set(const kube::object& external_service);
  // It is gone.
  void remove(std::string_view name);
  // The names of those that must be looked at again, each once: all that claim a dnsName which somebody
  // had when this was asked last, and somebody else has now; those of a name that was nobody's have just
  // come. Many changes are looked at together: each of a thousand that claim one name may be older than the
  // one before.
  std::vector<std::string> take_affected();

  // Who has the dnsName: the name of the oldest ExternalService that claims it; "" when nobody does. Case and
  // a trailing dot do not matter.
  std::string holder(std::string_view dns_name) const;

 private:
  // Oldest first, of the same second by name: as DNS has it (hijack_table), and every replica.
  struct claim {
    std::int64_t created;
    std::string name;
    auto operator<=>(const claim&) const = default;
  };
  void move(const std::string& name, const std::string& to, const claim* now);
  void note_holder(const std::string& dns_name);

  std::unordered_map<std::string, std::set<claim>> claims_;            // by dnsName
  std::unordered_map<std::string, std::pair<std::string, claim>> of_;  // dnsName and claim by name
  // By dnsName, of those with other claims since take_affected(): who had it then.
  std::unordered_map<std::string, std::string> held_by_;
};

}  // namespace egress::reconciler
