#include "runtime/devserver/request.hpp"

#include <vector>

namespace egress::dev {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decoded(std::string_view text, bool plus_is_space) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() + 0U && hex_digit(text[i + 1]) >= 0 &&
                        hex_digit(text[i + 2]) >= 0;
    if (escape) {
      plain += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      plain += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return plain;
}

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> all;
  while (!path.empty()) {
    const auto slash = path.find('/');
    if (const auto one = path.substr(0, slash); !one.empty()) all.push_back(decoded(one, false));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return all;
}

void parse_query(std::string_view text, parsed_request& to) {
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto one = text.substr(0, end);
    const auto sign = one.find('=');
    to.query[decoded(one.substr(0, sign), true)] =
        sign == std::string_view::npos ? "" : decoded(one.substr(sign + 1), true);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

// What follows /api/v1 or /apis/G/V.
void parse_object(std::vector<std::string> rest, parsed_request& to) {
  // "namespaces/N/kind/...", but "namespaces/N" and "namespaces/N/status" are the Namespace itself.
  if (rest.size() >= 3 && rest[0] == "namespaces" && rest[2] != "status") {
    to.name_space = rest[1];
    rest.erase(rest.begin(), rest.begin() + 2);
  }
  to.of = find_resource(to.group, to.version, rest[0]);
  if (to.of == nullptr || rest.size() > 3) return;
  if (to.of->namespaced == to.name_space.empty() && rest.size() > 1) return;
  if (rest.size() > 1) to.name = rest[1];
  if (rest.size() > 2) to.part = rest[2];
  if (!to.part.empty() && !(to.part == "status" && to.of->status) && !(to.part == "scale" && to.of->scale))
    return;
  to.what = endpoint::object;
}

void parse_api_path(const std::vector<std::string>& path, parsed_request& to) {
  const bool core = path[0] == "api";
  const std::size_t prefix = core ? 2 : 3;  // api/V, apis/G/V
  if (path.size() == 1) {
    to.what = core ? endpoint::core_versions : endpoint::group_list;
  } else if (!core && path.size() == 2) {
    to.what = endpoint::group_info;
    to.group = path[1];
  } else {
    to.group = core ? "" : path[1];
    to.version = path[prefix - 1];
    if (path.size() == prefix)
      to.what = endpoint::resource_list;
    else
      parse_object({path.begin() + static_cast<std::ptrdiff_t>(prefix), path.end()}, to);
  }
}

// openapi/v3, openapi/v3/api/V, openapi/v3/apis/G/V.
void parse_openapi_path(const std::vector<std::string>& path, parsed_request& to) {
  if (path.size() < 2 || path[1] != "v3") return;
  if (path.size() == 2) to.what = endpoint::openapi_index;
  if (path.size() == 4 && path[2] == "api") {
    to.what = endpoint::openapi_document;
    to.version = path[3];
  }
  if (path.size() == 5 && path[2] == "apis") {
    to.what = endpoint::openapi_document;
    to.group = path[3];
    to.version = path[4];
  }
}

std::string verb_of(std::string_view method, const parsed_request& of) {
  const auto watch = of.option("watch");
  if (method == "GET" && (watch == "true" || watch == "1")) return "watch";
  if (method == "GET" || method == "HEAD") return of.name.empty() ? "list" : "get";
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return of.name.empty() ? "deletecollection" : "delete";
  return "";
}

}  // namespace

std::string_view parsed_request::option(std::string_view key) const {
  const auto found = query.find(key);
  return found == query.end() ? std::string_view{} : found->second;
}

bool parsed_request::asks_for_table() const {
  // Clients list what they take in the order of their liking: a Table is asked for first.
  const auto first = std::string_view{from->accept}.substr(0, from->accept.find(','));
  return first.find("as=Table") != std::string_view::npos && first.find("v=v1;") != std::string_view::npos;
}

std::string parsed_request::plural_and_part() const {
  if (of == nullptr) return "";
  return part.empty() ? std::string{of->plural} : std::string{of->plural} + "/" + part;
}

parsed_request parse_request(const api_request& from) {
  parsed_request made;
  made.from = &from;
  const std::string_view target = from.target;
  const auto mark = target.find('?');
  if (mark != std::string_view::npos) parse_query(target.substr(mark + 1), made);
  const auto path = segments_of(target.substr(0, mark));
  if (path.empty()) return made;
  if (path[0] == "api" || path[0] == "apis") parse_api_path(path, made);
  if (path[0] == "openapi") parse_openapi_path(path, made);
  if (path.size() == 1 && path[0] == "version") made.what = endpoint::version;
  if (path[0] == "healthz" || path[0] == "readyz" || path[0] == "livez") made.what = endpoint::health;
  if (made.what == endpoint::object) made.verb = verb_of(from.method, made);
  return made;
}

}  // namespace egress::dev
