#include "runtime/kube/condition_list.hpp"

#include <array>
#include <cstring>

namespace egress::kube {
namespace {

using text_size = std::uint32_t;
constexpr std::array texts{&condition::type, &condition::status, &condition::reason, &condition::message,
                           &condition::last_transition_time};

template <class Number>
void append(std::string& to, Number number) {
  std::array<char, sizeof number> packed;
  std::memcpy(packed.data(), &number, sizeof number);
  to.append(packed.data(), packed.size());
}

template <class Number>
Number take(std::string_view& from) {
  Number number;
  std::memcpy(&number, from.data(), sizeof number);
  from.remove_prefix(sizeof number);
  return number;
}

condition take_condition(std::string_view& from) {
  condition one;
  for (const auto text : texts) {
    const auto size = take<text_size>(from);
    one.*text = from.substr(0, size);
    from.remove_prefix(size);
  }
  one.observed_generation = take<std::int64_t>(from);
  return one;
}

}  // namespace

condition_list::condition_list(std::span<const condition> all) {
  std::size_t size = 0;
  for (const auto& one : all) {
    size += sizeof one.observed_generation;
    for (const auto text : texts) size += sizeof(text_size) + (one.*text).size();
  }
  packed_.reserve(size);
  for (const auto& one : all) {
    for (const auto text : texts) {
      append(packed_, static_cast<text_size>((one.*text).size()));
      packed_ += one.*text;
    }
    append(packed_, one.observed_generation);
  }
}

std::vector<condition> condition_list::all() const {
  std::vector<condition> all;
  for (std::string_view left = packed_; !left.empty();) all.push_back(take_condition(left));
  return all;
}

std::optional<condition> condition_list::find(std::string_view type) const {
  for (std::string_view left = packed_; !left.empty();)
    if (auto one = take_condition(left); one.type == type) return one;
  return std::nullopt;
}

}  // namespace egress::kube
