#pragma once
// The kinds the embedded API server knows: one table that routing, discovery, defaults and tables read.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/devserver/store.hpp"

namespace egress::dev {

struct resource {
  std::string_view group;    // "" is the core group
  std::string_view version;  // "v1"
  std::string_view plural, singular, kind;
  std::vector<std::string_view> short_names;
  bool namespaced = true;
  bool has_status = false;   // a status subresource
  bool has_scale = false;
  bool read_only = false;    // always there, never written by clients (customresourcedefinitions)

  resource_key key() const { return {std::string{group}, std::string{plural}}; }
  std::string api_version() const;  // "apps/v1", "v1"
};

std::span<const resource> all_resources();
// Null when there is none.
const resource* find_resource(std::string_view group, std::string_view version, std::string_view plural);

}  // namespace egress::dev
