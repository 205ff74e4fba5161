#include "actors/dns/forward_reply.hpp"

#include <gtest/gtest.h>

#include <random>

#include "actors/dns/cookie.hpp"
#include "tests/unit/dns/reply_reader.hpp"
#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {
namespace {

struct upstream_record {
  std::string owner;
  unsigned type = rr::a;
  std::uint32_t ttl = 300;
  packet data = {192, 0, 2, 1};
};

// An upstream's reply to the question, with these answers, and an OPT record when it has EDNS.
packet reply_to(const ask& what, const std::vector<upstream_record>& answers, unsigned code = 0,
                unsigned extra = 0) {
  auto p = ask{.name = what.name,
               .type = what.type,
               .id = 99,
               .flags = flag::qr | flag::rd | flag::ra | extra | code}
               .make();
  p[7] = static_cast<std::uint8_t>(answers.size());
  for (const auto& record : answers) {
    const auto owner = name_in_case(record.owner);
    p.insert(p.end(), owner.begin(), owner.end());
    for (const unsigned field : {record.type, 1u, record.ttl >> 16, record.ttl & 0xffff}) put16(p, field);
    put16(p, static_cast<unsigned>(record.data.size()));
    p.insert(p.end(), record.data.begin(), record.data.end());
  }
  p[11] = 1;
  for (const unsigned byte : {0u, 0u, 41u, 16u, 0u, 0u, 0u, 0u, 0u, 0u, 8u, 0u, 8u, 0u, 4u, 0u, 1u, 0u, 0u})
    p.push_back(static_cast<std::uint8_t>(byte));
  return p;
}

struct finished {
  outcome made;
  reply said;
};

finished finish(const ask& what, forward_kind how, const packet& upstream,
                const hijack_table* table = nullptr, std::size_t limit = 0) {
  static const auto sample = sample_table();
  const auto p = what.make();
  query asked;
  EXPECT_EQ(parse_query(p, asked), reaction::serve);
  std::vector<std::uint8_t> out;
  finished result;
  result.made = finish_forwarded(asked, how, upstream, table ? table : sample.get(),
                                 {.answers = {.ttl = 5}, .max_ttl = 30},
                                 limit == 0 ? asked.limit(transport::udp) : limit, out);
  EXPECT_EQ(out.size(), result.made.size);
  result.said = read_reply(out);
  return result;
}

TEST(forward_reply, asks_with_its_own_edns_and_without_what_the_client_added) {
  const auto p = ask{.name = "Www.Example.org",
                     .flags = flag::rd | flag::ad | flag::cd,
                     .edns = true,
                     .dnssec = true,
                     .udp_size = 4096,
                     .options = {0, 8, 0, 4, 0, 1, 0, 0}}
                     .make();
  query asked;
  parse_query(p, asked);
  std::array<std::uint8_t, answer_room> out{};
  const auto size = write_upstream_query(asked, 4711, out);
  query sent;
  ASSERT_EQ(parse_query(bytes(out).first(size), sent), reaction::serve);
  EXPECT_EQ(sent.id, 4711);
  EXPECT_EQ(sent.flags, flag::rd | flag::ad | flag::cd);
  EXPECT_TRUE(sent.wants_dnssec);
  EXPECT_EQ(sent.udp_size, edns_udp_size);
  EXPECT_EQ(sent.question_size, asked.question_size);
  EXPECT_EQ(load16(&out[size - 2]), 0) << "options";
}

// One upstream answer is for all clients: also for who asks for AD without DO, as glibc's trust-ad does.
TEST(forward_reply, asks_for_ad_whether_the_client_does_or_not) {
  for (const std::uint16_t flags : {flag::rd, static_cast<std::uint16_t>(flag::rd | flag::ad)}) {
    const auto p = ask{.name = "www.example.org", .flags = flags}.make();
    query asked;
    parse_query(p, asked);
    std::array<std::uint8_t, answer_room> out{};
    write_upstream_query(asked, 4711, out);
    EXPECT_EQ(load16(&out[2]), flag::rd | flag::ad);
  }
}

TEST(forward_reply, believes_only_the_answer_to_its_question) {
  const auto what = ask{.name = "www.example.org"};
  const auto p = what.make();
  query asked;
  parse_query(p, asked);
  const auto good = reply_to(ask{.name = "WWW.example.org"}, {});
  EXPECT_TRUE(is_reply_to(good, asked, 99));
  EXPECT_FALSE(is_reply_to(good, asked, 98)) << "id";
  EXPECT_FALSE(is_reply_to(reply_to(ask{.name = "wwx.example.org"}, {}), asked, 99)) << "name";
  EXPECT_FALSE(is_reply_to(reply_to(ask{.name = "www.example.org", .type = rr::aaaa}, {}), asked, 99))
      << "type";
  const auto with = [&](std::size_t at, std::uint8_t value) {
    auto changed = good;
    changed[at] = value;
    return changed;
  };
  EXPECT_FALSE(is_reply_to(with(2, 1), asked, 99)) << "no answer at all";
  EXPECT_FALSE(is_reply_to(with(2, 0x91), asked, 99)) << "opcode";
  EXPECT_FALSE(is_reply_to(with(5, 0), asked, 99)) << "QDCOUNT";
  EXPECT_FALSE(is_reply_to(with(32, 3), asked, 99)) << "class";
  for (std::size_t size = 0; size < 33; ++size) EXPECT_FALSE(is_reply_to(bytes(good).first(size), asked, 99));
}

TEST(forward_reply, believes_a_header_alone_that_may_blame_edns) {
  const auto p = ask{.name = "www.example.org"}.make();
  query asked;
  parse_query(p, asked);
  const auto header = [](unsigned flags, unsigned questions = 0) {
    packet made(header_size);
    store16(&made[0], 99);
    store16(&made[2], flags);
    store16(&made[4], questions);
    return made;
  };
  for (const unsigned code : {1u, 4u}) {
    EXPECT_TRUE(is_bare_refusal(header(flag::qr | code), asked, 99));
    EXPECT_FALSE(is_reply_to(header(flag::qr | code), asked, 99)) << "that can be read";
  }
  EXPECT_FALSE(is_bare_refusal({}, asked, 99));
  EXPECT_FALSE(is_bare_refusal(header(flag::qr | 1), asked, 98)) << "id";
  EXPECT_FALSE(is_bare_refusal(header(1), asked, 99)) << "no answer at all";
  EXPECT_FALSE(is_bare_refusal(header(flag::qr | 2 << 11 | 1), asked, 99)) << "opcode";
  EXPECT_FALSE(is_bare_refusal(header(flag::qr | 1, 1), asked, 99)) << "QDCOUNT";
  for (const unsigned code : {0u, 2u, 3u, 5u})
    EXPECT_FALSE(is_bare_refusal(header(flag::qr | code), asked, 99));
  asked.without_edns = true;
  EXPECT_FALSE(is_bare_refusal(header(flag::qr | 1), asked, 99)) << "it was asked without";
}

TEST(forward_reply, asks_without_edns_where_that_is_wanted) {
  const auto p = ask{.name = "www.example.org", .edns = true}.make();
  query asked;
  parse_query(p, asked);
  asked.without_edns = true;
  std::array<std::uint8_t, answer_room> out{};
  const auto size = write_upstream_query(asked, 4711, out);
  EXPECT_EQ(load16(&out[10]), 0u);
  EXPECT_EQ(size, header_size + asked.name.size + 4u);
}

TEST(forward_reply, gives_the_client_its_own_id_case_flags_and_edns) {
  const auto what = ask{.name = "wWw.example.org", .flags = flag::rd | flag::cd, .edns = true};
  const auto got = finish(what, forward_kind::plain,
                          reply_to(ask{.name = "www.example.org"}, {{.owner = "www.example.org"}}));
  EXPECT_EQ(got.said.id, 0x1234);
  EXPECT_EQ(got.said.question, "wWw.example.org");
  EXPECT_EQ(got.said.flags, flag::qr | flag::ra | flag::rd | flag::cd);
  EXPECT_TRUE(got.said.has_opt);
  EXPECT_EQ(got.said.opt_size, 0u) << "client subnet";
  EXPECT_EQ(got.said.answers.at(0).data, (packet{192, 0, 2, 1}));
  EXPECT_FALSE(finish(ask{.name = "www.example.org"}, forward_kind::plain,
                      reply_to(ask{.name = "www.example.org"}, {}))
                   .said.has_opt);
}

// What an upstream is willing to do for us is not what we do for clients: glibc and Go leave a server without
// RA for the next one.
TEST(forward_reply, has_ra_though_the_upstream_has_none) {
  for (const auto& [how, name, type] : {std::tuple{forward_kind::plain, "www.example.org", rr::a},
                                        {forward_kind::root_probe, "", rr::ns},
                                        {forward_kind::hijacked_other, "example.com", rr::txt},
                                        {forward_kind::wildcard_other, "x.wild.example.com", rr::txt}}) {
    const ask what{.name = name, .type = type};
    for (const unsigned code : {0u, 2u, 3u}) {
      auto reply = reply_to(what, {{.owner = name, .type = type, .data = {1, 'x', 0, 0}}}, code);
      store16(&reply[2], load16(&reply[2]) & ~std::size_t{flag::ra});
      EXPECT_TRUE(finish(what, how, reply).said.flags & flag::ra) << name << " " << code;
    }
  }
}

// RFC 2181, section 8.
TEST(forward_reply, takes_a_ttl_with_the_highest_bit_for_none) {
  const auto what = ask{.name = "www.example.org"};
  for (const unsigned type : {rr::a, rr::mx}) {
    const upstream_record record{.owner = what.name, .type = type, .ttl = 0x80000001, .data = packet(16)};
    EXPECT_EQ(finish(what, forward_kind::plain, reply_to(what, {record})).said.answers.at(0).ttl, 0u) << type;
  }
}

// What is behind an alias is the name's as long as the alias is.
TEST(forward_reply, lets_what_an_alias_led_to_live_no_longer_than_the_alias) {
  const ask what{.name = "example.com", .type = rr::txt};
  const auto target = name_in_case("t.example");
  for (const auto& [alias, told] : {std::pair{5u, 5u}, {300u, 30u}}) {
    const auto reply =
        reply_to(what, {{.owner = what.name, .type = rr::cname, .ttl = alias, .data = target},
                        {.owner = "t.example", .type = rr::txt, .ttl = 86400, .data = {1, 'x'}}});
    const auto got = finish(what, forward_kind::hijacked_other, reply);
    ASSERT_EQ(got.said.answers.size(), 1u);
    EXPECT_EQ(got.said.answers.at(0).ttl, told);
  }
}

// A cache in front, too, must come back soon for whatever would lead around a later hijack.
TEST(forward_reply, caps_the_ttl_of_what_leads_to_an_address) {
  const auto what = ask{.name = "www.example.org"};
  const auto ttl = [&](unsigned type, std::uint32_t upstream) {
    const upstream_record record{.owner = what.name, .type = type, .ttl = upstream, .data = packet(16)};
    return finish(what, forward_kind::plain, reply_to(what, {record})).said.answers.at(0).ttl;
  };
  for (const unsigned type : {rr::a, rr::aaaa, rr::cname, rr::dname, rr::https, rr::svcb}) {
    EXPECT_EQ(ttl(type, 300), 30u) << type;
    EXPECT_EQ(ttl(type, 7), 7u) << type;
  }
  for (const unsigned type : {rr::soa, rr::nsec, rr::nsec3})
    EXPECT_EQ(ttl(type, 300), 30u) << "a denial lives that long";
  for (const unsigned type : {rr::mx, rr::txt, rr::ns}) EXPECT_EQ(ttl(type, 300), 300u) << type;
}

TEST(forward_reply, shows_ad_only_to_those_who_asked) {
  const auto reply = reply_to(ask{.name = "a.org"}, {}, 0, flag::ad);
  EXPECT_FALSE(finish(ask{.name = "a.org"}, forward_kind::plain, reply).said.flags & flag::ad);
  EXPECT_TRUE(finish(ask{.name = "a.org", .flags = flag::ad}, forward_kind::plain, reply).said.flags &
              flag::ad);
  EXPECT_TRUE(
      finish(ask{.name = "a.org", .edns = true, .dnssec = true}, forward_kind::plain, reply).said.flags &
      flag::ad);
}

TEST(forward_reply, is_cut_to_what_the_client_takes) {
  const auto what = ask{.name = "big.org", .type = rr::txt, .edns = true};
  const auto reply = reply_to(
      what, std::vector<upstream_record>(9, {.owner = "big.org", .type = rr::txt, .data = packet(200, 1)}));
  const auto cut = finish(what, forward_kind::plain, reply);
  EXPECT_TRUE(cut.said.flags & flag::tc);
  EXPECT_TRUE(cut.said.answers.empty());
  EXPECT_TRUE(cut.said.has_opt);
  const auto whole = finish(what, forward_kind::plain, reply, nullptr, max_message);
  EXPECT_FALSE(whole.said.flags & flag::tc);
  EXPECT_EQ(whole.said.answers.size(), 9u);
}

TEST(forward_reply, is_servfail_when_nobody_answered_or_the_answer_is_broken) {
  const auto what = ask{.name = "a.org", .edns = true};
  EXPECT_EQ(finish(what, forward_kind::plain, {}).said.code, 2u);
  auto broken = reply_to(what, {{.owner = "a.org"}});
  broken[7] = 9;
  EXPECT_EQ(finish(what, forward_kind::plain, broken).said.code, 2u);
}

TEST(forward_reply, leaves_no_alias_on_a_hijacked_name) {
  const auto what = ask{.name = "Example.com", .type = rr::mx};
  packet mx{0, 10};
  for (const auto byte : name_in_case("mail.org")) mx.push_back(byte);
  const auto cname =
      upstream_record{.owner = "example.com", .type = rr::cname, .data = name_in_case("real.org")};
  const auto got = finish(what, forward_kind::hijacked_other,
                          reply_to(what, {cname, {.owner = "real.org", .type = rr::mx, .data = mx}}));
  ASSERT_EQ(got.said.answers.size(), 1u);
  EXPECT_EQ(got.said.answers[0].type, rr::mx);
  EXPECT_EQ(got.said.answers[0].owner, "Example.com");
  const auto none = finish(what, forward_kind::hijacked_other, reply_to(what, {cname}));
  EXPECT_TRUE(none.said.answers.empty());
  EXPECT_EQ(none.said.code, 0u);
  EXPECT_EQ(none.said.authority.at(0).type, rr::soa);
  EXPECT_EQ(finish(what, forward_kind::hijacked_other, reply_to(what, {}, 3)).said.code, 0u) << "NXDOMAIN";
  EXPECT_EQ(finish(what, forward_kind::hijacked_other, reply_to(what, {}, 2)).said.code, 2u) << "SERVFAIL";
}

const ask signed_text{.name = "example.com", .type = rr::txt, .edns = true, .dnssec = true};

// A validating client has to know why there is no signature; that the records are real does not help it.
TEST(forward_reply, of_another_type_of_a_hijacked_name_says_whose_it_is_when_it_was_changed) {
  const upstream_record text{.owner = "Example.com", .type = rr::txt, .data = {1, 'x'}};
  const upstream_record signature{.owner = "example.com", .type = 46, .data = packet(20)};
  const auto unsigned_now = finish(signed_text, forward_kind::hijacked_other,
                                   reply_to(signed_text, {text, signature}, 0, flag::ad | flag::aa));
  ASSERT_EQ(unsigned_now.said.answers.size(), 1u);
  EXPECT_EQ(unsigned_now.said.answers[0].data, text.data);
  EXPECT_EQ(unsigned_now.said.ede, 4);
  EXPECT_EQ(unsigned_now.said.why, "ExternalService ex");
  EXPECT_TRUE(unsigned_now.said.more_edes.empty());
  EXPECT_EQ(unsigned_now.said.flags, flag::qr | flag::ra | flag::rd) << "the records are another's: no AA";
  EXPECT_TRUE(unsigned_now.made.rewritten);
  EXPECT_FALSE(unsigned_now.made.hijacked);
  const upstream_record alias{.owner = "example.com", .type = rr::cname, .data = name_in_case("real.org")};
  const upstream_record real{.owner = "real.org", .type = rr::txt, .data = {1, 'x'}};
  const auto renamed =
      finish(signed_text, forward_kind::hijacked_other, reply_to(signed_text, {alias, real}));
  EXPECT_EQ(renamed.said.answers.at(0).owner, "example.com");
  EXPECT_EQ(renamed.said.ede, 4);
  auto without_edns = signed_text;
  without_edns.edns = false;
  EXPECT_FALSE(
      finish(without_edns, forward_kind::hijacked_other, reply_to(without_edns, {alias, real})).said.has_opt);
}

TEST(forward_reply, of_another_type_of_a_hijacked_name_that_is_as_it_came_says_nothing) {
  const upstream_record text{.owner = "EXAMPLE.com", .type = rr::txt, .data = {1, 'x'}};
  const auto got = finish(signed_text, forward_kind::hijacked_other, reply_to(signed_text, {text, text}));
  EXPECT_EQ(got.said.answers.size(), 2u);
  EXPECT_EQ(got.said.ede, -1);
  EXPECT_FALSE(got.made.rewritten);
}

// Cut over TCP or TLS, too: as other names' are, it is told without a record, whatever the client takes.
TEST(forward_reply, of_another_type_of_a_hijacked_name_that_came_cut_stays_cut) {
  const upstream_record text{.owner = "example.com", .type = rr::txt, .data = {1, 'x'}};
  const upstream_record alias{.owner = "example.com", .type = rr::cname, .data = name_in_case("real.org")};
  for (const auto& records : std::vector<std::vector<upstream_record>>{{text}, {alias, text}, {alias}, {}}) {
    const auto cut = reply_to(signed_text, records, 0, flag::tc);
    for (const std::size_t limit : {plain_udp_size, max_message}) {
      const auto got = finish(signed_text, forward_kind::hijacked_other, cut, nullptr, limit);
      EXPECT_TRUE(got.said.flags & flag::tc) << records.size();
      EXPECT_TRUE(got.said.answers.empty() && got.said.authority.empty()) << records.size();
      EXPECT_EQ(got.said.code, 0u);
      EXPECT_TRUE(got.said.has_opt);
      const ask other{.name = "example.org", .type = rr::txt, .edns = true, .dnssec = true};
      const auto plain =
          finish(other, forward_kind::plain, reply_to(other, records, 0, flag::tc), nullptr, limit);
      EXPECT_EQ(plain.said.flags, got.said.flags) << "as it is for other names";
      EXPECT_TRUE(plain.said.answers.empty());
    }
  }
}

TEST(forward_reply, below_a_wildcard_passes_nxdomain_on_and_hijacks_the_rest) {
  const auto what = ask{.name = "x.wild.example.com"};
  EXPECT_EQ(finish(what, forward_kind::wildcard, reply_to(what, {}, 3)).said.code, 3u);
  for (const auto& reply : {reply_to(what, {{.owner = what.name}}), reply_to(what, {}, 2), packet{}}) {
    const auto got = finish(what, forward_kind::wildcard, reply);
    EXPECT_TRUE(got.made.hijacked);
    EXPECT_EQ(got.said.answers.at(0).data, (packet{10, 0, 0, 3}));
  }
}

// RFC 6604: the rcode is about the end of the chain. A cache in front would keep the alias, and follow it to
// the real address as soon as that is there.
TEST(forward_reply, below_a_wildcard_hijacks_an_alias_that_leads_nowhere) {
  const auto dangling = [](const ask& what) {
    return reply_to(what, {{.owner = what.name, .type = rr::cname, .data = name_in_case("gone.org")}}, 3);
  };
  const auto what = ask{.name = "x.wild.example.com"};
  const auto got = finish(what, forward_kind::wildcard, dangling(what));
  EXPECT_TRUE(got.made.hijacked);
  EXPECT_EQ(got.said.code, 0u);
  ASSERT_EQ(got.said.answers.size(), 1u);
  EXPECT_EQ(got.said.answers[0].data, (packet{10, 0, 0, 3}));
  const auto mx = ask{.name = "x.wild.example.com", .type = rr::mx};
  const auto none = finish(mx, forward_kind::wildcard_other, dangling(mx));
  EXPECT_EQ(none.said.code, 0u);
  EXPECT_TRUE(none.said.answers.empty());
  EXPECT_EQ(none.said.authority.at(0).owner, what.name);
  const auto other = ask{.name = "www.example.org"};
  EXPECT_EQ(finish(other, forward_kind::plain, dangling(other)).said.code, 3u) << "what is not hijacked";
}

TEST(forward_reply, never_gives_the_real_address_of_a_name_hijacked_meanwhile) {
  const auto what = ask{.name = "example.com"};
  const auto got = finish(what, forward_kind::plain, reply_to(what, {{.owner = what.name}}));
  EXPECT_EQ(got.said.answers.at(0).data, (packet{10, 0, 0, 1}));
}

// As answers to SRV and MX have it.
TEST(forward_reply, gives_no_real_address_of_a_hijacked_host_beside_the_answer) {
  const auto what = ask{.name = "example.org", .type = rr::mx};
  const auto beside = [&](const std::vector<std::string>& hosts, unsigned type = rr::a) {
    std::vector<upstream_record> records{{.owner = what.name, .type = rr::mx, .data = {0, 1, 0}}};
    for (const auto& host : hosts) records.push_back({.owner = host, .type = type});
    auto reply = reply_to(what, records);
    reply[7] = 1;
    reply[11] = static_cast<std::uint8_t>(1 + hosts.size());
    const auto got = finish(what, forward_kind::plain, reply);
    EXPECT_EQ(got.said.answers.size(), 1u);
    return got.said.additional.size();
  };
  EXPECT_EQ(beside({"mail.example.org", "mail2.example.org"}), 2u);
  EXPECT_EQ(beside({"mail.example.org", "Example.com"}), 0u);
  EXPECT_EQ(beside({"example.com", "mail.example.org"}), 0u);
  EXPECT_EQ(beside({"example.com"}, rr::aaaa), 0u);
}

TEST(forward_reply, is_not_cut_for_what_is_only_added) {
  const auto what = ask{.name = "example.org", .type = rr::mx};
  std::vector<upstream_record> records{{.owner = what.name, .type = rr::mx, .data = {0, 1, 0}}};
  for (int i = 0; i < 20; ++i) records.push_back({.owner = "mail" + std::to_string(i) + ".example.org"});
  auto reply = reply_to(what, records);
  reply[7] = 1;
  reply[11] = 21;
  const auto whole = finish(what, forward_kind::plain, reply, nullptr, 4096);
  EXPECT_EQ(whole.said.additional.size(), 20u);
  const auto small = finish(what, forward_kind::plain, reply);
  EXPECT_EQ(small.said.flags & flag::tc, 0u);
  EXPECT_EQ(small.said.answers.size(), 1u);
  EXPECT_TRUE(small.said.additional.empty());
}

// The reply with one more option behind its client subnet.
packet with_option(packet reply, unsigned code, const std::string& data) {
  const std::size_t size_at = reply.size() - 10;
  put16(reply, code);
  put16(reply, static_cast<unsigned>(data.size()));
  reply.insert(reply.end(), data.begin(), data.end());
  store16(&reply[size_at], load16(&reply[size_at]) + 4 + data.size());
  return reply;
}

TEST(forward_reply, passes_on_why_the_upstream_failed) {
  const auto what = ask{.name = "a.org", .edns = true};
  const auto bogus = with_option(reply_to(what, {}, 2), 15, std::string("\0\6", 2) + "no signature");
  const auto got = finish(what, forward_kind::plain, bogus);
  EXPECT_EQ(got.said.code, 2u);
  EXPECT_EQ(got.said.ede, 6);
  EXPECT_EQ(got.said.why, "no signature");
  EXPECT_FALSE(finish(ask{.name = "a.org"}, forward_kind::plain, bogus).said.has_opt);
  const auto long_said =
      with_option(reply_to(what, {}, 2), 15, std::string("\0\6", 2) + std::string(900, 'x'));
  EXPECT_EQ(finish(what, forward_kind::plain, long_said).said.why, std::string(154, 'x'));
  const auto half = with_option(reply_to(what, {}, 2), 15, "x");
  EXPECT_EQ(finish(what, forward_kind::plain, half).said.ede, 22);
}

TEST(forward_reply, explains_failures_of_its_own) {
  const auto what = ask{.name = "a.org", .edns = true};
  const auto nobody = finish(what, forward_kind::plain, {});
  EXPECT_EQ(nobody.said.ede, 22);
  EXPECT_EQ(nobody.said.why, "no upstream answered");
  EXPECT_EQ(finish(what, forward_kind::plain, reply_to(what, {}, 5)).said.ede, 22);
  EXPECT_EQ(finish(what, forward_kind::plain, reply_to(what, {}, 3)).said.ede, -1);
  EXPECT_EQ(finish(what, forward_kind::plain, reply_to(what, {})).said.ede, -1);
  auto broken = reply_to(what, {{.owner = "a.org"}});
  broken[7] = 9;
  EXPECT_EQ(finish(what, forward_kind::plain, broken).said.ede, 23);
  const auto nodata = finish(ask{.type = rr::mx, .edns = true, .dnssec = true}, forward_kind::hijacked_other,
                             reply_to(ask{.type = rr::mx}, {}, 3));
  EXPECT_EQ(nodata.said.ede, 4);
  EXPECT_EQ(nodata.said.why, "ExternalService ex");
}

// The query that the upstream complains of was ours.
TEST(forward_reply, is_servfail_when_the_upstream_does_not_like_our_query) {
  const auto what = ask{.name = "a.org", .edns = true};
  for (const unsigned code : {1u, 4u}) {
    const auto got = finish(what, forward_kind::plain, reply_to(what, {}, code));
    EXPECT_EQ(got.said.code, 2u) << code;
    EXPECT_EQ(got.made.code, rcode::servfail) << code;
    EXPECT_EQ(got.said.ede, 22) << code;
    EXPECT_EQ(got.said.why, "the upstreams fail or refuse") << code;
  }
}

// BADVERS is 16: nothing of it is in the header.
TEST(forward_reply, with_more_of_an_rcode_in_opt_is_a_failure) {
  constexpr std::size_t opt = 19, upper_bits = 5;  // of reply_to's record
  const auto what = ask{.name = "www.example.org"};
  const auto p = what.make();
  query asked;
  parse_query(p, asked);
  const auto good = reply_to(what, {{.owner = what.name}});
  std::vector<std::uint8_t> room;
  EXPECT_EQ(without_extended_rcode(asked, good, room).data(), good.data()) << "a copy";
  for (const unsigned high : {1u, 16u, 255u}) {
    auto bad = good;
    bad[bad.size() - opt + upper_bits] = static_cast<std::uint8_t>(high);
    const auto said = read_reply(without_extended_rcode(asked, bad, room));
    EXPECT_EQ(said.code, 2u) << high;
    EXPECT_EQ(said.question, what.name);
    EXPECT_TRUE(said.answers.empty() && !said.has_opt);
  }
  for (std::size_t size = header_size + asked.question_size; size < good.size(); ++size)
    EXPECT_EQ(without_extended_rcode(asked, bytes(good).first(size), room).size(), size) << "cut";
}

TEST(forward_reply, carries_the_clients_cookie_and_never_the_upstreams) {
  const auto what = ask{.name = "a.org", .edns = true, .options = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8}};
  const auto upstream = with_option(reply_to(what, {{.owner = "a.org"}}), 10, std::string(24, 'u'));
  EXPECT_TRUE(finish(ask{.name = "a.org", .edns = true}, forward_kind::plain, upstream).said.cookie.empty());
  const auto p = what.make();
  query asked;
  parse_query(p, asked);
  give_cookie(asked, 1'700'000'000, {});
  const auto table = sample_table();
  for (const auto& reply : {upstream, reply_to(what, {}, 3), packet{}}) {
    std::vector<std::uint8_t> out;
    finish_forwarded(asked, forward_kind::plain, reply, table.get(), {}, 1232, out);
    EXPECT_TRUE(std::ranges::equal(read_reply(out).cookie, asked.answer_cookie));
  }
  std::vector<std::uint8_t> sent(answer_room);
  sent.resize(write_upstream_query(asked, 1, sent));
  EXPECT_TRUE(read_reply(sent).cookie.empty());
}

// Cut or whole: what the client takes is never passed by, and what explains goes first.
TEST(forward_reply, with_all_its_options_stays_within_the_limit) {
  const auto what = ask{.name = "a.org",
                        .type = rr::txt,
                        .edns = true,
                        .udp_size = 512,
                        .options = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8}};
  const auto p = what.make();
  query asked;
  parse_query(p, asked);
  give_cookie(asked, 1'700'000'000, {});
  const auto table = sample_table();
  int whole = 0, cut = 0;
  for (std::size_t size = 300; size < 500; ++size) {
    const upstream_record text{.owner = "a.org", .type = rr::txt, .data = packet(size, 'x')};
    const auto reply = with_option(reply_to(what, {text}), 15, std::string("\0\3", 2) + std::string(90, 'x'));
    std::vector<std::uint8_t> out;
    finish_forwarded(asked, forward_kind::plain, reply, table.get(), {}, 512, out);
    ASSERT_LE(out.size(), 512u);
    const auto said = read_reply(out);
    EXPECT_EQ(said.cookie.size(), 24u);
    ++((said.flags & flag::tc) != 0 ? cut : whole);
  }
  EXPECT_GT(whole, 100);
  EXPECT_GT(cut, 50);
}

TEST(forward_reply, survives_any_bytes_from_upstream) {
  std::mt19937 random(11);
  const auto what = ask{.name = "example.com", .type = rr::mx, .edns = true};
  const auto table = sample_table();
  const auto p = what.make();
  query asked;
  parse_query(p, asked);
  const auto seed =
      reply_to(what, {{.owner = "example.com", .type = rr::cname, .data = name_in_case("real.org")},
                      {.owner = "real.org", .type = rr::mx, .data = {0, 1, 1, 'm', 0xc0, 12}}});
  int believed = 0;
  for (int i = 0; i < 100'000; ++i) {
    auto reply = seed;
    for (unsigned changes = 1 + random() % 4; changes > 0; --changes)
      reply[random() % reply.size()] = static_cast<std::uint8_t>(random());
    if (random() % 4 == 0) reply.resize(random() % reply.size());
    if (!is_reply_to(reply, asked, 99)) continue;
    ++believed;
    std::vector<std::uint8_t> out;
    for (const auto how : {forward_kind::plain, forward_kind::root_probe})
      finish_forwarded(asked, how, reply, table.get(), {}, 1232, out);
    ASSERT_EQ(load16(out.data()), asked.id);
  }
  EXPECT_GT(believed, 20'000);
}

}  // namespace
}  // namespace egress::dns::test
