#include "actors/dns/query_log.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {
namespace {

using namespace std::chrono_literals;

logged_query logged(const ask& what, const outcome& made, plugin from = plugin::egressoperator) {
  static const auto table = sample_table();
  const auto p = what.make();
  query asked;
  parse_query(p, asked);
  const std::uint8_t client[] = {10, 0, 0, 9};
  asked.client = map_v4(client);
  auto one = describe(asked, made, transport::udp, from, table.get());
  one.answered = std::chrono::system_clock::time_point(1'767'366'245'006ms);
  one.took = 12'345ns;
  return one;
}

TEST(query_log, is_one_json_line_a_query) {
  EXPECT_EQ(json_line(logged({.name = "Example.COM"}, {.code = rcode::noerror, .hijacked = true})),
            R"({"ts":"2026-01-02T15:04:05.006Z","msg":"query","client":"10.0.0.9","transport":"udp",)"
            R"("name":"example.com","type":"A","rcode":"NOERROR","plugin":"egressoperator",)"
            R"("duration":0.000012,"externalservice":"ex"})"
            "\n");
}

TEST(query_log, leaves_out_what_is_not_known) {
  const auto line =
      json_line(logged({.name = "a.org", .type = 999}, {.code = rcode::servfail}, plugin::forward));
  EXPECT_NE(line.find(R"("type":"TYPE999","rcode":"SERVFAIL","plugin":"forward")"), line.npos) << line;
  EXPECT_EQ(line.find("externalservice"), line.npos);
  query broken;
  parse_query(packet(12), broken);
  auto one = describe(broken, {.code = rcode::formerr}, transport::tcp, plugin::none, nullptr);
  const auto formerr = json_line(one);
  EXPECT_EQ(formerr.find("name"), formerr.npos) << formerr;
  EXPECT_NE(formerr.find(R"("transport":"tcp","rcode":"FORMERR","plugin":"")"), formerr.npos) << formerr;
}

TEST(query_log, names_the_external_service_of_wildcards_and_hints) {
  for (const auto* name : {"x.wild.example.com", "_8443._https.v4only.example.com"}) {
    const auto line = json_line(logged({.name = name, .type = rr::https}, {.hijacked = true}));
    EXPECT_TRUE(line.ends_with("\"externalservice\":\"wild\"}\n") ||
                line.ends_with("\"externalservice\":\"v4\"}\n"))
        << line;
  }
}

TEST(query_log, names_the_external_service_of_what_was_changed_for_it) {
  const ask text{.name = "example.com", .type = rr::txt};
  EXPECT_TRUE(json_line(logged(text, {.rewritten = true}, plugin::forward))
                  .contains(R"("plugin":"forward","duration":0.000012,"externalservice":"ex"})"));
  EXPECT_FALSE(json_line(logged(text, {}, plugin::forward)).contains("externalservice"));
}

TEST(query_log, writes_ipv6_clients_and_odd_names_as_they_are_written) {
  auto one = logged({.name = "a\"b\x01.org"}, {});
  one.client = {0xfd};
  one.client[15] = 7;
  const auto line = json_line(one);
  EXPECT_NE(line.find(R"("client":"fd00::7")"), line.npos) << line;
  EXPECT_NE(line.find(R"("name":"a\"b\\001.org")"), line.npos) << line;
}

TEST(query_log, of_errors_has_what_clients_do_not_expect) {
  log_sampler errors(logged_queries::errors, 1), all(logged_queries::all, 1), none(logged_queries::none, 1);
  for (const auto code : {rcode::formerr, rcode::servfail, rcode::notimp, rcode::refused, rcode::badvers})
    EXPECT_TRUE(errors.wants(code));
  for (const auto code : {rcode::noerror, rcode::nxdomain}) {
    EXPECT_FALSE(errors.wants(code));
    EXPECT_TRUE(all.wants(code));
  }
  EXPECT_FALSE(none.wants(rcode::servfail));
}

TEST(query_log, may_have_one_of_n) {
  log_sampler sampled(logged_queries::all, 10);
  int wanted = 0;
  for (int i = 0; i < 1000; ++i) wanted += sampled.wants(rcode::noerror) ? 1 : 0;
  EXPECT_EQ(wanted, 100);
}

}  // namespace
}  // namespace egress::dns::test
