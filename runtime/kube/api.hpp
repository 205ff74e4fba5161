#pragma once
// A request to the API server and what comes of it, as values. The kube_api actor takes the first and gives
// the second; the HTTP client below it never shows through.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/kube/object.hpp"

namespace egress::kube {

enum class verb : std::uint8_t { get, list, create, patch, patch_status, replace, remove, get_raw };

struct request {
  verb what = verb::get;
  kind of = kind::external_service;
  std::string name_space;        // "" for a cluster-scoped kind
  std::string name;              // "" for list and create
  std::string body;              // JSON: the object (create, replace) or the merge patch
  std::string label_selector;    // list
  std::string resource_version;  // list: "" is the most recent, "0" any
  std::string continue_token;    // list
  int limit = 0;                 // list: page size, 0 is all
  std::string uid;               // remove: a precondition, "" is none
  std::string path;              // get_raw: of any path: discovery, kinds without an informer
  std::uint64_t term = 0;        // of a write: the leader's term that it was decided in
  // create, patch_status: of the answer only the metadata is of use, and only that is asked for
  // (PartialObjectMetadata). A server that does not know it answers with the whole object.
  bool metadata_only = false;
  // Nobody waits for the answer: it may be read some tens of milliseconds later.
  bool patient = false;
  std::chrono::milliseconds timeout{30'000};
};

// What the server (or the way to it) refused, by what the caller must do about it.
enum class api_errc : std::uint8_t {
  not_found,          // 404
  already_exists,     // 409 AlreadyExists
  conflict,           // 409 otherwise: read again, try again
  gone,               // 410 or reason Expired: list again
  version_too_large,  // 504 with ResourceVersionTooLarge: list without resourceVersion
  too_many_requests,  // 429, or 503 with Retry-After
  invalid,            // 422
  bad_request,        // 400, 405, 415
  unauthorized,       // 401
  forbidden,          // 403
  server_error,       // 5xx
  timed_out,          // no answer in time
  transport,          // connect, TLS, reset, cut stream
  malformed,          // an answer that is not what the API promises
  too_large,          // an answer beyond the response bound
  cancelled,
  not_leader,  // a write held back: we may not write now
};

struct api_error {
  api_errc code = api_errc::transport;
  int status = 0;       // HTTP status, 0 when there was none
  std::string reason;   // metav1.Status reason
  std::string message;  // one line, for people
  std::optional<std::chrono::seconds> retry_after;
};

// How long the server asked to be left alone, a minute at most however long it says: what has failed is not
// tried again before, unless something else happens to it.
inline std::chrono::milliseconds asked_to_wait(const api_error& why) {
  constexpr std::chrono::seconds longest{60};
  return std::min(why.retry_after.value_or(std::chrono::seconds{0}), longest);
}

struct list_page {
  std::vector<object_ptr> items;
  std::string resource_version;
  std::string continue_token;   // "" on the last page
  std::uint64_t remaining = 0;  // objects after this page; 0 too when the server does not count them
};

// One object: its JSON as the server sent it, and what an informer would keep of it (null for kinds without
// an informer; for request::metadata_only, that of its metadata).
struct document {
  std::string json;
  object_ptr decoded;
};

using reply = std::expected<std::variant<std::monostate, list_page, document>, api_error>;

struct watch_request {
  kind of = kind::external_service;
  std::string name_space;
  std::string name{};  // of the one object to watch; "" is all
  std::string label_selector;
  // "" with send_initial_events; "" without is what the server has, as ADDED events, and then the changes.
  std::string resource_version;
  bool send_initial_events = false;   // a streaming list (WatchList)
  std::chrono::seconds timeout{300};  // timeoutSeconds
};

enum class event_type : std::uint8_t { added, modified, deleted, bookmark };

struct watch_event {
  event_type type = event_type::bookmark;
  object_ptr object;             // null for a bookmark, and for a kind without informer
  std::string resource_version;  // of the object, or of the bookmark
  bool initial_events_end = false;
  std::string json{};  // of an object of a kind without informer
};

// What one read of a watch gave: events in order, and whether the stream is over.
struct watch_chunk {
  std::vector<watch_event> events;
  bool ended = false;
  std::optional<api_error> failure;  // an ERROR event, a cut stream; `ended` is then true
};

}  // namespace egress::kube
