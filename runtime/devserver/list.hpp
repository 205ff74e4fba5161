#pragma once
// Lists: selection, pages of one moment's state, resourceVersions. Pure.

#include "runtime/devserver/request.hpp"
#include "runtime/devserver/selector.hpp"
#include "runtime/devserver/store.hpp"

namespace egress::dev {

struct selection {
  std::string name_space;
  label_selector labels;
  field_selector fields;

  bool matches(const json::object& object) const { return labels.matches(object) && fields.matches(object); }
  bool all() const { return labels.empty() && fields.empty(); }
};

// From labelSelector, fieldSelector, and a name in the path.
outcome<selection> selection_of(const parsed_request& what);

struct page {
  std::vector<stored> items;
  json::object metadata;  // resourceVersion, continue, remainingItemCount
};

// limit, continue, resourceVersion and resourceVersionMatch as the API defines them; continued pages show the
// state of the first. Without a continue token the state is the present one, or exactly the one asked for.
outcome<page> list_page(const store& objects, const parsed_request& what);

// A resourceVersion of a request: nothing for "" and "0"; an error for what is no number.
outcome<std::optional<std::uint64_t>> parse_version(std::string_view text);

}  // namespace egress::dev
