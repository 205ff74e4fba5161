// Somebody who answers in an upstream's place.
#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {
namespace {

using packets = std::vector<packet>;

const packet real{192, 0, 2, 1}, forged{6, 6, 6, 6};

// Sends as an upstream's script does, but from a socket of its own.
class attacker {
 public:
  attacker() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
  void send(const packet& p, std::uint16_t to) const {
    const auto at = loopback(to);
    ::sendto(fd_.get(), p.data(), p.size(), 0, generic(at), sizeof at);
  }

 private:
  unique_fd fd_;
};

TEST(spoofing, the_right_answer_from_another_socket_never_gets_in) {
  const attacker other;
  scripted_upstream upstream([&](const packet& asked, auto) {
    // It knows all but the upstream's socket: id, question and port.
    for (int i = 0; i < 20; ++i) other.send(answer_to(asked, 0, forged), upstream.asked_from());
    return packets{answer_to(asked, 0, real)};
  });
  served s({upstream.address()});
  s.be_patient();
  const auto worker = s.make();
  const udp_client client(s.port);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(client.ask_for({.name = "n" + std::to_string(i) + ".org"}).answers.at(0).data, real);
  EXPECT_GE(upstream.asked(), 20) << "each question has met the attacker";
}

TEST(spoofing, a_flood_of_guesses_at_the_id_moves_the_question_to_tcp) {
  std::atomic<int> over_tcp = 0;
  // From the upstream's own address, as one who forges it sends.
  scripted_upstream upstream([&](const packet& asked, transport via) {
    if (via == transport::tcp) return ++over_tcp, packets{answer_to(asked, 0, real)};
    packets guesses;
    for (unsigned i = 1; i <= 100; ++i) {
      auto guess = answer_to(asked, 0, forged);
      store16(guess.data(), (load16(asked.data()) + i) & 0xffffu);
      guesses.push_back(guess);
    }
    // Too late: by now nobody listens for it.
    guesses.push_back(answer_to(asked, 0, forged));
    return guesses;
  });
  served s({upstream.address()});
  s.be_patient();
  const auto worker = s.make();
  const udp_client client(s.port);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(client.ask_for({.name = "n" + std::to_string(i) + ".org"}).answers.at(0).data, real);
  EXPECT_EQ(over_tcp, 20);
}

TEST(spoofing, ids_and_ports_are_not_to_be_foreseen) {
  std::mutex mutex;
  std::set<unsigned> ids, ports;
  scripted_upstream upstream([&](const packet& asked, auto) {
    const std::scoped_lock lock(mutex);
    ids.insert(load16(asked.data()));
    ports.insert(upstream.asked_from());
    return packets{answer_to(asked)};
  });
  served s({upstream.address()});
  s.be_patient();
  const auto worker = s.make();
  const udp_client client(s.port);
  for (int i = 0; i < 50; ++i) client.ask_for({.name = "n" + std::to_string(i) + ".org"});
  const std::scoped_lock lock(mutex);
  EXPECT_GT(ids.size(), 45u);
  EXPECT_GT(ports.size(), 45u);
  EXPECT_GT(*ids.rbegin() - *ids.begin(), 10'000u) << "spread out";
}

}  // namespace
}  // namespace egress::dns::test
