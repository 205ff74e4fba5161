#pragma once
// A request to the API, taken apart: what is asked of which object. Pure.

#include <map>
#include <string>
#include <string_view>

#include "runtime/devserver/refusal.hpp"

namespace egress::dev {

struct api_request {
  std::string method;  // "GET"
  std::string target;  // path and query, as sent
  std::string content_type, accept, body;
};

enum class endpoint : std::uint8_t {
  unknown,
  object,  // a kind, or one object of it
  version,
  core_versions,
  group_list,
  group_info,
  resource_list,
  openapi_index,
  openapi_document,
  health,
};

struct parsed_request {
  endpoint what = endpoint::unknown;
  std::string verb;  // of objects: get, list, watch, create, update, patch, delete, deletecollection
  std::string group, version;
  const resource* of = nullptr;
  std::string name_space, name, part;  // part: "", "status", "scale"
  std::map<std::string, std::string, std::less<>> query;
  const api_request* from = nullptr;

  std::string_view option(std::string_view name) const;
  bool asks_for_table() const;
  // "deployments", "externalservices/status": as faults and counts name it; "" for what is no object.
  std::string plural_and_part() const;
};

// The request must outlive what is made of it.
parsed_request parse_request(const api_request& from);

}  // namespace egress::dev
