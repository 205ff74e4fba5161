#pragma once
// The Kubernetes API over a cluster: a request in, an answer or a watch out. Pure: whoever calls it does the
// HTTP.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/devserver/cluster.hpp"
#include "runtime/devserver/request.hpp"
#include "runtime/devserver/watch.hpp"

namespace egress::dev {

struct api_answer {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // Warning, Retry-After
  std::optional<watch_plan> watch;                           // then there is no body
};

api_answer answer(cluster& on, const parsed_request& what, wall_time now);
// What a refusal looks like to a client.
api_answer answer_of(const refusal& what);

}  // namespace egress::dev
