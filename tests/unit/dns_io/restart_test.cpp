// Under load a worker is replaced again and again: no query is lost, since its sockets stay.
#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {
namespace {

TEST(restart, under_load_loses_no_query) {
  served s;
  auto worker = s.make();
  const udp_client client(s.port);
  constexpr unsigned total = 20'000, window = 200;
  std::atomic<unsigned> received = 0, sent = 0;
  std::atomic<bool> lost = false;
  std::thread reader([&] {
    while (received < total) {
      if (client.receive().empty()) {
        lost = true;
        return;
      }
      ++received;
    }
  });
  std::thread sender([&] {
    const auto p = ask{}.make();
    for (; sent < total && !lost; ++sent) {
      while (sent - received >= window && !lost) std::this_thread::yield();
      client.send(p);
    }
  });
  unsigned restarts = 0;
  while (received < total && !lost) {
    const unsigned until = received + total / 50;
    while (received < until && received < total && !lost) std::this_thread::yield();
    if (restarts % 2 == 0) worker->inject_failure("test");
    worker.reset();
    worker = s.make();
    ++restarts;
  }
  sender.join();
  reader.join();
  EXPECT_FALSE(lost) << received << " of " << sent << " answered, " << s.counters->send_failures.value()
                     << " not sent, " << s.counters->dropped.value() << " dropped";
  EXPECT_GE(restarts, 20u);
}

}  // namespace
}  // namespace egress::dns::test
