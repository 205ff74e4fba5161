#pragma once
// API objects from their JSON, by simdjson: only what informers keep. A decoder reuses its buffers and is
// used from one thread. Whatever the bytes, the outcome is a value or an error of one line.

#include <expected>
#include <memory>
#include <string_view>

#include "runtime/base/result.hpp"
#include "runtime/kube/api.hpp"
#include "runtime/kube/object.hpp"
#include "runtime/kube/projection.hpp"

namespace egress::kube {

class decoder {
 public:
  explicit decoder(projection_rules rules);
  ~decoder();
  decoder(decoder&&) noexcept;
  decoder& operator=(decoder&&) noexcept;

  // One object. Null for kinds without an informer (Event, Lease). An error when it is no JSON object or has
  // no metadata.name; an ExternalService whose spec has wrong types is no error
  // (external_service::undecodable).
  result<object_ptr> decode(kind of, std::string_view json);

  // The same for an answer of which only the metadata counts; what is not in there has its default.
  result<object_ptr> decode_metadata(kind of, std::string_view json);

  // One line of a watch, with `object` or `json` set. The JSON of the last sixteen changed children is kept
  // for object::recent_json: who mends one need not read it again. An ERROR event is the error that the
  // server meant; what is no event, malformed.
  std::expected<watch_event, api_error> decode_watch_line(kind of, std::string_view line);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace egress::kube
