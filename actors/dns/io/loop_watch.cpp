#include "actors/dns/io/loop_watch.hpp"

#include <algorithm>

namespace egress::dns {
namespace {

// A label of 16 hexadecimal digits, and its length.
std::array<std::uint8_t, 17> label_of(std::uint64_t number) {
  std::array<std::uint8_t, 17> label{16};
  for (std::size_t i = 16; i > 0; --i, number >>= 4)
    label[i] = static_cast<std::uint8_t>("0123456789abcdef"[number & 15]);
  return label;
}

std::string key_of(const wire_name& name) {
  return {name.view().begin(), name.view().end()};
}

}  // namespace

loop_watch::loop_watch(std::uint64_t process) : label_(label_of(process)) {}

wire_name loop_watch::begin(const wire_name& domain, std::uint64_t random) {
  wire_name name;
  name.data[0] = 0;
  name.size = 1;
  const auto first = label_of(random);
  const std::size_t size = first.size() + label_.size() + domain.size;
  if (size > max_name_size) return name;
  // Two labels even below the root: forwarders keep names of one label to themselves.
  auto* end = std::ranges::copy(first, name.data.data()).out;
  end = std::ranges::copy(label_, end).out;
  std::ranges::copy(domain.view(), end);
  name.size = static_cast<std::uint8_t>(size);
  name.labels = static_cast<std::uint8_t>(domain.labels + 2u);
  const std::scoped_lock lock(mutex_);
  names_.emplace(key_of(name), false);
  return name;
}

void loop_watch::forget(const wire_name& name) {
  const std::scoped_lock lock(mutex_);
  names_.erase(key_of(name));
}

bool loop_watch::arrived(const wire_name& name) const {
  const std::scoped_lock lock(mutex_);
  const auto found = names_.find(key_of(name));
  return found != names_.end() && found->second;
}

bool loop_watch::is_ours(const wire_name& name) const {
  const std::size_t at = label_.size();
  return name.size > 2 * at && name.data[0] == 16 &&
         std::ranges::equal(name.view().subspan(at, label_.size()), label_);
}

void loop_watch::note(const wire_name& name) {
  const std::scoped_lock lock(mutex_);
  const auto found = names_.find(key_of(name));
  if (found == names_.end() || std::exchange(found->second, true)) return;
  arrivals_.fetch_add(1, std::memory_order_release);
}

}  // namespace egress::dns
