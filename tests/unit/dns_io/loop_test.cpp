// Upstreams that send our queries back to us.
#include "actors/dns/io/loop_watch.hpp"
#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {
namespace {

using packets = std::vector<packet>;

TEST(loop_watch, knows_its_own_names_and_refuses_them) {
  loop_watch watch(0x0123456789abcdef), other(1);
  const auto root = watch.begin(parse_name("local").value(), 7);
  EXPECT_EQ(to_text(root.view()), "0000000000000007.0123456789abcdef.local");
  query asked;
  asked.name = root;
  asked.type = rr::hinfo;
  EXPECT_EQ(other.judge(reaction::serve, asked), reaction::serve) << "another replica's";
  asked.type = rr::a;
  EXPECT_EQ(watch.judge(reaction::serve, asked), reaction::serve);
  EXPECT_FALSE(watch.arrived(root));
  asked.type = rr::hinfo;
  EXPECT_EQ(watch.judge(reaction::serve, asked), reaction::refused);
  EXPECT_TRUE(watch.arrived(root));
  EXPECT_EQ(watch.arrivals(), 1u);
  watch.judge(reaction::serve, asked);
  EXPECT_EQ(watch.arrivals(), 1u);
  watch.forget(root);
  EXPECT_FALSE(watch.arrived(root));
  asked.name = parse_name("a.b").value();
  EXPECT_EQ(watch.judge(reaction::serve, asked), reaction::serve);
}

TEST(loop_watch, gives_no_name_below_a_domain_that_has_no_room) {
  loop_watch watch(1);
  std::string domain(63, 'a');
  for (int i = 0; i < 2; ++i) domain += "." + std::string(63, 'a');
  EXPECT_FALSE(watch.begin(parse_name(domain + "." + std::string(20, 'a')).value(), 1).is_root());
  EXPECT_TRUE(watch.begin(parse_name(domain + "." + std::string(30, 'a')).value(), 1).is_root());
}

bool is_check(const packet& asked) {
  query q;
  parse_query(asked, q);
  return q.type == rr::hinfo;
}

// An upstream that sends what it is asked to a port of ours, as CoreDNS would, while `looping`.
struct returning {
  std::atomic<std::uint16_t> port = 0;
  std::atomic<bool> looping = true, away = false;
  std::atomic<int> checks = 0, questions = 0;
  scripted_upstream upstream{[this](const packet& asked, auto) {
    ++(is_check(asked) ? checks : questions);
    if (away) return packets{};
    if (!looping) return packets{answer_to(asked, is_check(asked) ? 3 : 0)};
    const udp_client to_us(port);
    to_us.send(asked);
    const auto answer = to_us.receive(1000);
    return answer.empty() ? packets{} : packets{answer};
  }};
};

struct news {
  std::mutex mutex;
  std::vector<std::string> all;
  std::function<void(const std::string&, const std::string&)> listener() {
    return [this](const std::string&, const std::string& problem) {
      const std::scoped_lock lock(mutex);
      all.push_back(problem);
    };
  }
  std::size_t count() {
    const std::scoped_lock lock(mutex);
    return all.size();
  }
};

struct watched : served {
  watched(std::vector<upstream_address> upstreams, std::size_t workers = 1)
      : served(std::move(upstreams), workers) {
    config.loops = std::make_shared<loop_watch>(0x1234);
    config.policy = upstream_policy::sequential;
    config.upstream_news = told.listener();
    config.forward.budget = std::chrono::seconds{5};
  }
  news told;
};

TEST(loops, a_looped_upstream_is_not_asked) {
  returning bad;
  scripted_upstream good([](const packet& asked, auto) { return packets{answer_to(asked)}; });
  watched s({bad.upstream.address(), good.address()});
  s.be_patient();
  bad.port = s.port;
  const auto worker = s.make();
  const udp_client client(s.port);
  ASSERT_TRUE(becomes_true([&] { return s.told.count() == 1; }));
  EXPECT_TRUE(s.told.all[0].contains("back to us"));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client.ask_for({.name = "n" + std::to_string(i) + ".org"}).code, 0u);
  EXPECT_EQ(bad.questions, 0);
  EXPECT_EQ(s.counters->upstreams.all().at(0)->looped.load(), true);
}

TEST(loops, with_nobody_else_there_is_servfail_and_no_storm) {
  returning bad;
  watched s({bad.upstream.address()});
  s.be_patient();
  bad.port = s.port;
  const auto worker = s.make();
  EXPECT_EQ(udp_client(s.port).ask_for({.name = "a.org"}).code, 2u);
  EXPECT_EQ(bad.upstream.asked(), 1) << "the check alone";
}

TEST(loops, are_seen_by_whichever_worker_the_query_comes_back_to) {
  returning bad;
  watched s({bad.upstream.address()}, 2);
  bad.port = s.port;
  const auto first = s.make(0);
  const auto second_counters = std::make_shared<worker_counters>();
  worker second(s.sockets, 1, s.config, second_counters);
  second.set_table(s.table);
  second.start([](const std::string&) {});
  // Each worker finds out, with its next query at the latest.
  EXPECT_TRUE(becomes_true([&] {
    udp_client(s.port).ask_for({.name = "a.org"});
    return s.told.count() == 2;
  }));
  const int asked = bad.upstream.asked();
  for (int i = 0; i < 16; ++i) EXPECT_EQ(udp_client(s.port).ask_for({.name = "a.org"}).code, 2u);
  EXPECT_EQ(bad.upstream.asked(), asked);
}

TEST(loops, end_when_the_upstream_answers_itself) {
  returning bad;
  watched s({bad.upstream.address()});
  s.config.forward.loop_check = std::chrono::milliseconds{30};
  s.be_patient();
  bad.port = s.port;
  const auto worker = s.make();
  ASSERT_TRUE(becomes_true([&] { return s.told.count() == 1; }));
  bad.looping = false;
  ASSERT_TRUE(becomes_true([&] { return s.told.count() == 2; }));
  EXPECT_EQ(s.told.all[1], "");
  EXPECT_EQ(udp_client(s.port).ask_for({.name = "a.org"}).code, 0u);
}

TEST(loops, found_late_end_the_use_of_an_upstream) {
  std::atomic<std::uint16_t> port = 0;
  std::atomic<bool> back = false;
  packet check;
  // It answers nothing at first, and sends the check back much later.
  scripted_upstream slow([&](const packet& asked, auto) {
    if (is_check(asked)) check = asked;
    if (!back) return packets{};
    const udp_client to_us(port);
    to_us.send(check);
    to_us.receive();
    return packets{answer_to(asked)};
  });
  watched s({slow.address()});
  s.config.forward.budget = std::chrono::milliseconds{300};
  port = s.port;
  const auto worker = s.make();
  const udp_client client(s.port);
  EXPECT_EQ(client.ask_for({.name = "a.org"}).code, 2u) << "silent";
  EXPECT_EQ(s.told.count(), 0u) << "and no loop";
  back = true;
  EXPECT_TRUE(becomes_true([&] {
    client.ask_for({.name = "b.org"});
    return s.told.count() == 1;
  }));
  EXPECT_EQ(client.ask_for({.name = "c.org"}).code, 2u) << "it is known to be one now";
}

TEST(loops, of_an_upstream_that_was_away_at_first_are_found_when_it_comes) {
  returning bad;
  bad.away = true;
  watched s({bad.upstream.address()});
  s.config.forward.probe = std::chrono::milliseconds{20};
  bad.port = s.port;
  const auto worker = s.make();
  EXPECT_TRUE(becomes_true([&] { return bad.checks >= 2; })) << "it is checked again";
  EXPECT_EQ(s.told.count(), 0u);
  bad.away = false;
  EXPECT_TRUE(becomes_true([&] { return s.told.count() == 1; })) << "without a query of anybody's";
}

TEST(loops, of_an_upstream_that_never_answers_a_check_do_not_matter_to_its_health) {
  std::atomic<bool> away = true;
  scripted_upstream odd([&](const packet& asked, auto) {
    return away || is_check(asked) ? packets{} : packets{answer_to(asked)};
  });
  watched s({odd.address()});
  s.config.forward.probe = std::chrono::milliseconds{20};
  s.config.forward.budget = std::chrono::milliseconds{300};
  const auto worker = s.make();
  const udp_client client(s.port);
  EXPECT_EQ(client.ask_for({.name = "a.org"}).code, 2u);
  const auto failures = [&] { return s.counters->upstreams.all().at(0)->healthcheck_failures.value(); };
  EXPECT_TRUE(becomes_true([&] { return failures() > 0; }));
  away = false;
  const auto broken = [&] { return s.counters->forward_healthcheck_broken.value(); };
  EXPECT_TRUE(becomes_true([&] {
    const auto before = broken();
    return client.ask_for({.name = "b.org"}).code == 0 && broken() == before;
  })) << "it is healthy again";
}

TEST(loops, are_looked_for_until_a_check_is_answered) {
  returning good;
  good.looping = false;
  watched s({good.upstream.address()});
  s.be_patient();
  s.config.forward.probe = s.config.forward.loop_check = std::chrono::milliseconds{1};
  const auto worker = s.make();
  const udp_client client(s.port);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.ask_for({.name = "n" + std::to_string(i) + ".org"}).code, 0u);
  EXPECT_EQ(good.checks, 1);
}

// As when resolv.conf is rewritten to name whoever forwards to us.
TEST(loops, of_upstreams_that_came_later_are_found) {
  scripted_upstream good([](const packet& asked, auto) { return packets{answer_to(asked)}; });
  returning bad;
  watched s({good.address()});
  s.be_patient();
  bad.port = s.port;
  const auto worker = s.make();
  const udp_client client(s.port);
  EXPECT_EQ(client.ask_for({.name = "a.org"}).code, 0u);
  worker->set_upstreams(std::make_shared<const upstream_list>(upstream_list{bad.upstream.address()}));
  ASSERT_TRUE(becomes_true([&] { return s.told.count() == 1; })) << "without a query of anybody's";
  EXPECT_TRUE(s.told.all[0].contains("back to us"));
  EXPECT_EQ(client.ask_for({.name = "b.org"}).code, 2u);
  EXPECT_EQ(bad.questions, 0);
  worker->set_upstreams(std::make_shared<const upstream_list>(upstream_list{good.address()}));
  EXPECT_TRUE(becomes_true([&] { return client.ask_for({.name = "c.org"}).code == 0; }));
}

TEST(loops, hold_nobody_up_for_longer_than_one_attempt) {
  scripted_upstream silent_to_checks(
      [](const packet& asked, auto) { return is_check(asked) ? packets{} : packets{answer_to(asked)}; });
  watched s({silent_to_checks.address()});
  s.config.forward.budget = std::chrono::seconds{8};
  const auto worker = s.make();
  const udp_client client(s.port);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(client.ask_for({.name = "a.org"}).code, 0u);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{2});
}

TEST(loops, of_a_domain_are_looked_for_below_it) {
  packet check;
  std::mutex mutex;
  // A cluster DNS server may send us all that it does not know itself, and yet not loop.
  scripted_upstream all([](const packet& asked, auto) { return packets{answer_to(asked)}; });
  scripted_upstream of_cluster([&](const packet& asked, auto) {
    const std::scoped_lock lock(mutex);
    if (is_check(asked)) check = asked;
    return packets{answer_to(asked, is_check(asked) ? 3 : 0)};
  });
  watched s({all.address()});
  s.config.domains.push_back({parse_name("cluster.local").value(), {of_cluster.address()}});
  const auto worker = s.make();
  EXPECT_EQ(udp_client(s.port).ask_for({.name = "a.cluster.local"}).code, 0u);
  const std::scoped_lock lock(mutex);
  query q;
  ASSERT_EQ(parse_query(check, q), reaction::serve);
  EXPECT_TRUE(is_at_or_below(q.name, parse_name("cluster.local").value()));
}

}  // namespace
}  // namespace egress::dns::test
