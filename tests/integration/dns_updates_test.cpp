// A packet loop whose table changes all the time: for 5 seconds, or for EGRESS_LOAD_SECONDS on a machine that
// has nothing else to do, where the bound of times is the one we promise.

#include <cstdlib>
#include <random>

#include "runtime/kube/object.hpp"
#include "tests/support/sanitized.hpp"
#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

const char* const asked_seconds = std::getenv("EGRESS_LOAD_SECONDS");

std::chrono::seconds how_long() {
  return std::chrono::seconds{asked_seconds ? std::atoi(asked_seconds) : 5};
}

constexpr int names = 10'000;

kube::object_ptr make(kube::kind of, int i, int version) {
  auto made = std::make_shared<kube::object>();
  made->of = of;
  made->meta.name = "s" + std::to_string(i);
  if (of == kube::kind::service) {
    kube::child body;
    body.hijack_label = "true";
    body.dns_name = "host-" + std::to_string(i) + ".example.com";
    body.cluster_ips = {fmt::format("10.{}.{}.{}", version >> 16 & 255, version >> 8 & 255, version & 255)};
    made->body = std::move(body);
  } else {
    kube::external_service body;
    body.spec.hijack_dns = true;
    made->body = std::move(body);
  }
  return made;
}

// Changes names one after the other, 1,000 a second, and hands each new table to a worker. An address holds
// the number of the change that made it.
class changes {
 public:
  changes() {
    for (int i = 0; i < names; ++i) {
      services_.put(make(kube::kind::service, i, 0));
      external_services_.put(make(kube::kind::external_service, i, 0));
    }
    build();
  }
  std::shared_ptr<const hijack_table> table() const { return table_; }
  static constexpr int per_second = 1000;

  void run(worker& on, steady_clock::time_point end) {
    const auto began = steady_clock::now();
    while (steady_clock::now() < end) {
      const auto due = (steady_clock::now() - began) * per_second / 1s;
      if (made_ >= due) std::this_thread::sleep_until(began + (made_ + 1) * 1s / per_second);
      while (made_ < due) {
        ++made_;
        services_ = services_.with(make(kube::kind::service, made_ % names, made_));
      }
      build();
      begun_ = made_;
      on.set_table(table_);
      shown_ = std::exchange(given_, made_);
      ++tables_;
    }
  }
  // The newest change that may be seen by now.
  int begun() const { return begun_; }
  // The newest one that every answer to a later question knows of: of the last table but one, as the loop may
  // be reading packets while it is given the last.
  int shown() const { return shown_; }
  // The newest of a name's up to that one.
  static int newest_of(int name, int up_to) {
    const int newest = up_to - ((up_to - name) % names + names) % names;
    return std::max(newest, 0);
  }
  int tables() const { return tables_; }

 private:
  void build() { table_ = build_hijack_table(services_, external_services_, table_.get(), {}).table; }
  kube::snapshot services_, external_services_;
  std::shared_ptr<const hijack_table> table_;
  int made_ = 0, given_ = 0;
  std::atomic<int> begun_ = 0, shown_ = 0, tables_ = 0;
};

TEST(dns_updates, a_thousand_changes_a_second_of_ten_thousand_names_lose_and_falsify_no_answer) {
  served s;
  changes all;
  s.table = all.table();
  const auto worker = s.make();
  std::atomic<bool> over = false;
  std::jthread changing([&] {
    all.run(*worker, steady_clock::now() + how_long());
    over = true;
  });
  const udp_client client(s.port);
  std::vector<std::chrono::nanoseconds> took;
  std::vector<int> seen(names);
  std::mt19937 random(7);
  while (!over) {
    const auto i = random() % names;
    const int shown = all.shown();
    const auto began = steady_clock::now();
    client.send(ask{.name = "host-" + std::to_string(i) + ".example.com"}.make());
    const auto got = client.receive();
    took.push_back(steady_clock::now() - began);
    const int newest = all.begun();
    ASSERT_FALSE(got.empty()) << "lost after " << took.size();
    const auto said = read_reply(got);
    ASSERT_EQ(said.answers.size(), 1u);
    const auto& address = said.answers[0].data;
    const int version = address[1] << 16 | address[2] << 8 | address[3];
    ASSERT_TRUE(version == 0 || version % names == static_cast<int>(i)) << "another name's address";
    ASSERT_LE(version, newest);
    ASSERT_GE(version, changes::newest_of(static_cast<int>(i), shown))
        << "an answer of a table before the last";
    ASSERT_GE(version, std::exchange(seen[i], version)) << "an older address than the last time";
  }
  changing.join();
  std::ranges::sort(took);
  const auto p99 = took[took.size() * 99 / 100];
  std::printf("%d changes in %d tables, %zu queries: p50 %ld us, p99 %ld us, worst %ld us\n", all.begun(),
              all.tables(), took.size(), static_cast<long>(took[took.size() / 2].count() / 1000),
              static_cast<long>(p99.count() / 1000), static_cast<long>(took.back().count() / 1000));
  // Else the load was another than the one in this test's name.
  const auto wanted = changes::per_second * how_long().count() * (egress::test::sanitized ? 1 : 9) / 10;
  EXPECT_GE(all.begun(), wanted);
  EXPECT_LT(p99, egress::test::sanitized ? 50ms : asked_seconds ? 2ms : 20ms);
}

}  // namespace
}  // namespace egress::dns::test
