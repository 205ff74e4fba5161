#include "runtime/devserver/faults.hpp"

#include <algorithm>

#include "runtime/devserver/tree.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress::dev {
namespace {

bool is_write(std::string_view verb) {
  return verb == "create" || verb == "update" || verb == "patch" || verb == "delete" ||
         verb == "deletecollection";
}

bool names(const parsed_request& what, const std::string& name) {
  if (what.verb != "create") return what.name == name;
  const auto body = json::parse_object(what.from->body);
  return body && name_of(*body) == name;
}

bool fits(const fault& one, const parsed_request& what) {
  if (one.verb == "write" ? !is_write(what.verb) : !one.verb.empty() && one.verb != what.verb) return false;
  if (!one.plural.empty() && one.plural != what.plural_and_part()) return false;
  return one.name.empty() || names(what, one.name);
}

}  // namespace

int fault_table::add(fault what) {
  faults_.emplace_back(++last_number_, std::move(what));
  return last_number_;
}

void fault_table::remove(int number) {
  faults_.remove_if([number](const auto& one) { return one.first == number; });
}

void fault_table::clear() {
  faults_.clear();
  watches_.clear();
}

std::optional<fault> fault_table::take(const parsed_request& what) {
  if (what.what != endpoint::object) return std::nullopt;
  const auto at = std::ranges::find_if(faults_, [&what](const auto& one) { return fits(one.second, what); });
  if (at == faults_.end()) return std::nullopt;
  ++taken_;
  auto taken = at->second;
  if (at->second.times > 0 && --at->second.times == 0) faults_.erase(at);
  return taken;
}

watch_faults fault_table::faults_of(const std::string& plural) const {
  const auto found = watches_.find(plural);
  return found == watches_.end() ? watch_faults{} : found->second;
}

void fault_table::end_watches(const std::string& plural, watch_end how) {
  auto& last = orders_[plural];
  last = {last.number + 1, how};
}

fault_table::order fault_table::last_order(const std::string& plural) const {
  const auto found = orders_.find(plural);
  return found == orders_.end() ? order{} : found->second;
}

void fault_table::count(const parsed_request& what) {
  if (what.what == endpoint::object) ++counts_[{what.verb, what.plural_and_part()}];
}

std::uint64_t fault_table::counted(const std::string& verb, const std::string& plural) const {
  const auto found = counts_.find({verb, plural});
  return found == counts_.end() ? 0 : found->second;
}

std::uint64_t fault_table::writes() const {
  std::uint64_t all = 0;
  for (const auto& [what, count] : counts_) all += is_write(what.first) ? count : 0;
  return all;
}

}  // namespace egress::dev
