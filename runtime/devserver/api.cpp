#include "runtime/devserver/api.hpp"

#include "runtime/devserver/discovery.hpp"
#include "runtime/devserver/object_api.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress::dev {
namespace {

refusal unknown_path() {
  return refusal_of(404, "the server could not find the requested resource");
}

api_answer answer_document(const std::optional<json::object>& document) {
  if (!document) return answer_of(unknown_path());
  api_answer made;
  made.body = json::to_text(*document);
  return made;
}

api_answer answer_about_itself(const cluster& on, const parsed_request& what) {
  const auto served = [&on](const resource& of) { return on.serves(of); };
  switch (what.what) {
    case endpoint::version:
      return answer_document(version_info());
    case endpoint::core_versions:
      return answer_document(core_versions());
    case endpoint::group_list:
      return answer_document(group_list(served));
    case endpoint::group_info:
      return answer_document(group_info(what.group, served));
    case endpoint::resource_list:
      return answer_document(resource_list(what.group, what.version, served));
    case endpoint::openapi_index:
      return answer_document(openapi_index(served));
    case endpoint::openapi_document:
      return answer_document(openapi_document(what.group, what.version, served));
    case endpoint::health: {
      api_answer made;
      made.content_type = "text/plain; charset=utf-8";
      made.body = "ok";
      return made;
    }
    case endpoint::object:
    case endpoint::unknown:
      break;
  }
  return answer_of(unknown_path());
}

}  // namespace

api_answer answer_of(const refusal& what) {
  api_answer made;
  made.status = what.code;
  made.body = json::to_text(status_of(what));
  if (what.retry_after) made.headers.emplace_back("Retry-After", std::to_string(what.retry_after->count()));
  return made;
}

api_answer answer(cluster& on, const parsed_request& what, wall_time now) {
  if (what.what != endpoint::object) return answer_about_itself(on, what);
  if (!on.serves(*what.of)) return answer_of(unknown_path());
  return answer_for_objects(on, what, now);
}

}  // namespace egress::dev
