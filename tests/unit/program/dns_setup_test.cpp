// From the flags of DNS to what its packet loops are told.

#include "runtime/program/dns_setup.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>

#include "actors/dns/io/loop_watch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/base/parse.hpp"
#include "tests/unit/dns_io/running.hpp"

namespace egress {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

dns_options with(std::vector<std::string> words) {
  words.insert(words.begin(), {"--dns-addr=127.0.0.1:0", "--dns-upstream=192.0.2.53", "--dns-workers=1"});
  return testing::parsed(words).dns;
}

dns_setup setup_of(std::vector<std::string> words) {
  return prepare_dns(with(std::move(words))).value();
}

// Of a setting that the command line would refuse already, too.
template <class Setting>
std::string refusal(Setting dns_options::* setting, Setting value) {
  auto options = with({});
  options.*setting = std::move(value);
  const auto made = prepare_dns(options);
  return made ? "" : made.error().message;
}

std::vector<std::string> texts(const dns::upstream_list& servers) {
  std::vector<std::string> all;
  for (const auto& one : servers)
    all.push_back(dns::to_text(one.address) + (one.tls_name.empty() ? "" : "#" + one.tls_name));
  return all;
}

dns::address_bytes v4(std::array<std::uint8_t, 4> address) {
  return dns::map_v4(address.data());
}

std::optional<std::size_t> domain_of(const dns_setup& made, const std::string& name) {
  return made.config.answers.answers.forwarded->find(dns::parse_name(name).value());
}

TEST(dns_setup, has_a_pair_of_sockets_and_counters_for_each_worker) {
  const auto made = setup_of({"--dns-workers=3"});
  EXPECT_EQ(made.sockets->size(), 3u);
  EXPECT_EQ(made.counters.size(), 3u);
  EXPECT_THAT(made.address, HasSubstr("127.0.0.1:"));
  EXPECT_EQ(setup_of({"--dns-workers=0"}).counters.size(), std::max(1u, std::thread::hardware_concurrency()));
}

TEST(dns_setup, asks_by_the_policy_of_the_flag) {
  EXPECT_EQ(setup_of({}).config.policy, upstream_policy::least_outstanding);
  EXPECT_EQ(setup_of({"--dns-policy=round_robin"}).config.policy, upstream_policy::round_robin);
  EXPECT_EQ(setup_of({"--dns-policy=random"}).config.policy, upstream_policy::random);
  EXPECT_EQ(setup_of({"--dns-policy=sequential"}).config.policy, upstream_policy::sequential);
}

TEST(dns_setup, has_the_upstreams_of_the_flag_in_their_order) {
  const auto made = setup_of({"--dns-upstream=[fd00::53]:5300"});
  EXPECT_THAT(texts(made.config.upstreams), ElementsAre("192.0.2.53:53", "[fd00::53]:5300"));
  EXPECT_EQ(*made.upstreams->get(), made.config.upstreams);
  EXPECT_EQ(made.resolv_conf, "") << "it must not take their place";
  EXPECT_EQ(made.config.tls, nullptr) << "a megabyte that nobody needs";
}

TEST(dns_setup, has_the_authorities_when_any_upstream_is_asked_over_tls) {
  const auto made = setup_of({"--dns-upstream=tls://192.0.2.54#dns.example"});
  EXPECT_THAT(texts(made.config.upstreams), ElementsAre("192.0.2.53:53", "192.0.2.54:853#dns.example"));
  EXPECT_NE(made.config.tls, nullptr);
  const auto of_domain = setup_of({"--dns-forward=a.example=192.0.2.55,tls://192.0.2.56#dns.example"});
  EXPECT_NE(of_domain.config.tls, nullptr);
  EXPECT_THAT(refusal(&dns_options::upstreams, {"tls://192.0.2.54"}), HasSubstr("--dns-upstream: "));
}

TEST(dns_setup, sends_domains_to_servers_of_their_own) {
  const auto made = setup_of(
      {"--dns-forward=cluster.local=192.0.2.1,192.0.2.2:5300", "--dns-forward=10.in-addr.arpa=192.0.2.3"});
  ASSERT_EQ(made.config.domains.size(), 2u);
  EXPECT_EQ(dns::to_text(made.config.domains[0].domain.view()), "cluster.local");
  EXPECT_THAT(texts(made.config.domains[0].servers), ElementsAre("192.0.2.1:53", "192.0.2.2:5300"));
  EXPECT_THAT(texts(made.config.domains[1].servers), ElementsAre("192.0.2.3:53"));
  // Else private reverse names would be denied before they could be forwarded.
  EXPECT_EQ(domain_of(made, "a.cluster.local"), 0u);
  EXPECT_EQ(domain_of(made, "4.3.2.10.in-addr.arpa"), 1u);
  EXPECT_EQ(domain_of(made, "4.3.168.192.in-addr.arpa"), std::nullopt);
  EXPECT_EQ(domain_of(setup_of({}), "a.cluster.local"), std::nullopt);
}

TEST(dns_setup, refuses_a_domain_that_is_given_twice_or_has_no_server) {
  EXPECT_THAT(refusal(&dns_options::forwards, {"a.example=192.0.2.1", "A.example=192.0.2.2"}),
              HasSubstr("--dns-forward: \"A.example=192.0.2.2\" is given twice"));
  EXPECT_THAT(refusal(&dns_options::forwards, {"a.example=nobody"}), HasSubstr("--dns-forward: "));
}

TEST(dns_setup, lets_those_ask_whom_the_flag_names) {
  const auto allow = setup_of({"--dns-allow=192.0.2.0/24", "--dns-allow=2001:db8::/32"}).config.allow;
  EXPECT_TRUE(allow.allows(v4({192, 0, 2, 7})));
  EXPECT_TRUE(allow.allows({0x20, 0x01, 0x0d, 0xb8, 1}));
  EXPECT_FALSE(allow.allows(v4({127, 0, 0, 1})));
  const auto usual = setup_of({}).config.allow;
  EXPECT_TRUE(usual.allows(v4({127, 0, 0, 1})));
  EXPECT_FALSE(usual.allows(v4({192, 0, 2, 7})));
  EXPECT_THAT(refusal(&dns_options::allow, {"192.0.2.0/33"}), HasSubstr("--dns-allow: "));
}

TEST(dns_setup, has_the_ttls_of_the_flags) {
  const auto made = setup_of({"--dns-ttl=7s", "--dns-max-ttl=2m"});
  EXPECT_EQ(made.config.answers.answers.ttl, 7u);
  EXPECT_EQ(made.config.answers.max_ttl, 120u);
}

TEST(dns_setup, gives_each_worker_its_share_of_cache_and_questions) {
  const auto made = setup_of({"--dns-workers=4", "--dns-cache-size=64Mi", "--dns-max-concurrent=1000"});
  EXPECT_EQ(made.config.cache.bytes, std::size_t{16} << 20);
  EXPECT_EQ(made.config.forward.max_concurrent, 250u);
  const auto least = setup_of({"--dns-workers=4", "--dns-cache-size=0", "--dns-max-concurrent=1"});
  EXPECT_EQ(least.config.cache.bytes, 0u);
  EXPECT_EQ(least.config.forward.max_concurrent, 1u) << "0 would refuse all";
}

TEST(dns_setup, logs_the_queries_of_the_flag) {
  EXPECT_EQ(setup_of({}).log, nullptr);
  const auto wants = [](const std::string& which, dns::rcode code) {
    return setup_of({"--dns-log=" + which}).log->recorder(0).wants(code);
  };
  EXPECT_TRUE(wants("errors", dns::rcode::servfail));
  EXPECT_FALSE(wants("errors", dns::rcode::noerror));
  EXPECT_TRUE(wants("all", dns::rcode::noerror));
  const auto sampled = setup_of({"--dns-log=1/3", "--dns-workers=2"}).log;
  for (const std::size_t worker : {0u, 1u})
    for (const bool wanted : {true, false, false, true})
      EXPECT_EQ(sampled->recorder(worker).wants(dns::rcode::noerror), wanted) << worker;
}

TEST(dns_setup, looks_for_loops_and_has_a_secret_of_its_own) {
  const auto made = setup_of({}), other = setup_of({});
  ASSERT_NE(made.config.loops, nullptr);
  EXPECT_NE(made.config.cookie_root, other.config.cookie_root);
  EXPECT_NE(made.config.cookie_root, dns::cookie_secret{});
}

// Each loop notices it, with each probe.
TEST(dns_setup, tells_once_what_is_wrong_with_an_upstream_and_once_that_it_is_over) {
  const auto made = setup_of({});
  const auto logged = [&](const std::string& to, const std::string& problem) {
    ::testing::internal::CaptureStderr();
    made.config.upstream_news(to, problem);
    return ::testing::internal::GetCapturedStderr();
  };
  const std::string first = "192.0.2.53:53", second = "192.0.2.54:53";
  EXPECT_EQ(logged(first, ""), "") << "it never was bad";
  EXPECT_THAT(logged(first, "no answer"), AllOf(HasSubstr(first), HasSubstr("no answer")));
  EXPECT_EQ(logged(first, "no answer"), "");
  EXPECT_THAT(logged(second, "no answer"), HasSubstr(second)) << "news of another one";
  EXPECT_THAT(logged(first, "back to us"), HasSubstr("back to us"));
  EXPECT_THAT(logged(first, ""), AllOf(HasSubstr(first), HasSubstr("good again")));
  EXPECT_EQ(logged(first, ""), "");
}

struct of_resolv_conf : ::testing::Test {
  test::temporary_folder folder;
  std::string path = folder.write("resolv.conf", "nameserver 192.0.2.1\n");
  dns_options options;

  of_resolv_conf() {
    options.address = "127.0.0.1:0";
    options.resolv_conf = path;
    options.workers = 1;
  }
};

std::vector<std::string> upstreams_after_a_look(const dns_setup& at) {
  boost::asio::io_context context;
  at.follow_resolv_conf(context);
  context.poll();
  return texts(*at.upstreams->get());
}

TEST_F(of_resolv_conf, are_the_upstreams_without_the_flag) {
  const auto made = prepare_dns(options).value();
  EXPECT_THAT(texts(made.config.upstreams), ElementsAre("192.0.2.1:53"));
  EXPECT_EQ(made.resolv_conf, path);
}

TEST_F(of_resolv_conf, are_none_when_it_is_missing_which_ends_nothing) {
  options.resolv_conf = folder.path("none");
  const auto made = prepare_dns(options).value();
  EXPECT_THAT(made.config.upstreams, IsEmpty());
}

TEST_F(of_resolv_conf, are_followed_while_it_changes) {
  const auto made = prepare_dns(options).value();
  folder.write("resolv.conf", "nameserver 192.0.2.2\nnameserver nobody\n");
  EXPECT_THAT(upstreams_after_a_look(made), ElementsAre("192.0.2.2:53"));
}

// Nobody has loaded the authorities that a server over TLS is judged by.
TEST_F(of_resolv_conf, are_never_asked_over_tls) {
  const std::string over_tls = "nameserver tls://127.0.0.1#dns.example\n";
  folder.write("resolv.conf", "nameserver 192.0.2.1\n" + over_tls);
  const auto made = prepare_dns(options).value();
  EXPECT_THAT(texts(made.config.upstreams), ElementsAre("192.0.2.1:53"));
  EXPECT_EQ(made.config.tls, nullptr);
  folder.write("resolv.conf", over_tls + "nameserver 192.0.2.2\n");
  EXPECT_THAT(upstreams_after_a_look(made), ElementsAre("192.0.2.2:53"));
}

TEST_F(of_resolv_conf, stay_when_only_lines_that_name_no_server_are_left) {
  const auto made = prepare_dns(options).value();
  folder.write("resolv.conf", "nameserver tls://127.0.0.1#dns.example\n");
  EXPECT_THAT(upstreams_after_a_look(made), ElementsAre("192.0.2.1:53"));
}

TEST_F(of_resolv_conf, are_not_looked_at_beside_the_flag) {
  options.upstreams = {"192.0.2.53"};
  const auto made = prepare_dns(options).value();
  boost::asio::io_context context;
  made.follow_resolv_conf(context);
  EXPECT_EQ(context.poll(), 0u);
  EXPECT_THAT(texts(*made.upstreams->get()), ElementsAre("192.0.2.53:53"));
}

struct with_snapshot : ::testing::Test {
  test::temporary_folder folder;
  std::string path = folder.path("table");
};

TEST_F(with_snapshot, the_loops_begin_with_the_table_of_an_earlier_run) {
  ASSERT_TRUE(store_table(path, *dns::test::sample_table()));
  const auto made = setup_of({"--dns-snapshot=" + path});
  EXPECT_TRUE(made.restored);
  EXPECT_NE(made.saver, nullptr);
  EXPECT_EQ(made.config.last_table, made.memory);
  EXPECT_EQ(made.memory->get()->size(), 3u);
}

// Which domain is the cluster's the flag of now says (--cluster-domain), and not that of the earlier run.
TEST_F(with_snapshot, no_name_of_the_cluster_is_restored) {
  using dns::test::external, dns::test::service;
  const auto wide = dns::test::build({service("w", "*.example", {"10.0.0.1"})}, {external("w")}).table;
  ASSERT_TRUE(dns::test::find(*wide, "x.k8s.example"));
  ASSERT_TRUE(store_table(path, *wide));
  const auto made = prepare_dns(with({"--dns-snapshot=" + path}), "k8s.example").value();
  ASSERT_TRUE(made.restored);
  EXPECT_FALSE(dns::test::find(*made.memory->get(), "x.k8s.example"));
  EXPECT_TRUE(dns::test::find(*made.memory->get(), "x.other.example"));
}

TEST_F(with_snapshot, they_know_nothing_when_there_is_none_or_it_is_damaged) {
  EXPECT_FALSE(setup_of({"--dns-snapshot=" + path}).restored);
  folder.write("table", "hello");
  const auto made = setup_of({"--dns-snapshot=" + path});
  EXPECT_FALSE(made.restored);
  EXPECT_NE(made.saver, nullptr) << "the next table is saved";
  EXPECT_EQ(made.memory->get(), nullptr);
  EXPECT_EQ(setup_of({}).saver, nullptr);
  EXPECT_THAT(refusal(&dns_options::snapshot, folder.path("no/folder")), HasSubstr("--dns-snapshot: "));
}

// A loop that starts after a change begins with what is now, and follows what comes.
TEST(dns_setup, has_loops_that_ask_the_upstreams_there_are) {
  using packets = std::vector<dns::test::packet>;
  const auto says = [](std::uint8_t last) {
    return [last](const dns::test::packet& asked, auto) {
      return packets{dns::test::answer_to(asked, 0, {192, 0, 2, last})};
    };
  };
  const dns::test::scripted_upstream first(says(1)), second(says(2));
  const auto made = setup_of({"--dns-cache-size=0"});
  made.memory->set(dns::test::sample_table());
  made.upstreams->set({first.address()});
  const auto loop = made.loops()(0, [](const std::string& why) { FAIL() << why; });
  const auto port = std::stoi(made.address.substr(made.address.rfind(':') + 1));
  const dns::test::udp_client client(static_cast<std::uint16_t>(port));
  const auto comes_from = [&](std::uint8_t last) {
    const auto got = client.ask_for({.name = "other.example.org"});
    return got.code == 0 && got.answers.at(0).data == dns::test::packet{192, 0, 2, last};
  };
  EXPECT_TRUE(dns::test::becomes_true([&] { return comes_from(1); }));
  made.upstreams->set({second.address()});
  EXPECT_TRUE(dns::test::becomes_true([&] { return comes_from(2); }));
  EXPECT_EQ(client.ask_for({}).answers.at(0).data, (dns::test::packet{10, 0, 0, 1}));
}

}  // namespace
}  // namespace egress
