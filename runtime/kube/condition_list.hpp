#pragma once
// The conditions of a status. Kept as one run of bytes: as strings of their own they would be a sixth of all
// that is kept of an ExternalService. Pure.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace egress::kube {

// metav1.Condition, of which somebody else has the texts.
struct condition_view {
  std::string_view type, status, reason, message, last_transition_time;
  std::int64_t observed_generation = 0;
  friend bool operator==(const condition_view&, const condition_view&) = default;
};

// One that has them.
struct condition {
  std::string type;
  std::string status;  // "True", "False", "Unknown"
  std::string reason;
  std::string message;
  std::string last_transition_time;  // RFC 3339
  std::int64_t observed_generation = 0;
  friend bool operator==(const condition&, const condition&) = default;

  operator condition_view() const {  // NOLINT(google-explicit-constructor): as a string is a string_view
    return {type, status, reason, message, last_transition_time, observed_generation};
  }
};

class condition_list {
 public:
  condition_list() = default;
  explicit condition_list(std::span<const condition_view> all);
  condition_list(std::initializer_list<condition_view> all) : condition_list(std::span(all)) {}

  // Views of the list. In the order they were given.
  std::vector<condition_view> all() const&;
  std::vector<condition_view> all() const&& = delete;
  // The first of this type.
  std::optional<condition_view> find(std::string_view type) const&;
  std::optional<condition_view> find(std::string_view type) const&& = delete;

  friend bool operator==(const condition_list&, const condition_list&) = default;

 private:
  // Of each its texts, a size of four bytes before each, and its generation.
  std::string packed_;
};

}  // namespace egress::kube
