#include "runtime/devserver/patch.hpp"
#include "runtime/devserver/tree.hpp"

namespace egress::dev {

json::value merge_patched(json::value base, const json::value& patch) {
  const auto* const members = patch.if_object();
  if (members == nullptr) return patch;
  if (!base.is_object()) base = json::object{};
  auto& target = base.get_object();
  for (const auto& [name, member] : *members) {
    if (member.is_null()) {
      remove_member(target, name);
      continue;
    }
    auto& slot = target[name];
    slot = merge_patched(std::move(slot), member);
  }
  return base;
}

}  // namespace egress::dev
