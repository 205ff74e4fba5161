#include "runtime/kube/request_target.hpp"

#include "runtime/http/url.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress::kube {
namespace {

class query {
 public:
  explicit query(std::string path) : target_(std::move(path)) {}
  query& with(std::string_view key, std::string_view value) {
    if (value.empty()) return *this;
    target_ += separator_;
    separator_ = '&';
    target_ += key;
    target_ += '=';
    target_ += http::percent_encode(value);
    return *this;
  }
  std::string text() { return std::move(target_); }

 private:
  std::string target_;
  char separator_ = '?';
};

std::string list_target(const request& what) {
  return query(collection_path(what.of, what.name_space))
      .with("labelSelector", what.label_selector)
      .with("limit", what.limit > 0 ? std::to_string(what.limit) : "")
      .with("continue", what.continue_token)
      // The server refuses a resourceVersion beside a continue token: the token has its own.
      .with("resourceVersion", what.continue_token.empty() ? what.resource_version : "")
      .text();
}

std::string delete_options(const request& what) {
  json::object options{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", "Background"}};
  if (!what.uid.empty()) options["preconditions"] = json::object{{"uid", what.uid}};
  return json::to_text(options);
}

std::string name_selector(std::string_view name) {
  return name.empty() ? "" : "metadata.name=" + std::string{name};
}

}  // namespace

http_shape shape_of(const request& what, std::chrono::milliseconds write_timeout) {
  const auto write_to = [&](std::string path) {
    return query(std::move(path)).with("timeout", std::to_string(write_timeout.count()) + "ms").text();
  };
  const auto object = [&] { return object_path(what.of, what.name_space, what.name); };
  const bool gated = what.of != kind::lease;
  constexpr std::string_view plain = "application/json", merge_patch = "application/merge-patch+json";
  switch (what.what) {
    case verb::get:
      return {"GET", object(), "", false, {}};
    case verb::list:
      return {"GET", list_target(what), "", false, {}};
    case verb::get_raw:
      return {"GET", what.path, "", false, {}};
    case verb::create:
      return {"POST", write_to(collection_path(what.of, what.name_space)), plain, gated, {}};
    case verb::replace:
      return {"PUT", write_to(object()), plain, gated, {}};
    case verb::patch:
      return {"PATCH", write_to(object()), merge_patch, gated, {}};
    case verb::patch_status:
      return {"PATCH", write_to(object() + "/status"), merge_patch, gated, {}};
    case verb::remove:
      return {"DELETE", write_to(object()), plain, gated, delete_options(what)};
  }
  return {};
}

std::string target_of(const watch_request& what) {
  return query(collection_path(what.of, what.name_space))
      .with("watch", "true")
      .with("allowWatchBookmarks", "true")
      .with("timeoutSeconds", std::to_string(what.timeout.count()))
      .with("fieldSelector", name_selector(what.name))
      .with("labelSelector", what.label_selector)
      .with("resourceVersion", what.resource_version)
      .with("sendInitialEvents", what.send_initial_events ? "true" : "")
      .with("resourceVersionMatch", what.send_initial_events ? "NotOlderThan" : "")
      .text();
}

}  // namespace egress::kube
