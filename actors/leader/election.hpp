#pragma once
// Leader election on a Lease, as client-go does it, as a machine without I/O: each call takes what happened
// and when, and says what to do next. Two rules are stricter than client-go's. A replica may write only until
// 20 s after the *start* of its last successful renewal, while a candidate waits 30 s from the moment when it
// saw the Lease change: so between the last byte of one leader and the first of the next there are 10 s,
// whatever is lost, late or paused. And a Lease that vanishes counts as held until those 30 s are over.
// (Times here are those of the default lease of 30 s; others keep the proportion.)
// (There is no fencing: who deletes the Lease by hand and starts a new replica within 20 s has two writers.)
//
// One request is in flight at most. Not thread-safe: the leader actor owns it.

#include <optional>
#include <string>
#include <variant>

#include "actors/leader/lease.hpp"
#include "actors/leader/write_deadline.hpp"

namespace egress::leader {

struct election_settings {
  std::string name_space, name = "egress-operator";
  std::string identity;                     // unique for each process: host name and something random
  std::chrono::seconds lease_duration{30};  // candidates wait this long
  std::chrono::milliseconds renew_deadline{20'000};  // the leader may write this long
  std::chrono::milliseconds retry_period{2'000};
  double jitter = 1.2;  // candidates wait retry_period × (1 … 1 + jitter)
  std::chrono::milliseconds request_timeout{5'000};
  // The server must be done with a write before a candidate may be: less than what lies between
  // renew_deadline and lease_duration.
  std::chrono::milliseconds write_timeout{5'000};

  // All of them in the proportion that they have to 30 s.
  static election_settings with_lease(std::chrono::seconds duration) {
    election_settings made;
    made.lease_duration = duration;
    for (auto* one : {&made.renew_deadline, &made.retry_period, &made.request_timeout, &made.write_timeout})
      *one = *one * duration.count() / 30;
    return made;
  }
};

// When something happened. Only `local` decides; `wall` is written into the Lease for people.
struct moment {
  boot_time local;
  wall_time wall;
  double random = 0;  // in [0, 1)
};

// What to ask of the API server. The outcome comes back by on_answer, after request_timeout at the latest.
struct lease_request {
  enum class verb : std::uint8_t { get, create, replace };
  verb what = verb::get;
  std::string body;  // JSON; "" for get
};

// What became of a request.
struct lease_missing {};   // 404
struct lease_conflict {};  // 409
struct lease_failure {     // anything else, and no answer
  std::string why;
};
using lease_answer = std::variant<lease, lease_missing, lease_conflict, lease_failure>;

struct step {
  enum class change : std::uint8_t { none, gained, lost };
  std::optional<lease_request> send;
  boot_time write_until;  // for write_deadline::move_to, before anything else
  boot_time wake_at;      // call on_timer then; replaces what an earlier step said
  change leadership = change::none;
  bool finished = false;  // after stop(): released, or nothing to release
  std::string text;       // one line to log; "" for none
};

class election {
 public:
  explicit election(election_settings settings) : settings_(std::move(settings)) {}

  step start(const moment& now);
  step on_timer(const moment& now);
  step on_answer(const lease_answer& answer, const moment& now);
  // From the watch on the Lease, in any order with answers: null is its deletion.
  step on_watch(const lease* seen, const moment& now);
  // Gives up writing at once and hands the Lease on; call when the last write is answered. `finished` comes
  // in this step or a later one.
  step stop(const moment& now);

  bool leads() const { return leads_; }
  // Who holds the Lease as far as we know; "" when nobody.
  std::string holder() const { return observed_ ? observed_->record.holder : std::string{}; }

 private:
  struct flight {
    lease_request::verb what;
    boot_time started;
  };

  void expire(const moment& now, step& out);
  void observe(const lease& seen, const moment& now);
  void forget(const moment& now);
  void give_up(step& out, std::string why);
  void accept_renewal(const lease& mine, boot_time started, const moment& now, step& out);
  void decide(const moment& now, step& out);
  void acquire_or_renew(const moment& now, step& out);
  void after_answer(lease_request::verb asked, const lease_answer& answer, const moment& now, step& out);
  void release(const moment& now, step& out);
  void wait(const moment& now);
  void send(lease_request::verb what, std::string body, const moment& now, step& out);
  bool held_by_other(const moment& now) const;
  lease_record renewed(const moment& now) const;
  step finish(step out) const;

  election_settings settings_;
  std::optional<lease> observed_;
  boot_time observed_at_{};  // when this resourceVersion was first seen
  boot_time held_until_ =
      boot_time::min();  // somebody else may hold the Lease until then, whatever it says now
  std::optional<flight> in_flight_;
  boot_time next_try_{};
  boot_time write_until_ = boot_time::min();
  bool leads_ = false;
  bool stopping_ = false;
  bool released_ = false;    // the request in flight hands the Lease on
  bool look_again_ = false;  // the Lease was handed on while an older answer was under way
  bool finished_ = false;
  int release_tries_ = 0;
};

}  // namespace egress::leader
