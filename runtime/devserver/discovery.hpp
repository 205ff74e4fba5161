#pragma once
// What clients ask a server about itself: version, groups, kinds, OpenAPI documents. Pure.

#include <functional>
#include <string_view>

#include "runtime/devserver/refusal.hpp"

namespace egress::dev {

// Which kinds are served just now.
using served_filter = std::function<bool(const resource&)>;

json::object version_info();
json::object core_versions();                                                                 // GET /api
json::object group_list(const served_filter& served);                                         // GET /apis
std::optional<json::object> group_info(std::string_view group, const served_filter& served);  // GET /apis/G
// GET /api/v1, /apis/G/V; nothing when no kind of it is served.
std::optional<json::object> resource_list(std::string_view group, std::string_view version,
                                          const served_filter& served);

json::object openapi_index(const served_filter& served);  // GET /openapi/v3
// GET /openapi/v3/api/v1, /openapi/v3/apis/G/V.
std::optional<json::object> openapi_document(std::string_view group, std::string_view version,
                                             const served_filter& served);

}  // namespace egress::dev
