#include "actors/metrics/http_answer.hpp"

#include "actors/metrics/exposition.hpp"

namespace egress::metrics {
namespace {

constexpr std::string_view paths = "/metrics /healthz /readyz /health /ready /statusz";

// One of the query's parameters is exactly `wanted`, or begins with it and '='.
bool has_parameter(std::string_view query, std::string_view wanted) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto one = query.substr(0, end);
    if (one == wanted || (one.starts_with(wanted) && one[wanted.size()] == '=')) return true;
    if (end == query.npos) return false;
    query.remove_prefix(end + 1);
  }
  return false;
}

http_answer of_health(std::string_view what, const std::vector<check>& checks, std::string_view query) {
  auto judged = judge(what, checks, has_parameter(query, "verbose"));
  return {.status = judged.ok ? 200U : 503U, .body = std::move(judged.body), .allow = {}};
}

http_answer of_status(const status& now, std::string_view query) {
  if (has_parameter(query, "format=text")) return {.body = to_plain_text(now), .allow = {}};
  return {.content_type = "text/html; charset=utf-8", .body = to_html(now), .allow = {}};
}

}  // namespace

http_answer answer(std::string_view method, std::string_view target, const pages& from) {
  const auto mark = target.find('?');
  const auto path = target.substr(0, mark);
  const auto query = mark == target.npos ? std::string_view{} : target.substr(mark + 1);
  const bool known = !path.empty() && path.find(' ') == path.npos &&
                     (std::string(paths) + " ").find(std::string(path) + " ") != std::string::npos &&
                     path[0] == '/';
  if (!known)
    return {.status = 404, .body = "not found; there are: " + std::string(paths) + "\n", .allow = {}};
  if (method != "GET" && method != "HEAD")
    return {.status = 405, .body = "only GET and HEAD\n", .allow = "GET, HEAD"};
  if (path == "/metrics")
    return {.content_type = exposition_content_type, .body = from.metrics(), .allow = {}};
  if (path == "/statusz") return of_status(from.status_page(), query);
  if (path == "/healthz" || path == "/health") return of_health("healthz", from.health().live, query);
  return of_health("readyz", from.health().ready, query);
}

}  // namespace egress::metrics
