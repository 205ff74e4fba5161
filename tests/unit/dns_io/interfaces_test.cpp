// Answers on the wire: by which of a host's interfaces they leave, and in how many pieces.
#include "tests/unit/dns_io/own_network.hpp"

namespace egress::dns::test {
namespace {

constexpr std::size_t ip_header = 20, headers = ip_header + 8;

using host = std::array<std::uint8_t, 4>;
constexpr host asked_address{10, 1, 0, 1}, neighbour{10, 1, 0, 7}, far_client{10, 2, 0, 7};

// RFC 1071. Of an even number of bytes.
std::size_t checksum(bytes of) {
  std::size_t sum = 0;
  for (std::size_t at = 0; at < of.size(); at += 2) sum += load16(&of[at]);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

packet ip_packet(const host& from, unsigned protocol, const packet& payload) {
  packet p;
  for (const unsigned field :
       {0x4500u, static_cast<unsigned>(ip_header + payload.size()), 0u, 0u, 0x4000u | protocol, 0u})
    put16(p, field);
  p.insert(p.end(), from.begin(), from.end());
  p.insert(p.end(), asked_address.begin(), asked_address.end());
  store16(&p[10], checksum(p));
  p.insert(p.end(), payload.begin(), payload.end());
  return p;
}

// UDP may go without a checksum.
packet query_from(const host& from, const ask& what, std::uint16_t port) {
  const auto message = what.make();
  packet p;
  for (const unsigned field : {5000u, unsigned{port}, static_cast<unsigned>(8 + message.size()), 0u})
    put16(p, field);
  p.insert(p.end(), message.begin(), message.end());
  return ip_packet(from, IPPROTO_UDP, p);
}

// What a router would say that cannot send on this packet of ours whole, and anybody may say in its place.
packet fragmentation_needed(const packet& about, unsigned largest) {
  packet p{3, 4};
  for (const unsigned field : {0u, 0u, largest}) put16(p, field);
  p.insert(p.end(), about.begin(), about.begin() + headers);
  store16(&p[2], checksum(p));
  return ip_packet(neighbour, IPPROTO_ICMP, p);
}

// What comes by an interface that would not be gone back by is taken all the same. False when it cannot be
// had.
bool let_all_in() {
  for (const std::string which : {"all", "default"}) {
    const auto path = "/proc/sys/net/ipv4/conf/" + which + "/rp_filter";
    std::ofstream(path) << 0;
    int now = -1;
    std::ifstream(path) >> now;
    if (now != 0) return false;
  }
  return true;
}

// Runs it in a network of its own, with what to listen on. False without the right to make one.
template <class Test>
bool in_own_networks(Test&& run) {
  for (const auto* listens : {"0.0.0.0:0", ":0"}) {
    bool tried = false;
    std::thread([&] {
      SCOPED_TRACE(listens);
      tried = enter_own_network() && let_all_in() && tun_interface("trial", "10.0.0.1");
      if (tried) run(listens);
    }).join();
    if (!tried) return false;
  }
  return true;
}

// The client asks an address of the first interface, and by that one, but lives behind the second.
void ask_across(const std::string& listens) {
  const tun_interface first("first", "10.1.0.1"), second("second", "10.2.0.1");
  ASSERT_TRUE(first && second);
  served s({}, 1, listens);
  const auto worker = s.make();
  first.send(query_from(far_client, {.id = 77}, s.port));
  const auto answer = second.receive();
  ASSERT_GT(answer.size(), headers) << "by no interface, or the one that it was asked by";
  EXPECT_TRUE(std::ranges::equal(asked_address, bytes(answer).subspan(12, 4)));
  EXPECT_TRUE(std::ranges::equal(far_client, bytes(answer).subspan(16, 4)));
  EXPECT_EQ(read_reply(bytes(answer).subspan(headers)).id, 77u);
  EXPECT_TRUE(first.receive(0).empty());
}

// As where traffic comes in by another way than it goes out: nothing would come that way.
TEST(interfaces, the_route_to_the_client_is_that_of_its_answer) {
  if (!in_own_networks(ask_across)) GTEST_SKIP() << "no right to make a network and its interfaces";
}

// RFC 9715: a fragment but the first can be replaced by whoever guesses 16 bits.
void ask_in_spite_of_forged_errors(const std::string& listens) {
  const tun_interface wire("wire", "10.1.0.1");
  ASSERT_TRUE(wire);
  scripted_upstream upstream(
      [](const packet& asked, auto) { return std::vector<packet>{answer_to(asked, 0, packet(1000))}; });
  served s({upstream.address()}, 1, listens);
  s.be_patient();
  const auto worker = s.make();
  for (int times = 0; times < 3; ++times) {
    wire.send(query_from(neighbour, {.name = "other.org", .type = rr::txt, .edns = true}, s.port));
    const auto answer = wire.receive();
    ASSERT_GT(answer.size(), headers + 1000) << times;
    EXPECT_EQ(load16(&answer[6]), 0u) << "neither a fragment, nor to be sent back as too long";
    wire.send(fragmentation_needed(answer, 576));
  }
}

TEST(interfaces, answers_leave_whole_whoever_says_that_the_path_takes_less) {
  if (!in_own_networks(ask_in_spite_of_forged_errors))
    GTEST_SKIP() << "no right to make a network and its interfaces";
}

}  // namespace
}  // namespace egress::dns::test
