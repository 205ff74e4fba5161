#include <filesystem>
#include <fstream>
#include <future>

#include "tests/support/sanitized.hpp"
#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {
namespace {

TEST(worker, answers_from_the_last_table_before_it_is_handed_one) {
  served s;
  const auto memory = std::make_shared<table_memory>();
  s.config.last_table = memory;
  s.table = nullptr;
  const auto worker = s.make();
  const udp_client client(s.port);
  EXPECT_EQ(client.ask_for({.name = "example.com"}).code, 2u) << "nothing is known";
  memory->set(sample_table());
  EXPECT_EQ(client.ask_for({.name = "example.com"}).answers.at(0).data, (packet{10, 0, 0, 1}));
}

TEST(worker, answers_hijacked_names_over_udp) {
  served s;
  const auto worker = s.make();
  const udp_client client(s.port);
  const auto got = client.ask_for({.name = "eXample.com"});
  EXPECT_EQ(got.answers.at(0).data, (packet{10, 0, 0, 1}));
  EXPECT_EQ(got.question, "eXample.com");
}

TEST(worker, gives_its_thread_a_name_that_top_shows) {
  served s;
  const auto worker = s.make();
  EXPECT_EQ(udp_client{s.port}.ask_for({}).code, 0u) << "it runs";
  std::set<std::string> names;
  for (const auto& one : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(one.path() / "comm"), name);
    names.insert(name);
  }
  EXPECT_TRUE(names.contains("dns/0"));
}

// The default of --dns-addr. On it IPv4 clients have IPv4-mapped addresses.
TEST(worker, answers_both_families_when_it_listens_on_all_addresses) {
  served s({}, 1, ":0");
  const auto worker = s.make();
  EXPECT_EQ(udp_client{s.port}.ask_for({}).answers.at(0).data, (packet{10, 0, 0, 1}));
  if (!s.ipv6) return;  // a machine without IPv6
  EXPECT_EQ(udp_client::over_ipv6(s.port).ask_for({}).answers.at(0).data, (packet{10, 0, 0, 1}));
}

TEST(worker, answers_from_the_address_that_was_asked) {
  for (const auto* address : {":0", "0.0.0.0:0", "127.0.0.2:0"}) {
    served s({}, 1, address);
    const auto worker = s.make();
    const udp_client client(s.port, 2);
    EXPECT_EQ(client.ask_for({}).answers.size(), 1u) << address;
  }
}

TEST(worker, answers_a_burst_larger_than_a_batch) {
  served s;
  const auto worker = s.make();
  const udp_client client(s.port);
  for (unsigned i = 0; i < 200; ++i) client.send(ask{.id = i}.make());
  std::set<unsigned> ids;
  for (int i = 0; i < 200; ++i) ids.insert(read_reply(client.receive()).id);
  EXPECT_EQ(ids.size(), 200u);
}

TEST(worker, says_servfail_until_a_table_is_known_and_follows_new_ones) {
  served s;
  s.table = nullptr;
  const auto worker = s.make();
  const udp_client client(s.port);
  EXPECT_EQ(client.ask_for({.edns = true}).ede, 14);
  worker->set_table(sample_table());
  EXPECT_EQ(client.ask_for({}).code, 0u);
}

// CoreDNS marks us down when its probe takes long. The first one is the worst: nothing is cached yet. A
// machine that is busy elsewhere may hold up one of them.
TEST(worker, answers_the_health_probe_at_once_while_no_upstream_does) {
  using std::chrono::steady_clock;
  scripted_upstream silent([](auto&, auto) { return std::vector<packet>{}; });
  auto best = steady_clock::duration::max();
  for (int i = 0; i < 3; ++i) {
    served s({silent.address()});
    s.config.forward.budget = std::chrono::seconds{5};
    const auto worker = s.make();
    const udp_client client(s.port);
    const auto before = steady_clock::now();
    EXPECT_EQ(client.ask_for({.name = "", .type = rr::ns}).code, 2u);
    best = std::min(best, steady_clock::now() - before);
  }
  EXPECT_LT(best, std::chrono::milliseconds{egress::test::sanitized ? 2000 : 100});
}

TEST(worker, reports_a_failure_of_its_loop) {
  served s;
  worker failing(s.sockets, 0, s.config, s.counters);
  std::promise<std::string> told;
  failing.start([&](const std::string& why) { told.set_value(why); });
  failing.inject_failure("out of luck");
  auto future = told.get_future();
  ASSERT_EQ(future.wait_for(std::chrono::milliseconds{patience_ms}), std::future_status::ready);
  EXPECT_EQ(future.get(), "out of luck");
}

TEST(worker, serves_a_siblings_sockets_while_it_is_away) {
  served s({}, 2);
  const auto only = s.make(0);
  only->serve_also({1});
  // The kernel spreads clients over both sockets by their ports: each must get an answer.
  for (int i = 0; i < 32; ++i) EXPECT_EQ(udp_client{s.port}.ask_for({}).code, 0u);
  const auto sibling = s.make(1);
  only->serve_also({});
  for (int i = 0; i < 32; ++i) EXPECT_EQ(udp_client{s.port}.ask_for({}).code, 0u);
}

TEST(worker, answers_a_cookie_with_the_same_one_on_every_loop_and_answer) {
  scripted_upstream upstream([](const packet& asked, auto) { return std::vector<packet>{answer_to(asked)}; });
  served s({upstream.address()}, 2);
  s.config.cookie_root.fill(7);
  const auto first = s.make(0), second = s.make(1);
  const packet sent{0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
  const auto given = udp_client{s.port}.ask_for({.edns = true, .options = sent}).cookie;
  ASSERT_EQ(given.size(), 24u);
  packet back{0, 10, 0, 24};
  back.insert(back.end(), given.begin(), given.end());
  // A port of its own each: the kernel spreads them over both loops.
  for (int i = 0; i < 16; ++i)
    EXPECT_EQ(udp_client{s.port}.ask_for({.edns = true, .options = back}).cookie, given);
  const udp_client client(s.port);
  EXPECT_EQ(client.ask_for({.name = "other.org", .edns = true, .options = back}).cookie, given)
      << "forwarded";
  EXPECT_EQ(client.ask_for({.rr_class = 3, .edns = true, .options = back}).cookie, given) << "refused";
  EXPECT_TRUE(client.ask_for({.edns = true}).cookie.empty());
  EXPECT_EQ(client.ask_for({.edns = true, .options = {0, 10, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9}}).code, 1u);
}

TEST(worker, gives_the_real_answer_to_clients_outside_of_the_view) {
  scripted_upstream upstream([](const packet& asked, auto) { return std::vector<packet>{answer_to(asked)}; });
  served s({upstream.address()});
  for (const auto& [clients, address] :
       {std::pair{"127.0.0.0/8", packet{10, 0, 0, 1}}, std::pair{"10.0.0.0/8", packet{192, 0, 2, 1}}}) {
    s.table = build({service("ex", "example.com", {"10.0.0.1"})}, {external_for("ex", {clients})}).table;
    const auto worker = s.make();
    EXPECT_EQ(udp_client{s.port}.ask_for({}).answers.at(0).data, address) << clients;
  }
}

TEST(worker, counts_what_it_does) {
  served s;
  auto worker = s.make();
  const udp_client client(s.port);
  client.ask_for({});
  client.ask_for({.type = rr::https});
  client.ask_for({.flags = 4 << 11});
  worker.reset();
  const auto& udp_v4 = s.counters->requests[0][0];
  EXPECT_EQ(udp_v4[type_bucket(rr::a)].value(), 1u);
  EXPECT_EQ(udp_v4[type_bucket(rr::https)].value(), 1u);
  EXPECT_EQ(s.counters->responses[0][static_cast<std::size_t>(plugin::egressoperator)].value(), 2u);
  EXPECT_EQ(s.counters->responses[4][static_cast<std::size_t>(plugin::none)].value(), 1u);
}

}  // namespace
}  // namespace egress::dns::test
