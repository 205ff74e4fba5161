#pragma once
// What the metrics listener answers to a request, so that its HTTP shell is a few lines. Pure.

#include <functional>
#include <string>
#include <string_view>

#include "actors/metrics/health.hpp"
#include "actors/metrics/status_page.hpp"

namespace egress::metrics {

struct http_answer {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string allow;  // the Allow header of a 405; "" for none
};

// What the pages are made of; asked only for the page that is wanted.
struct pages {
  std::function<std::string()> metrics;  // registry::text
  std::function<health_state()> health;
  std::function<status()> status_page;
};

// GET and HEAD (the shell leaves the body of a HEAD away) of /metrics, /healthz, /health, /readyz, /ready and
// /statusz (?format=text); 404 with the list of paths, 405 for other methods. `target` is the request's.
http_answer answer(std::string_view method, std::string_view target, const pages& from);

}  // namespace egress::metrics
