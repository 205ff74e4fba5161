// Questions that share a source port, as they do when more are asked than there are ports for each alone.
#include "actors/dns/port_ledger.hpp"
#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {
namespace {

using packets = std::vector<packet>;

const packet forged{6, 6, 6, 6};
constexpr unsigned together = 40;

std::string numbered(unsigned i) {
  return "n" + std::to_string(i) + ".org";
}

// The address that n7.org has: no two questions have the same answer.
packet address_of(const packet& asked) {
  query q;
  parse_query(asked, q);
  const auto name = to_text(q.name.view());
  return {192, 0, 2, static_cast<std::uint8_t>(std::stoi(name.substr(1)))};
}

packet right_answer(const packet& asked) {
  return answer_to(asked, 0, address_of(asked));
}

struct sharing : served {
  explicit sharing(const scripted_upstream& upstream) : served({upstream.address()}) {
    config.forward.own_ports = 0;
    be_patient();
  }
};

// In one go, so that they wait at the same time.
void ask_all(const udp_client& client) {
  for (unsigned i = 0; i < together; ++i) client.send(ask{.name = numbered(i), .id = i}.make());
}

void expect_right_answers(const udp_client& client) {
  for (unsigned i = 0; i < together; ++i) {
    const auto got = read_reply(client.receive());
    EXPECT_EQ(got.question, numbered(got.id));
    ASSERT_EQ(got.answers.size(), 1u);
    EXPECT_EQ(got.answers[0].data, (packet{192, 0, 2, static_cast<std::uint8_t>(got.id)}));
  }
}

// Calls `then` with all that was asked once that is everything, over UDP; what comes over TCP is answered.
scripted_upstream::script when_all_are_asked(std::function<packets(const packets& asked)> then,
                                             std::atomic<int>& over_tcp) {
  return [then, &over_tcp, held = packets{}](const packet& asked, transport via) mutable {
    if (via == transport::tcp) return ++over_tcp, packets{right_answer(asked)};
    held.push_back(asked);
    return held.size() < together ? packets{} : then(held);
  };
}

// The scripted upstream sends all to whom it was asked by last: that is the shared port, when there is one.
TEST(shared_port, carries_many_questions_and_their_answers_in_any_order) {
  std::atomic<int> over_tcp = 0;
  scripted_upstream upstream(when_all_are_asked(
      [](const packets& asked) {
        packets out;
        for (const auto& one : asked) out.insert(out.begin(), right_answer(one));
        return out;
      },
      over_tcp));
  sharing s(upstream);
  const auto worker = s.make();
  const udp_client client(s.port);
  ask_all(client);
  expect_right_answers(client);
  EXPECT_EQ(over_tcp, 0);
}

TEST(shared_port, believes_no_answer_with_the_id_of_another_question) {
  std::atomic<int> over_tcp = 0;
  scripted_upstream upstream(when_all_are_asked(
      [](const packets& asked) {
        packets out;
        for (std::size_t i = 0; i < port_ledger::most_wrong - 1; ++i) {
          auto swapped = answer_to(asked[i], 0, forged);
          store16(swapped.data(), load16(asked[i + 1].data()));
          out.push_back(swapped);
        }
        for (const auto& one : asked) out.push_back(right_answer(one));
        return out;
      },
      over_tcp));
  sharing s(upstream);
  const auto worker = s.make();
  const udp_client client(s.port);
  ask_all(client);
  expect_right_answers(client);
  EXPECT_EQ(over_tcp, 0);
}

TEST(shared_port, that_somebody_guesses_at_is_given_up_by_all_its_questions) {
  std::atomic<int> over_tcp = 0;
  scripted_upstream upstream(when_all_are_asked(
      [](const packets& asked) {
        std::set<unsigned> ids;
        for (const auto& one : asked) ids.insert(load16(one.data()));
        packets out;
        for (unsigned id = 0; out.size() < port_ledger::most_wrong; ++id) {
          if (ids.contains(id)) continue;
          out.push_back(answer_to(asked[0], 0, forged));
          store16(out.back().data(), id);
        }
        // Now the attacker is right, for every question; but nobody listens any more.
        for (const auto& one : asked) out.push_back(answer_to(one, 0, forged));
        return out;
      },
      over_tcp));
  sharing s(upstream);
  const auto worker = s.make();
  const udp_client client(s.port);
  ask_all(client);
  expect_right_answers(client);
  EXPECT_EQ(over_tcp, static_cast<int>(together));
}

TEST(shared_port, takes_an_answer_that_comes_twice_for_no_guess) {
  std::atomic<int> over_tcp = 0;
  scripted_upstream upstream(when_all_are_asked(
      [](const packets& asked) {
        packets out;
        for (const auto& one : asked) out.insert(out.end(), 3, right_answer(one));
        return out;
      },
      over_tcp));
  sharing s(upstream);
  const auto worker = s.make();
  const udp_client client(s.port);
  ask_all(client);
  expect_right_answers(client);
  EXPECT_EQ(over_tcp, 0);
}

TEST(shared_port, is_followed_by_another_one_when_it_has_taken_its_share) {
  scripted_upstream upstream([](const packet& asked, auto) { return packets{right_answer(asked)}; });
  sharing s(upstream);
  s.config.cache.bytes = 0;
  const auto worker = s.make();
  const udp_client client(s.port);
  for (int round = 0; round < 10; ++round) {
    ask_all(client);
    expect_right_answers(client);
  }
  EXPECT_EQ(upstream.asked(), static_cast<int>(10 * together)) << "each was sent, once";
}

}  // namespace
}  // namespace egress::dns::test
