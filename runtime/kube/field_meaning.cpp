#include "runtime/kube/field_meaning.hpp"

#include <algorithm>
#include <array>

namespace egress::kube {
namespace {

template <std::size_t N>
bool listed(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

constexpr std::array<std::string_view, 5> meaningful_when_empty{"podSelector", "namespaceSelector",
                                                                "labelSelector", "selector", "emptyDir"};
constexpr std::array<std::string_view, 7> maps_of_names{"matchLabels", "nodeSelector", "selector",  "labels",
                                                        "annotations", "data",         "binaryData"};
constexpr std::array<std::string_view, 3> quantity_maps{"requests", "limits", "overhead"};
constexpr std::array<std::string_view, 2> quantity_fields{"divisor", "sizeLimit"};

}  // namespace

bool empty_says_something(std::string_view name) {
  return listed(meaningful_when_empty, name);
}

bool keys_are_chosen(std::string_view name) {
  return listed(maps_of_names, name);
}

bool is_quantity(place at) {
  return listed(quantity_maps, at.parent) ||
         (listed(quantity_fields, at.name) && !keys_are_chosen(at.parent));
}

}  // namespace egress::kube
