#include "runtime/program/facts.hpp"

#include <algorithm>

namespace egress {

void operator_facts::saw(const kube::published& now, steady_time when) {
  const std::lock_guard lock(mutex_);
  kinds_[static_cast<std::size_t>(now.of)] = {now, when};
}

void operator_facts::built_table(std::size_t names, steady_time when) {
  const std::lock_guard lock(mutex_);
  names_ = names;
  built_ = when;
}

void operator_facts::died(const std::string& actor) {
  const std::lock_guard lock(mutex_);
  ++deaths_[actor];
}

void operator_facts::queued(std::size_t keys) {
  const std::lock_guard lock(mutex_);
  queued_ = keys;
}

std::size_t operator_facts::queue_depth() const {
  const std::lock_guard lock(mutex_);
  return queued_;
}

// A copy shares everything; what is done with it needs no lock.
kube::snapshot operator_facts::snapshot_of(kube::kind of) const {
  const std::lock_guard lock(mutex_);
  return kinds_[static_cast<std::size_t>(of)].last.objects;
}

std::vector<metrics::informer_status> operator_facts::informers(steady_time now) const {
  const std::lock_guard lock(mutex_);
  std::vector<metrics::informer_status> all;
  for (const auto kind : kube::watched_kinds) {
    const auto& [last, when] = kinds_[static_cast<std::size_t>(kind)];
    const auto age = last.synced ? std::chrono::duration_cast<seconds>(now - when) : seconds{0};
    const auto lists = last.epoch & 0xFFFF'FFFFU;  // of this life of the informer
    all.push_back({std::string{kube::info(kind).name}, last.synced, last.objects.size(), lists, age});
  }
  return all;
}

metrics::gateway_states operator_facts::gateways() const {
  metrics::gateway_states states;
  snapshot_of(kube::kind::service).for_each([&states](const kube::object_ptr& one) {
    const auto& label = one->as_child().hijack_label;
    ++(label == "true"               ? states.hijacked
       : label == "waiting-for-pods" ? states.waiting_for_pods
                                     : states.not_hijacked);
  });
  return states;
}

metrics::all_not_ready operator_facts::not_ready() const {
  struct seen {
    kube::object_ptr object;
    std::string_view why;  // its own
  };
  std::vector<seen> found;
  snapshot_of(kube::kind::external_service).for_each([&found](const kube::object_ptr& one) {
    const auto ready = one->as_external_service().status.conditions.find("Ready");
    if (ready && ready->status == "True") return;
    found.push_back({one, ready ? ready->message : "it has no status yet"});
  });
  // Whoever asks again and again must not have thousands sorted and copied each time.
  const auto shown = static_cast<std::ptrdiff_t>(std::min(found.size(), metrics::all_not_ready::most_shown));
  const auto name = [](const seen& one) -> const std::string& { return one.object->meta.name; };
  std::ranges::partial_sort(found, found.begin() + shown, {}, name);
  metrics::all_not_ready all{found.size(), {}};
  for (auto one = found.begin(); one != found.begin() + shown; ++one)
    all.first.push_back({name(*one), std::string(one->why)});
  return all;
}

std::pair<std::size_t, std::chrono::duration<double>> operator_facts::table(steady_time now) const {
  const std::lock_guard lock(mutex_);
  if (built_ == steady_time{}) return {};
  return {names_, now - built_};
}

std::uint64_t operator_facts::deaths(const std::string& actor) const {
  const std::lock_guard lock(mutex_);
  const auto found = deaths_.find(actor);
  return found == deaths_.end() ? 0 : found->second;
}

}  // namespace egress
