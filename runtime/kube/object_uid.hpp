#pragma once
// metadata.uid. The API server makes UUIDs, 36 characters that a string would put on the heap, and there are
// seven objects for each ExternalService: those stand in the object itself. Any other text is kept as it is.
// Pure.

#include <algorithm>
#include <array>
#include <compare>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace egress::kube {

class object_uid {
 public:
  object_uid() = default;
  template <std::convertible_to<std::string_view> Text>
  object_uid(const Text& text) {  // NOLINT(google-explicit-constructor): it is a text
    const std::string_view from = text;
    if (from.size() == uuid_size)
      std::ranges::copy(from, kept_.emplace<uuid>().begin());
    else
      kept_.emplace<std::string>(from);
  }

  // Valid as long as this.
  std::string_view view() const {
    if (const auto* inside = std::get_if<uuid>(&kept_)) return {inside->data(), inside->size()};
    return std::get<std::string>(kept_);
  }

  friend bool operator==(const object_uid&, const object_uid&) = default;
  // As texts.
  friend std::strong_ordering operator<=>(const object_uid& a, const object_uid& b) {
    return a.view() <=> b.view();
  }

 private:
  static constexpr std::size_t uuid_size = 36;
  using uuid = std::array<char, uuid_size>;
  std::variant<std::string, uuid> kept_;
};

}  // namespace egress::kube
