#include "runtime/devserver/refusal.hpp"

#include <fmt/format.h>

namespace egress::dev {
namespace {

json::object details_of(const resource& of, std::string_view name, std::string_view kind) {
  json::object details;
  if (!name.empty()) details["name"] = name;
  if (!of.group.empty()) details["group"] = of.group;
  details["kind"] = kind;
  return details;
}

std::unexpected<refusal> refuse(int code, std::string reason, std::string message,
                                json::object details = {}) {
  return std::unexpected(refusal{code, std::move(reason), std::move(message), std::move(details), {}});
}

std::string_view reason_for(int code) {
  switch (code) {
    case 400:
      return "BadRequest";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 409:
      return "Conflict";
    case 410:
      return "Expired";
    case 422:
      return "Invalid";
    case 429:
      return "TooManyRequests";
    case 503:
      return "ServiceUnavailable";
    case 504:
      return "Timeout";
    default:
      return "InternalError";
  }
}

}  // namespace

std::unexpected<refusal> not_found(const resource& of, std::string_view name) {
  return refuse(404, "NotFound", fmt::format("{} \"{}\" not found", of.qualified_name(), name),
                details_of(of, name, of.plural));
}

std::unexpected<refusal> already_exists(const resource& of, std::string_view name) {
  return refuse(409, "AlreadyExists", fmt::format("{} \"{}\" already exists", of.qualified_name(), name),
                details_of(of, name, of.plural));
}

std::unexpected<refusal> conflict(const resource& of, std::string_view name, std::string_view why) {
  return refuse(409, "Conflict",
                fmt::format("Operation cannot be fulfilled on {} \"{}\": {}", of.qualified_name(), name, why),
                details_of(of, name, of.plural));
}

std::unexpected<refusal> stale(const resource& of, std::string_view name) {
  return conflict(
      of, name,
      "the object has been modified; please apply your changes to the latest version and try again");
}

std::unexpected<refusal> invalid(const resource& of, std::string_view name,
                                 const std::vector<cause>& causes) {
  json::array listed;
  std::string all;
  for (const auto& one : causes) {
    listed.push_back(json::object{{"reason", one.reason}, {"message", one.message}, {"field", one.field}});
    if (!all.empty()) all += ", ";
    all += fmt::format("{}: {}", one.field, one.message);
  }
  if (causes.size() > 1) all = fmt::format("[{}]", all);
  auto details = details_of(of, name, of.kind);
  details["causes"] = std::move(listed);
  return refuse(
      422, "Invalid",
      fmt::format("{}{}{} \"{}\" is invalid: {}", of.kind, of.group.empty() ? "" : ".", of.group, name, all),
      std::move(details));
}

std::unexpected<refusal> bad_request(std::string message) {
  return refuse(400, "BadRequest", std::move(message));
}

std::unexpected<refusal> method_not_allowed(const resource& of) {
  return refuse(405, "MethodNotAllowed", "the server does not allow this method on the requested resource",
                details_of(of, "", of.plural));
}

std::unexpected<refusal> unsupported_media(std::string_view accepted) {
  return refuse(
      415, "UnsupportedMediaType",
      fmt::format("the body of the request was in an unknown format - accepted media types include: {}",
                  accepted));
}

std::unexpected<refusal> too_large_version(std::uint64_t asked, std::uint64_t present) {
  json::array causes{
      json::object{{"reason", "ResourceVersionTooLarge"}, {"message", "Too large resource version"}}};
  auto refused =
      refuse(504, "Timeout", fmt::format("Too large resource version: {}, current: {}", asked, present),
             {{"causes", std::move(causes)}, {"retryAfterSeconds", 1}});
  refused.error().retry_after = seconds{1};
  return refused;
}

refusal expired(std::string message) {
  return {410, "Expired", std::move(message), {}, {}};
}

refusal refusal_of(int code, std::string message) {
  return {code, std::string{reason_for(code)}, std::move(message), {}, {}};
}

json::object status_of(const refusal& what) {
  json::object status{{"kind", "Status"},    {"apiVersion", "v1"},      {"metadata", json::object{}},
                      {"status", "Failure"}, {"message", what.message}, {"reason", what.reason},
                      {"code", what.code}};
  auto details = what.details;
  if (what.retry_after) details["retryAfterSeconds"] = what.retry_after->count();
  if (!details.empty()) status["details"] = std::move(details);
  return status;
}

}  // namespace egress::dev
