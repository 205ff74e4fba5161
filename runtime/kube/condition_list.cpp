#include "runtime/kube/condition_list.hpp"

#include <array>
#include <cstring>

namespace egress::kube {
namespace {

using text_size = std::uint32_t;
constexpr std::array texts{&condition_view::type, &condition_view::status, &condition_view::reason,
                           &condition_view::message, &condition_view::last_transition_time};
// Ready, Accepted, GatewayReady, DNSHijacked, and one that says more.
constexpr std::size_t usual = 5;

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

condition_view take_condition(std::string_view& from) {
  condition_view one;
  for (const auto text : texts) {
    const auto size = take<text_size>(from);
    one.*text = from.substr(0, size);
    from.remove_prefix(size);
  }
  one.observed_generation = take<std::int64_t>(from);
  return one;
}

}  // namespace

condition_list::condition_list(std::span<const condition_view> all) {
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

std::vector<condition_view> condition_list::all() const& {
  std::vector<condition_view> all;
  if (!packed_.empty()) all.reserve(usual);
  for (std::string_view left = packed_; !left.empty();) all.push_back(take_condition(left));
  return all;
}

std::optional<condition_view> condition_list::find(std::string_view type) const& {
  for (std::string_view left = packed_; !left.empty();)
    if (auto one = take_condition(left); one.type == type) return one;
  return std::nullopt;
}

}  // namespace egress::kube
