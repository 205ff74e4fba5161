// Three candidates on one server, under clock skew, lost and late requests and answers, pauses and restarts:
// never may two write at the same time, and once all is quiet one of them does.

#include <gtest/gtest.h>

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <tuple>

#include "actors/leader/election.hpp"

namespace egress::leader {
namespace {

using namespace std::chrono_literals;
using verb = lease_request::verb;
using true_time = std::chrono::nanoseconds;

// The API server's part: optimistic concurrency on one object.
struct server {
  std::optional<lease> kept;
  int version = 0;

  lease_answer take(const lease_request& request) {
    if (request.what == verb::get) return kept ? lease_answer{*kept} : lease_answer{lease_missing{}};
    if (request.what == verb::create && kept) return lease_conflict{};
    if (request.what == verb::replace && !kept) return lease_missing{};
    auto document = boost::json::parse(request.body).as_object();
    auto& meta = document["metadata"].as_object();
    if (request.what == verb::replace && meta["resourceVersion"].as_string() != kept->resource_version)
      return lease_conflict{};
    meta["resourceVersion"] = std::to_string(++version);
    kept = *decode_lease(boost::json::serialize(document));
    return *kept;
  }
};

struct replica {
  std::unique_ptr<election> machine;
  write_deadline deadline;
  true_time offset{}, paused_until{};
  double rate = 1;     // of its clock
  int generation = 0;  // of its process
  std::uint64_t request = 0, answered = 0, timer = 0;

  boot_time clock(true_time now) const {
    return boot_time{offset + true_time{static_cast<std::int64_t>(static_cast<double>(now.count()) * rate)}};
  }
  true_time true_time_of(boot_time local) const {
    const auto since = static_cast<double>((local.time_since_epoch() - offset).count());
    return true_time{static_cast<std::int64_t>(since / rate) + 1};
  }
};

class simulation {
 public:
  explicit simulation(unsigned seed) : random_(seed) {
    for (auto& one : replicas_) {
      one.offset = true_time{pick(0, 1'000'000)} * 1'000'000;
      one.rate = 1 + chance() * 0.004 - 0.002;
      boot(one);
    }
  }

  // Faults until `faulty`, then quiet until `end`.
  void run(true_time faulty, true_time end) {
    faulty_until_ = faulty;
    for (auto when = 5s; when < faulty; when += std::chrono::seconds{pick(1, 40)})
      at(when, [this] { disturb(replicas_[static_cast<std::size_t>(pick(0, 2))]); });
    while (!events_.empty() && events_.top().when <= end) {
      const auto next = events_.top();
      events_.pop();
      now_ = next.when;
      next.act();
      check();
    }
    now_ = end;
  }

  int writers() const {
    int count = 0;
    for (const auto& one : replicas_) count += one.deadline.open_at(one.clock(now_), 0) ? 1 : 0;
    return count;
  }
  int gained() const { return gained_; }

 private:
  struct event {
    true_time when;
    std::uint64_t order;
    std::function<void()> act;
    bool operator<(const event& other) const {
      return std::tie(other.when, other.order) < std::tie(when, order);
    }
  };

  std::int64_t pick(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>{least, most}(random_);
  }
  double chance() { return std::uniform_real_distribution<>{0, 1}(random_); }
  bool faulty() const { return now_ < faulty_until_; }
  void at(true_time when, std::function<void()> act) { events_.push({when, ++order_, std::move(act)}); }

  // Who is paused finds all that happened meanwhile when it wakes.
  void deliver(replica& to, int generation, std::function<void()> act) {
    if (to.generation != generation) return;
    if (now_ < to.paused_until)
      at(to.paused_until, [=, this, &to] { deliver(to, generation, act); });
    else
      act();
  }

  moment moment_of(const replica& of) { return {of.clock(now_), wall_time{} + 20000h, chance()}; }

  void apply(replica& to, const step& made) {
    to.deadline.move_to(made.write_until);
    if (made.leadership == step::change::gained) ++gained_;
    if (made.finished) return boot(to);
    if (made.send) send(to, *made.send);
    const auto timer = ++to.timer;
    if (made.wake_at == boot_time::max()) return;
    at(std::max(now_ + 1ns, to.true_time_of(made.wake_at)), [=, this, &to, generation = to.generation] {
      deliver(to, generation, [=, this, &to] {
        if (timer == to.timer) apply(to, to.machine->on_timer(moment_of(to)));
      });
    });
  }

  // A request may arrive late, after its sender gave up, or never; so may its answer.
  void send(replica& from, const lease_request& request) {
    const auto id = ++from.request;
    const auto generation = from.generation;
    const bool lost = faulty() && chance() < 0.15;
    const bool answer_lost = faulty() && chance() < 0.15;
    const true_time way =
        true_time{pick(1, 50)} * 1'000'000 + (faulty() && chance() < 0.1 ? 1s * pick(1, 60) : 0s);
    const auto reply = [=, this, &from](const lease_answer& answer) {
      deliver(from, generation, [=, this, &from] {
        if (id != from.request || from.answered == id) return;
        from.answered = id;
        apply(from, from.machine->on_answer(answer, moment_of(from)));
      });
    };
    if (!lost)
      at(now_ + way, [=, this] {
        const auto answer = server_.take(request);
        const true_time back =
            true_time{pick(1, 50)} * 1'000'000 + (faulty() && chance() < 0.1 ? 1s * pick(1, 10) : 0s);
        if (!answer_lost) at(now_ + back, [=] { reply(answer); });
        announce();
      });
    at(now_ + 5s, [=] { reply(lease_failure{"timed out"}); });
  }

  // The watch: late, and in the quiet part in time.
  void announce() {
    if (!server_.kept) return;
    for (auto& one : replicas_)
      at(now_ + true_time{pick(1, faulty() ? 8000 : 50)} * 1'000'000,
         [this, &one, seen = *server_.kept, generation = one.generation] {
           deliver(one, generation,
                   [this, &one, seen] { apply(one, one.machine->on_watch(&seen, moment_of(one))); });
         });
  }

  void disturb(replica& victim) {
    const auto kind = pick(0, 3);
    if (kind == 0) {
      boot(victim);  // killed: nothing is handed on
    } else if (kind == 1) {
      deliver(victim, victim.generation,
              [this, &victim] { apply(victim, victim.machine->stop(moment_of(victim))); });
    } else {
      victim.paused_until = std::max(victim.paused_until, now_ + 1s * pick(1, 90));
    }
  }

  void boot(replica& one) {
    ++one.generation;
    one.paused_until = now_;
    one.deadline.move_to(boot_time::min());
    const auto name = fmt::format("replica-{}-{}", &one - replicas_.data(), one.generation);
    one.machine = std::make_unique<election>(election_settings{.name_space = "ns", .identity = name});
    at(now_ + 1s, [this, &one, generation = one.generation] {
      deliver(one, generation, [this, &one] { apply(one, one.machine->start(moment_of(one))); });
    });
  }

  void check() const { ASSERT_LE(writers(), 1) << "at " << now_.count() / 1e9 << " s"; }

  std::mt19937_64 random_;
  server server_;
  std::array<replica, 3> replicas_;
  std::priority_queue<event> events_;
  true_time now_{}, faulty_until_{};
  std::uint64_t order_ = 0;
  int gained_ = 0;
};

TEST(ManyCandidates, NeverWriteAtTheSameTimeWhateverGoesWrong) {
  int gained = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    simulation world{seed};
    world.run(600s, 720s);
    if (::testing::Test::HasFatalFailure()) return;
    gained += world.gained();
    EXPECT_EQ(world.writers(), 1) << "nobody leads although all is quiet";
  }
  EXPECT_GT(gained, 180);  // leadership really moved about
}

}  // namespace
}  // namespace egress::leader
