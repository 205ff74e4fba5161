// The machine and its store against a model server, under random interleavings of writes, compaction, cut
// streams, errors, repeated events, refused and half-way streaming lists and an etcd restore. Every run must
// end with the snapshot equal to the server's state, and nothing is published as synced before a complete
// list.

#include <gtest/gtest.h>

#include "actors/informer/watch_machine.hpp"
#include "tests/unit/informer/model_server.hpp"

namespace egress::informer {
namespace {

using testing::contents;
using testing::contents_of;
using testing::model_server;

class simulation {
 public:
  explicit simulation(unsigned seed)
      : server_(seed),
        mode_(static_cast<model_server::streaming>(server_.below(3))),
        defined_(!server_.chance(20)),
        machine_({kube::kind::service, "ns", "app=egress-gateway", !server_.chance(30)}) {}

  void run() {
    perform(machine_.start());
    for (int step = 0; step < 300 && !::testing::Test::HasFailure(); ++step) faulty_step();
    defined_ = true;
    int steps = 0;
    while (!settled() && steps < 5'000 && !::testing::Test::HasFailure()) {
      calm_step();
      ++steps;
    }
    ASSERT_TRUE(settled()) << "it never caught up";
    EXPECT_EQ(contents_of(machine_.current().objects), server_.now());
    EXPECT_EQ(consumer_, server_.now()) << "somebody who follows the published names missed one";
    EXPECT_EQ(machine_.unready_reason(), "");
  }

 private:
  moment at() { return {now_, static_cast<double>(server_.below(1000)) / 1000}; }

  void perform(const outcome& what) {
    for (const auto& command : what.commands) std::visit([this](const auto& one) { take(one); }, command);
    EXPECT_LE(list_.has_value() + reading_, 1) << "two questions at once";
    if (!what.published) return;
    EXPECT_TRUE(machine_.current().synced);
    EXPECT_TRUE(complete_list_) << "synced before a list was complete";
    const auto all = contents_of(machine_.current().objects);
    for (const auto& name : what.published->names) {
      if (const auto found = all.find(name); found != all.end())
        consumer_[name] = found->second;
      else
        consumer_.erase(name);
    }
    EXPECT_EQ(consumer_, all);
  }

  void take(const list_command& what) { list_ = what; }
  void take(const open_watch_command& what) {
    asked_ = what;
    stream_ = server_.open(what.what, mode_);
    opened_ = now_;
    reading_ = true;
    if (!defined_) stream_->refusal = missing();
  }
  void take(const next_chunk_command& what) {
    EXPECT_EQ(what.id, asked_.id);
    reading_ = true;
  }
  void take(const close_watch_command& what) {
    EXPECT_EQ(what.id, asked_.id);
    stream_.reset();
    reading_ = false;
  }
  void take(const wait_command& what) { timers_.emplace(now_ + what.duration, what.id); }

  static kube::api_error missing() {
    return {kube::api_errc::not_found, 404, "NotFound", "no such kind", {}};
  }
  kube::api_error some_error() {
    using enum kube::api_errc;
    constexpr std::array codes{transport, timed_out,    server_error, too_many_requests, malformed,
                               gone,      unauthorized, too_large,    version_too_large};
    return {codes[server_.below(codes.size())], 0, "Fault", "injected", {}};
  }

  void faulty_step() {
    now_ += milliseconds(server_.below(50));
    switch (server_.below(15)) {
      case 0:
      case 1:
      case 2:
        return write();
      case 3:
        if (server_.chance(30)) server_.compact();
        return;
      case 4:
        return etcd();
      case 5:
        if (server_.chance(10)) defined_ = true;
        return;
      case 6:
        return silence();
      case 7:
        return fire_timer();
      case 8:
      case 9:
      case 10:
        return answer_list(true);
      case 11:
        return list_anew();
      default:
        return answer_watch(true);
    }
  }

  void calm_step() {
    if (list_) return answer_list(false);
    if (reading_ && !(stream_->deaf || half_deaf())) return answer_watch(false);
    if (reading_ && stream_->deaf) return silence();
    fire_timer();
  }

  // The wish for initial events was ignored: their end never comes.
  bool half_deaf() const {
    return machine_.state() == watch_state::streaming && mode_ == model_server::streaming::ignored &&
           stream_->initial.empty() && server_.caught_up(*stream_);
  }

  bool settled() {
    return machine_.state() == watch_state::watching && reading_ && !stream_->deaf && !stream_->refusal &&
           server_.is_current(*stream_) && server_.caught_up(*stream_) && !server_.fell_behind(*stream_);
  }

  // After a restore nothing is written before the next list: versions that are used again for something else
  // are beyond what any client can notice.
  void write() {
    if (!restored_) server_.write();
  }

  void etcd() {
    if (!server_.has_backup() || server_.chance(50)) return server_.save_backup();
    if (!server_.chance(20)) return;
    server_.restore();
    restored_ = true;
  }

  void list_anew() {
    if (!server_.chance(20)) return;
    list_.reset();  // its answer would be ignored
    perform(machine_.list_anew());
  }

  void fire_timer() {
    if (timers_.empty()) return;
    const auto [due, id] = *timers_.begin();
    timers_.erase(timers_.begin());
    now_ = std::max(now_, due);
    perform(machine_.timer(id, at()));
  }

  void answer_list(bool faulty) {
    if (!list_) return;
    const auto what = *std::exchange(list_, std::nullopt);
    if (!defined_) return perform(machine_.listed(what.id, std::unexpected(missing()), at()));
    if (faulty && server_.chance(25))
      return perform(machine_.listed(what.id, std::unexpected(some_error()), at()));
    const auto reply = server_.list(what.what);
    const bool question = what.what.limit == 1;
    if (reply && !question && std::get<kube::list_page>(*reply).continue_token.empty()) listed();
    perform(machine_.listed(what.id, reply, at()));
  }

  void listed() {
    complete_list_ = true;
    restored_ = false;
  }

  void end_stream(std::optional<kube::api_error> why, std::vector<kube::watch_event> events = {}) {
    note(events);
    reading_ = false;
    stream_.reset();
    perform(machine_.chunk(asked_.id, {std::move(events), true, std::move(why)}, at()));
  }

  void note(const std::vector<kube::watch_event>& events) {
    if (std::ranges::any_of(events, &kube::watch_event::initial_events_end)) listed();
  }

  void answer_watch(bool faulty) {
    if (!reading_) return;
    if (stream_->refusal) return end_stream(stream_->refusal);
    // A restore cuts every stream.
    if (!server_.is_current(*stream_)) return end_stream(some_cut());
    if (server_.fell_behind(*stream_))
      return end_stream(kube::api_error{kube::api_errc::gone, 410, "Gone", "too old", {}});
    if (stream_->deaf || (half_deaf() && server_.caught_up(*stream_))) return;
    if (faulty && server_.chance(12)) return end_stream(some_error());
    if (faulty && server_.chance(12)) return end_stream(std::nullopt);
    auto events = server_.read(*stream_, faulty);
    if (faulty && server_.chance(12)) return end_stream(some_cut(), std::move(events));
    note(events);
    reading_ = false;
    perform(machine_.chunk(asked_.id, {std::move(events), false, {}}, at()));
  }

  static kube::api_error some_cut() { return {kube::api_errc::transport, 0, "", "connection reset", {}}; }

  // Nothing is heard until the server ends the watch by itself.
  void silence() {
    if (!reading_ || stream_->refusal || !(stream_->deaf || server_.caught_up(*stream_))) return;
    now_ = std::max(now_, opened_ + asked_.what.timeout);
    end_stream(server_.chance(50)
                   ? std::nullopt
                   : std::optional(kube::api_error{kube::api_errc::timed_out, 0, "", "silent", {}}));
  }

  model_server server_;
  model_server::streaming mode_;
  bool defined_;
  watch_machine machine_;
  steady_time now_{std::chrono::hours(1)}, opened_{};

  std::optional<list_command> list_;
  open_watch_command asked_;
  std::optional<model_server::stream> stream_;
  bool reading_ = false;
  std::multimap<steady_time, ticket> timers_;

  bool complete_list_ = false;
  bool restored_ = false;
  contents consumer_;
};

TEST(WatchModel, EndsWithTheServersStateWhateverGoesWrong) {
  for (unsigned seed = 0; seed < 10'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    simulation(seed).run();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace egress::informer
