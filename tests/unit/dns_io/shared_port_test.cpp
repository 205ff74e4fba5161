// Questions that share a source port, as they do when more are asked than there are ports for each alone.
#include "actors/dns/port_ledger.hpp"
#include "tests/unit/dns_io/tcp_client.hpp"

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

struct sent_to {
  std::uint16_t port;
  packet datagram;
};
struct asked_from {
  std::uint16_t port;
  packet question;
};

// Holds what it is asked over UDP until that is everything, and then sends what the test says, to the ports
// that it says: how many there are is the clock's doing. Over TCP it answers at once.
class holding_upstream {
 public:
  using all_asked = std::vector<asked_from>;
  using script = std::function<std::vector<sent_to>(const all_asked& asked)>;

  explicit holding_upstream(script then) : then_(std::move(then)) {
    auto opened = open_dns_sockets("127.0.0.1:0", 1);
    EXPECT_TRUE(opened);
    port_ = opened->port;
    sockets_ = std::move(opened->workers[0]);
    thread_ = std::thread([this] { run(); });
  }
  ~holding_upstream() {
    stop_ = true;
    thread_.join();
  }
  upstream_address address() const { return {boost::asio::ip::address_v4::loopback(), port_}; }
  int over_tcp() const { return over_tcp_; }

 private:
  void run() {
    while (!stop_) {
      const int stream = connection_ ? connection_.get() : sockets_.tcp.get();
      std::array<pollfd, 2> want{pollfd{.fd = sockets_.udp.get(), .events = POLLIN, .revents = 0},
                                 pollfd{.fd = stream, .events = POLLIN, .revents = 0}};
      if (::poll(want.data(), want.size(), 20) <= 0) continue;
      if (want[0].revents != 0) take_datagram();
      if (want[1].revents != 0) connection_ ? take_message() : accept();
    }
  }
  void take_datagram() {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    packet p(512);
    const auto got =
        ::recvfrom(sockets_.udp.get(), p.data(), p.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    p.resize(static_cast<std::size_t>(got));
    asked_.push_back({ntohs(from.sin_port), p});
    if (asked_.size() < together) return;
    for (const auto& [port, datagram] : then_(asked_)) {
      const auto at = loopback(port);
      ::sendto(sockets_.udp.get(), datagram.data(), datagram.size(), 0, generic(at), sizeof at);
    }
  }
  void accept() { connection_ = unique_fd(::accept4(sockets_.tcp.get(), nullptr, nullptr, SOCK_CLOEXEC)); }
  void take_message() {
    packet length(2);
    if (::recv(connection_.get(), length.data(), 2, MSG_WAITALL) != 2) return;
    packet p(load16(length.data()));
    ::recv(connection_.get(), p.data(), p.size(), MSG_WAITALL);
    ++over_tcp_;
    const auto answer = framed(right_answer(p));
    ::send(connection_.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
  }

  script then_;
  worker_sockets sockets_;
  std::uint16_t port_ = 0;
  unique_fd connection_;
  std::vector<asked_from> asked_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> over_tcp_ = 0;
  std::thread thread_;
};

struct sharing : served {
  explicit sharing(const upstream_address& upstream) : served({upstream}) {
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

// Asks all, and has the right answers; how many of them over TCP.
int over_tcp_when(holding_upstream::script then) {
  holding_upstream upstream(std::move(then));
  sharing s(upstream.address());
  const auto worker = s.make();
  const udp_client client(s.port);
  ask_all(client);
  expect_right_answers(client);
  return upstream.over_tcp();
}

TEST(shared_port, carries_many_questions_and_their_answers_in_any_order) {
  const auto reversed = [](const auto& asked) {
    std::vector<sent_to> out;
    for (const auto& one : asked) out.insert(out.begin(), {one.port, right_answer(one.question)});
    return out;
  };
  EXPECT_EQ(over_tcp_when(reversed), 0);
}

TEST(shared_port, believes_no_answer_with_the_id_of_another_question) {
  const auto swapped = [](const auto& asked) {
    std::vector<sent_to> out;
    for (std::size_t i = 0; i < port_ledger::most_wrong - 1; ++i) {
      if (asked[i].port != asked[i + 1].port) continue;
      out.push_back({asked[i].port, answer_to(asked[i].question, 0, forged)});
      store16(out.back().datagram.data(), load16(asked[i + 1].question.data()));
    }
    for (const auto& one : asked) out.push_back({one.port, right_answer(one.question)});
    return out;
  };
  EXPECT_EQ(over_tcp_when(swapped), 0);
}

TEST(shared_port, that_somebody_guesses_at_is_given_up_by_all_its_questions) {
  const auto guessed = [](const auto& asked) {
    std::set<unsigned> ids, ports;
    for (const auto& one : asked) ids.insert(load16(one.question.data())), ports.insert(one.port);
    std::vector<sent_to> out;
    for (const auto port : ports)
      for (unsigned id = 0, sent = 0; sent < port_ledger::most_wrong; ++id) {
        if (ids.contains(id)) continue;
        out.push_back({static_cast<std::uint16_t>(port), answer_to(asked[0].question, 0, forged)});
        store16(out.back().datagram.data(), id);
        ++sent;
      }
    // Now the attacker is right, for every question; but nobody listens any more.
    for (const auto& one : asked) out.push_back({one.port, answer_to(one.question, 0, forged)});
    return out;
  };
  EXPECT_EQ(over_tcp_when(guessed), static_cast<int>(together));
}

TEST(shared_port, takes_an_answer_that_comes_twice_for_no_guess) {
  const auto thrice = [](const auto& asked) {
    std::vector<sent_to> out;
    for (const auto& one : asked) out.insert(out.end(), 3, {one.port, right_answer(one.question)});
    return out;
  };
  EXPECT_EQ(over_tcp_when(thrice), 0);
}

TEST(shared_port, is_followed_by_another_one_when_it_has_taken_its_share) {
  scripted_upstream upstream([](const packet& asked, auto) { return packets{right_answer(asked)}; });
  sharing s(upstream.address());
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
