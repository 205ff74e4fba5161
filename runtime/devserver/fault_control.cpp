#include "runtime/devserver/fault_control.hpp"

namespace egress::dev {

fault_control dev_server::faults() {
  return fault_control(*this);
}

int fault_control::add(const fault& what) const {
  return of_.run([&what](cluster&, fault_table& all) { return all.add(what); });
}

void fault_control::remove(int number) const {
  of_.run([number](cluster&, fault_table& all) { all.remove(number); });
}

std::uint64_t fault_control::taken() const {
  return of_.run([](cluster&, fault_table& all) { return all.taken(); });
}

void fault_control::clear() const {
  of_.run([](cluster&, fault_table& all) { all.clear(); });
}

void fault_control::set_watches(const std::string& plural, const watch_faults& what) const {
  of_.run([&](cluster&, fault_table& all) { all.watches(plural) = what; });
}

void fault_control::end_watches(const std::string& plural, watch_end how) const {
  of_.run([&](cluster&, fault_table& all) { all.end_watches(plural, how); });
}

void fault_control::compact_history() const {
  of_.run([](cluster& on, fault_table&) { on.raw_objects().compact(); });
}

std::uint64_t fault_control::counted(const std::string& verb, const std::string& plural) const {
  return of_.run([&](cluster&, fault_table& all) { return all.counted(verb, plural); });
}

std::uint64_t fault_control::writes() const {
  return of_.run([](cluster&, fault_table& all) { return all.writes(); });
}

void fault_control::reset_counts() const {
  of_.run([](cluster&, fault_table& all) { all.reset_counts(); });
}

}  // namespace egress::dev
