#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {
namespace {

using packets = std::vector<packet>;

TEST(forwarding, gives_the_upstreams_answer) {
  scripted_upstream upstream([](const packet& asked, auto) { return packets{answer_to(asked)}; });
  served s({upstream.address()});
  const auto worker = s.make();
  const auto got = udp_client(s.port).ask_for({.name = "Other.org"});
  EXPECT_EQ(got.question, "Other.org");
  EXPECT_EQ(got.answers.at(0).data, (packet{192, 0, 2, 1}));
  EXPECT_EQ(got.answers.at(0).ttl, 30u);
}

TEST(forwarding, believes_no_wrong_answer) {
  scripted_upstream upstream([](const packet& asked, auto) {
    auto wrong_id = answer_to(asked, 0, {6, 6, 6, 6});
    wrong_id[0] ^= 1;
    auto wrong_name = answer_to(asked, 0, {6, 6, 6, 6});
    wrong_name[13] = 'x';
    auto no_answer = answer_to(asked, 0, {6, 6, 6, 6});
    no_answer[2] &= 0x7f;
    return packets{wrong_id, wrong_name, no_answer, packet(3), packet(), answer_to(asked)};
  });
  served s({upstream.address()});
  const auto worker = s.make();
  EXPECT_EQ(udp_client(s.port).ask_for({.name = "other.org"}).answers.at(0).data, (packet{192, 0, 2, 1}));
}

TEST(forwarding, takes_a_cut_answer_again_over_tcp) {
  scripted_upstream upstream([](const packet& asked, transport via) {
    return packets{via == transport::udp ? answer_to(asked, 0, {}, flag::tc) : answer_to(asked)};
  });
  served s({upstream.address()});
  const auto worker = s.make();
  EXPECT_EQ(udp_client(s.port).ask_for({.name = "other.org"}).answers.size(), 1u);
}

// From the upstream, then from the cache; of a hijacked name, too.
TEST(forwarding, answers_have_ra_though_the_upstream_s_have_not) {
  scripted_upstream upstream([](const packet& asked, auto) {
    auto answer = answer_to(asked, 0, {3, 't', 'x', 't'});
    answer[3] &= 0x7f;
    return packets{answer};
  });
  served s({upstream.address()});
  s.be_patient();
  const auto worker = s.make();
  const udp_client client(s.port);
  for (const auto& what : {ask{.name = "other.org"}, ask{.name = "example.com", .type = rr::txt}})
    for (int times = 0; times < 2; ++times) {
      const auto said = client.ask_for(what);
      EXPECT_TRUE(said.flags & flag::ra) << what.name;
      EXPECT_EQ(said.answers.size(), 1u) << what.name;
    }
  EXPECT_EQ(s.counters->forward_requests.value(), 2u);
}

// Each reply once, however often the cache says it again.
TEST(forwarding, counts_replies_whose_alias_leads_to_a_hijacked_name) {
  scripted_upstream upstream([](const packet& asked, auto) {
    const bool alias = asked[header_size + 1] == 'w';
    return packets{answer_to(asked, 0, name_in_case(alias ? "example.com" : "example.net"))};
  });
  served s({upstream.address()});
  s.be_patient();
  const auto worker = s.make();
  const udp_client client(s.port);
  for (const auto* name : {"www.a.org", "other.org", "www.a.org"})
    EXPECT_EQ(client.ask_for({.name = name, .type = rr::cname}).answers.size(), 1u);
  EXPECT_EQ(s.counters->hijacked_aliases.value(), 1u);
}

// The client, told to try TCP itself, would only meet the same.
TEST(forwarding, goes_on_when_a_cut_answer_cannot_be_had_over_tcp) {
  const auto cut = [](const packet& asked, transport via) {
    return via == transport::udp ? packets{answer_to(asked, 0, {}, flag::tc)} : packets{};
  };
  scripted_upstream silent(cut), refusing(cut, false);
  scripted_upstream good([](const packet& asked, auto) { return packets{answer_to(asked)}; });
  for (const auto* bad : {&silent, &refusing}) {
    for (const bool alone : {true, false}) {
      served s({bad->address()});
      s.config.policy = upstream_policy::sequential;
      if (!alone) {
        s.config.upstreams.emplace_back(good.address());
        s.config.forward.budget = std::chrono::seconds{8};
      }
      const auto worker = s.make();
      const auto got = udp_client(s.port).ask_for({.name = "other.org"});
      EXPECT_EQ(got.code, alone ? 2u : 0u);
      EXPECT_EQ(got.answers.size(), alone ? 0u : 1u);
      EXPECT_FALSE(got.flags & flag::tc);
    }
  }
  EXPECT_GT(silent.connections(), 0);
}

TEST(forwarding, goes_on_to_the_next_upstream) {
  scripted_upstream silent([](auto&, auto) { return packets{}; });
  std::atomic<unsigned> code = 0;
  scripted_upstream failing([&](const packet& asked, auto) { return packets{answer_to(asked, code, {})}; });
  scripted_upstream good([](const packet& asked, auto) { return packets{answer_to(asked)}; });
  for (const unsigned said : {0u, 1u, 2u, 4u, 5u}) {
    const auto* bad = said == 0 ? &silent : &failing;
    code = said;
    served s({bad->address(), good.address()});
    const auto worker = s.make();
    const udp_client client(s.port);
    for (int i = 0; i < 4; ++i)
      EXPECT_EQ(client.ask_for({.name = "n" + std::to_string(i) + ".org"}).code, 0u);
  }
  // Nobody listens at a port that was just free.
  const auto closed = [] {
    const auto opened = open_dns_sockets("127.0.0.1:0", 1);
    return upstream_address(boost::asio::ip::address_v4::loopback(), opened->port);
  }();
  served s({closed, good.address()});
  const auto worker = s.make();
  EXPECT_EQ(udp_client(s.port).ask_for({.name = "other.org"}).code, 0u);
}

TEST(forwarding, is_servfail_when_no_upstream_answers_or_there_is_none) {
  scripted_upstream silent([](auto&, auto) { return packets{}; });
  for (const auto& upstreams : {std::vector{silent.address()}, std::vector<upstream_address>{}}) {
    served s(upstreams);
    const auto worker = s.make();
    EXPECT_EQ(udp_client(s.port).ask_for({.name = "other.org"}).code, 2u);
  }
}

// A name that is broken is told so before the budget is over, and nobody asked for it again and again, though
// one upstream is dead.
TEST(forwarding, is_servfail_when_one_says_so_and_the_others_are_late) {
  std::atomic<int> asked_failing = 0, asked_silent = 0;
  const auto asks = [](const packet& asked) { return load16(&asked[4]) == 1 && asked[header_size] == 6; };
  scripted_upstream failing([&](const packet& asked, auto) {
    asked_failing += asks(asked);
    return packets{answer_to(asked, 2, {})};
  });
  scripted_upstream silent([&](const packet& asked, auto) {
    asked_silent += asks(asked);
    return packets{};
  });
  served s({failing.address(), silent.address()});
  const auto worker = s.make();
  EXPECT_EQ(udp_client(s.port).ask_for({.name = "broken.org"}).code, 2u);
  EXPECT_LE(asked_failing, 2);
  EXPECT_LE(asked_silent, 2);
}

// Who is slow is waited for, though another one fails at once.
TEST(forwarding, takes_the_answer_of_a_late_upstream_rather_than_a_failure_that_came_before) {
  scripted_upstream failing([](const packet& asked, auto) { return packets{answer_to(asked, 5, {})}; });
  std::atomic<bool> go_on = false;
  scripted_upstream slow([&](const packet& asked, auto) {
    EXPECT_TRUE(becomes_true([&] { return go_on.load(); }));
    return packets{answer_to(asked)};
  });
  served s({slow.address(), failing.address()});
  s.config.policy = upstream_policy::sequential;
  s.config.forward.least = s.config.forward.most = std::chrono::seconds{1};
  s.config.forward.budget = std::chrono::seconds{patience_ms / 1000};
  const auto worker = s.make();
  const udp_client client(s.port);
  client.send(ask{.name = "slow.org"}.make());
  EXPECT_TRUE(becomes_true([&] { return s.counters->forward_durations.sum.value() > 0; }))
      << "it was refused";
  go_on = true;
  const auto answer = client.receive();
  ASSERT_FALSE(answer.empty());
  EXPECT_EQ(read_reply(answer).code, 0u);
}

// RFC 9520, section 3.1.
TEST(forwarding, asks_one_upstream_three_times_at_most) {
  std::atomic<int> asked_silent = 0;
  scripted_upstream silent([&](const packet& asked, auto) {
    asked_silent += load16(&asked[4]) == 1 && asked[header_size] == 5;
    return packets{};
  });
  served s({silent.address()});
  s.config.forward.most = std::chrono::milliseconds{50};
  s.config.forward.budget = std::chrono::seconds{2};
  const auto worker = s.make();
  EXPECT_EQ(udp_client(s.port).ask_for({.name = "other.org"}).code, 2u);
  EXPECT_EQ(asked_silent, 3);
}

// Also from the cache, which has it for a moment.
TEST(forwarding, is_servfail_when_all_upstreams_dislike_the_query) {
  scripted_upstream upstream([](const packet& asked, auto) { return packets{answer_to(asked, 1, {})}; });
  served s({upstream.address()});
  s.be_patient();
  const auto worker = s.make();
  const udp_client client(s.port);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client.ask_for({.name = "other.org"}).code, 2u);
}

packet header_alone(const packet& asked, unsigned code) {
  auto made = answer_to(asked, code, {});
  made.resize(header_size);
  store16(&made[4], 0);
  return made;
}

// RFC 6891, section 7.
TEST(forwarding, asks_an_upstream_that_does_not_know_edns_without_it) {
  for (const unsigned code : {1u, 4u})
    for (const bool bare : {true, false})
      for (const bool over_tcp : {true, false}) {
        const auto say = [=](const packet& asked, auto on) {
          if (over_tcp && on == transport::udp) return packets{answer_to(asked, 0, {}, flag::tc)};
          if (load16(&asked[10]) == 0) return packets{answer_to(asked, 0, {6, 6, 6, 6})};
          return packets{bare ? header_alone(asked, code) : answer_to(asked, code, {})};
        };
        scripted_upstream upstream(say);
        served s({upstream.address()});
        s.be_patient();
        const auto worker = s.make();
        const auto got = udp_client(s.port).ask_for({.name = "other.org", .edns = true});
        EXPECT_EQ(got.code, 0u);
        ASSERT_EQ(got.answers.size(), 1u);
        EXPECT_EQ(got.answers[0].data, (packet{6, 6, 6, 6}));
        EXPECT_TRUE(got.has_opt) << "that of ours";
      }
}

TEST(forwarding, asks_one_that_knows_edns_before_another_is_asked_without_it) {
  scripted_upstream old([](const packet& asked, auto) {
    return packets{load16(&asked[10]) == 0 ? answer_to(asked, 0, {6, 6, 6, 6}) : header_alone(asked, 1)};
  });
  scripted_upstream good(
      [](const packet& asked, auto) { return packets{answer_to(asked, 0, {7, 7, 7, 7})}; });
  served s({old.address(), good.address()});
  s.config.policy = upstream_policy::sequential;
  s.be_patient();
  const auto worker = s.make();
  const auto got = udp_client(s.port).ask_for({.name = "other.org", .edns = true, .dnssec = true});
  ASSERT_EQ(got.answers.size(), 1u);
  EXPECT_EQ(got.answers[0].data, (packet{7, 7, 7, 7})) << "a plain answer has no signatures";
}

TEST(forwarding, asks_without_edns_beside_who_is_silent) {
  const auto old = [](const packet& asked) {
    return packets{load16(&asked[10]) == 0 ? answer_to(asked, 0, {6, 6, 6, 6}) : answer_to(asked, 1, {})};
  };
  scripted_upstream one([&](const packet& asked, auto) { return old(asked); });
  scripted_upstream silent([](const packet&, auto) { return packets{}; });
  int times = 0;
  scripted_upstream late([&](const packet& asked, auto) { return times++ == 0 ? packets{} : old(asked); });
  for (const auto& upstreams : {std::vector{one.address(), silent.address()}, std::vector{late.address()}}) {
    served s(upstreams);
    s.config.policy = upstream_policy::sequential;
    const auto worker = s.make();
    const auto got = udp_client(s.port).ask_for({.name = "other.org", .edns = true});
    ASSERT_EQ(got.answers.size(), 1u) << upstreams.size() << " upstreams";
    EXPECT_EQ(got.answers[0].data, (packet{6, 6, 6, 6}));
  }
}

TEST(forwarding, keeps_no_plain_answer_for_who_validates) {
  std::atomic<int> plain = 0;
  scripted_upstream old([&](const packet& asked, auto) {
    if (load16(&asked[10]) != 0) return packets{answer_to(asked, 1, {})};
    ++plain;
    return packets{answer_to(asked, 0, {6, 6, 6, 6})};
  });
  for (const bool dnssec : {false, true}) {
    served s({old.address()});
    s.be_patient();
    const auto worker = s.make();
    plain = 0;
    const udp_client client(s.port);
    for (int i = 0; i < 2; ++i)
      EXPECT_EQ(client.ask_for({.name = "other.org", .edns = true, .dnssec = dnssec}).answers.size(), 1u);
    EXPECT_EQ(plain, dnssec ? 2 : 1);
  }
}

TEST(forwarding, is_servfail_when_one_blames_edns_that_is_not_there) {
  for (const bool over_tcp : {false, true}) {
    scripted_upstream upstream([=](const packet& asked, auto on) {
      if (over_tcp && on == transport::udp) return packets{answer_to(asked, 0, {}, flag::tc)};
      return packets{load16(&asked[10]) == 0 ? answer_to(asked, 1, {}) : header_alone(asked, 4)};
    });
    served s({upstream.address()});
    s.be_patient();
    const auto worker = s.make();
    const auto got = udp_client(s.port).ask_for({.name = "other.org", .edns = true});
    EXPECT_EQ(got.code, 2u);
    EXPECT_TRUE(got.answers.empty());
  }
}

// Its rcode is in OPT: the header alone reads NOERROR.
TEST(forwarding, takes_badvers_for_no_answer) {
  scripted_upstream badvers([](const packet& asked, auto) {
    auto answer = answer_to(asked, 0, {6, 6, 6, 6});
    for (const unsigned byte : {0u, 0u, 41u, 4u, 208u, 1u, 0u, 0u, 0u, 0u, 0u})
      answer.push_back(static_cast<std::uint8_t>(byte));
    store16(&answer[10], 1);
    return packets{answer};
  });
  scripted_upstream good([](const packet& asked, auto) { return packets{answer_to(asked)}; });
  for (const bool alone : {true, false}) {
    served s({badvers.address()});
    if (!alone) s.config.upstreams.emplace_back(good.address());
    s.config.policy = upstream_policy::sequential;
    s.be_patient();
    const auto worker = s.make();
    const auto got = udp_client(s.port).ask_for({.name = "other.org"});
    EXPECT_EQ(got.code, alone ? 2u : 0u);
    EXPECT_EQ(got.answers.size(), alone ? 0u : 1u);
    if (!alone) EXPECT_EQ(got.answers.at(0).data, (packet{192, 0, 2, 1}));
  }
}

TEST(forwarding, asks_once_for_identical_queries_in_flight) {
  std::atomic<bool> release = false;
  scripted_upstream upstream([&](const packet& asked, auto) {
    EXPECT_TRUE(becomes_true([&] { return release.load(); }));
    return packets{answer_to(asked)};
  });
  served s({upstream.address()});
  s.be_patient();
  const auto worker = s.make();
  const udp_client client(s.port);
  for (unsigned i = 0; i < 20; ++i) client.send(ask{.name = "other.org", .id = i}.make());
  ASSERT_TRUE(becomes_true([&] { return s.counters->forward_requests.value() == 20; }));
  release = true;
  std::set<unsigned> ids;
  for (int i = 0; i < 20; ++i) ids.insert(read_reply(client.receive()).id);
  EXPECT_EQ(ids.size(), 20u);
  EXPECT_EQ(upstream.asked(), 1);
}

TEST(forwarding, refuses_more_than_max_concurrent_and_still_answers_hijacked_names) {
  scripted_upstream silent([](auto&, auto) { return packets{}; });
  served s({silent.address()});
  s.config.forward.max_concurrent = 3;
  s.config.forward.budget = std::chrono::seconds{8};
  const auto worker = s.make();
  const udp_client client(s.port);
  for (unsigned i = 0; i < 4; ++i) client.send(ask{.name = "n" + std::to_string(i) + ".org", .id = i}.make());
  const auto refused = read_reply(client.receive());
  EXPECT_EQ(refused.code, 5u);
  EXPECT_EQ(refused.id, 3u);
  EXPECT_EQ(client.ask_for({}).answers.size(), 1u);
  EXPECT_EQ(s.counters->forward_rejects.value(), 1u);
}

// That its real name cannot be asked for is a failure as any other: only NXDOMAIN would be passed on.
TEST(forwarding, answers_a_wildcard_s_name_that_there_is_no_room_to_ask_for) {
  scripted_upstream silent([](auto&, auto) { return packets{}; });
  served s({silent.address()});
  s.config.forward.max_concurrent = 1;
  s.config.forward.budget = std::chrono::seconds{8};
  const auto worker = s.make();
  const udp_client client(s.port);
  client.send(ask{.name = "other.org", .id = 1}.make());
  const auto hijacked = client.ask_for({.name = "new.wild.example.com", .id = 2});
  EXPECT_EQ(hijacked.code, 0u);
  EXPECT_EQ(hijacked.answers.size(), 1u);
  EXPECT_EQ(client.ask_for({.name = "new.wild.example.com", .type = rr::txt, .id = 3}).code, 5u);
}

TEST(forwarding, in_flight_gets_servfail_when_the_worker_ends_or_fails) {
  scripted_upstream silent([](auto&, auto) { return packets{}; });
  for (const bool by_failure : {false, true}) {
    served s({silent.address()});
    s.config.forward.budget = std::chrono::seconds{60};
    auto worker = s.make();
    const udp_client client(s.port);
    for (unsigned i = 0; i < 10; ++i)
      client.send(ask{.name = "n" + std::to_string(i) + ".org", .id = i}.make());
    ASSERT_TRUE(becomes_true([&] { return s.counters->forwards_in_flight.load() == 10; }));
    if (by_failure)
      worker->inject_failure("test");
    else
      worker.reset();
    for (int i = 0; i < 10; ++i) EXPECT_EQ(read_reply(client.receive()).code, 2u);
  }
}

}  // namespace
}  // namespace egress::dns::test
