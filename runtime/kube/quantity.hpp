#pragma once
// Kubernetes' resource.Quantity ("100m", "1.5Gi", "1e3") in exact integers. Pure; from any thread.
// The canonical form is the one the API server answers with, so that what was written and what comes back can
// be compared as text: 1000m is 1, 1024Mi is 1Gi, 0.1Gi is 107374182400m.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"
#include "runtime/kube/json.hpp"

namespace egress::kube {

class quantity {
 public:
  // An error says what is wrong. What is finer than a billionth is rounded away from zero, as the server
  // does.
  static result<quantity> parse(std::string_view text);
  // A JSON string or number; a number counts as its decimal text.
  static result<quantity> parse(const json::value& what);

  // The server rounds what a container asks for up to thousandths (SetDefaults_ResourceList).
  quantity in_thousandths() const;
  // As the API server prints it.
  std::string canonical() const;

  bool negative() const { return negative_; }
  bool zero() const { return nanos_ == 0; }
  // In whole units (bytes, cores), rounded away from zero; what is larger counts as the largest.
  std::int64_t whole() const {
    const wide units = nanos_ / 1'000'000'000U + (nanos_ % 1'000'000'000U != 0 ? 1U : 0U);
    const auto value = units > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(units);
    return negative_ ? -value : value;
  }

  // By value: 1000m equals 1.
  friend bool operator==(const quantity& a, const quantity& b) { return (a <=> b) == 0; }
  friend std::strong_ordering operator<=>(const quantity& a, const quantity& b);

 private:
  __extension__ using wide = unsigned __int128;
  // What the text was written with; the canonical form keeps to it where that loses nothing.
  enum class notation : std::uint8_t { decimal_suffix, decimal_exponent, binary_suffix };

  struct unit;
  static const unit* find_unit(std::string_view suffix);
  std::string decimal_text() const;
  std::string binary_text() const;

  bool negative_ = false;  // never for zero
  notation notation_ = notation::decimal_suffix;
  wide nanos_ = 0;  // the absolute value in billionths
};

}  // namespace egress::kube
