// Replies over TCP and TLS that answer another question, or none.
#include "runtime/net/tls.hpp"
#include "tests/unit/dns_io/tls_upstream.hpp"

namespace egress::dns::test {
namespace {

using packets = std::vector<packet>;
using egress::test::certified;

const packet real{192, 0, 2, 1}, forged{6, 6, 6, 6};

packet changed(packet reply, std::size_t at) {
  reply.at(at) ^= 1;
  return reply;
}

// All that the question was not, each in one way.
packets wrong_replies(const packet& asked) {
  const auto good = answer_to(asked, 0, forged);
  query q;
  parse_query(asked, q);
  const std::size_t end = header_size + q.question_size;
  auto opcode = good;
  opcode[2] |= 0x10;
  packets all{changed(good, 1),
              changed(good, header_size + 1),
              changed(good, end - 3),
              changed(good, end - 1),
              answer_to(asked, 0, forged, 0),
              changed(good, 5),
              opcode};
  all[4][2] &= 0x7f;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, header_size - 1, header_size, end - 1})
    all.emplace_back(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
  return all;
}

constexpr int kinds = 12;  // of wrong replies

// The wrong reply whose number the name begins with, and the right one behind it.
packets wrong_then_right(const packet& asked) {
  const auto kind = static_cast<std::size_t>(asked[header_size + 1] - 'a');
  return {wrong_replies(asked).at(kind), answer_to(asked, 0, real)};
}

std::string name_of_kind(int kind) {
  return static_cast<char>('a' + kind) + std::string(".org");
}

// Each kind is asked for twice: of the upstream, and of the cache.
void expect_only_right_answers(served& s) {
  s.be_patient();
  const auto worker = s.make();
  const udp_client client(s.port);
  for (int kind = 0; kind < kinds; ++kind)
    for (int times = 0; times < 2; ++times) {
      const auto said = client.ask_for({.name = name_of_kind(kind)});
      ASSERT_EQ(said.answers.size(), 1u) << kind;
      EXPECT_EQ(said.answers[0].data, real) << kind;
    }
  EXPECT_EQ(s.counters->responses[0][static_cast<std::size_t>(plugin::cache)].value(), kinds);
  EXPECT_EQ(s.counters->forward_failures.value(), 0u);
}

TEST(stream_replies, over_tcp_that_answer_something_else_are_passed_over) {
  scripted_upstream upstream([](const packet& asked, transport via) {
    return via == transport::udp ? packets{answer_to(asked, 0, {}, flag::tc)} : wrong_then_right(asked);
  });
  served s({upstream.address()});
  expect_only_right_answers(s);
  EXPECT_EQ(upstream.connections(), 1) << "nor do they end the connection";
}

TEST(stream_replies, over_tls_that_answer_something_else_are_passed_over) {
  const auto authority = certified::authority("us");
  const auto certificate = authority.sign({.names = "DNS:dns.example"});
  tls_upstream upstream(certificate, wrong_then_right);
  served s;
  s.config.upstreams = {upstream.server("dns.example")};
  net::tls_material trust;
  trust.authorities = authority.certificate();
  s.config.tls = net::make_tls_context(trust).value();
  expect_only_right_answers(s);
  EXPECT_EQ(upstream.connections(), 1);
}

// Both ids are waited for: each with the other's answer first.
TEST(stream_replies, to_each_other_s_question_are_passed_over) {
  packets questions;
  scripted_upstream upstream([&](const packet& asked, transport via) {
    if (via == transport::udp) return packets{answer_to(asked, 0, {}, flag::tc)};
    questions.push_back(asked);
    if (questions.size() < 2) return packets{};
    packets all;
    for (const std::size_t i : {0u, 1u}) {
      auto swapped = answer_to(questions[i], 0, forged);
      std::copy_n(questions[1 - i].begin(), 2, swapped.begin());
      all.push_back(swapped);
    }
    for (const auto& one : questions) all.push_back(answer_to(one, 0, real));
    return all;
  });
  served s({upstream.address()});
  s.be_patient();
  const auto worker = s.make();
  const udp_client client(s.port);
  for (const unsigned id : {0u, 1u})
    client.send(ask{.name = name_of_kind(static_cast<int>(id)), .id = id}.make());
  for (int i = 0; i < 2; ++i) {
    const auto said = read_reply(client.receive());
    EXPECT_EQ(said.question, name_of_kind(static_cast<int>(said.id)));
    EXPECT_EQ(said.answers.at(0).data, real);
  }
}

}  // namespace
}  // namespace egress::dns::test
