#include "actors/metrics/status_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace egress::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

status some() {
  return {.version = "v1",
          .uptime = std::chrono::seconds{90},
          .leader = "pod-1",
          .informers = {{"Service", true, 7, 2, std::chrono::seconds{3}}},
          .queue_depth = 4,
          .actors = {{"dns", "running", 5}},
          .table_names = 6,
          .external_services = {1, {{"web", "<script>alert('x')</script> & \"more\""}}}};
}

TEST(StatusPage, ShowsAllThatIsKnown) {
  const auto text = to_plain_text(some());
  for (const auto* expected :
       {"version  v1", "uptime  90 s", "writes  pod-1", "queue depth  4", "hijacked names  6",
        "Service  yes  7  2  3 s ago", "dns  running  5", "web  <script>"})
    EXPECT_THAT(text, HasSubstr(expected));
  const auto html = to_html(some());
  EXPECT_THAT(html, HasSubstr("<tr><td>Service</td><td>yes</td><td>7</td><td>2</td><td>3 s ago</td></tr>"));
}

TEST(StatusPage, HtmlIsEscaped) {
  const auto html = to_html(some());
  EXPECT_THAT(html, Not(HasSubstr("<script>")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;more&quot;"));
}

TEST(StatusPage, ListsAHundredAndCountsTheRest) {
  auto now = some();
  now.external_services = {103, std::vector<not_ready>(100, {"name", "why"})};
  EXPECT_THAT(to_plain_text(now), HasSubstr("and 3 more"));
  EXPECT_THAT(to_plain_text(now), HasSubstr("ExternalServices not ready  103"));
  now.external_services.count = 100;
  EXPECT_THAT(to_plain_text(now), Not(HasSubstr("more\n")));
}

}  // namespace
}  // namespace egress::metrics
