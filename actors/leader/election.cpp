#include "actors/leader/election.hpp"

#include <algorithm>
#include <utility>

namespace egress::leader {
namespace {

using verb = lease_request::verb;

constexpr int most_release_tries = 2;  // the second after a conflict, with what a get says

}  // namespace

step election::start(const moment& now) {
  step out;
  send(verb::get, {}, now, out);
  return finish(std::move(out));
}

step election::on_timer(const moment& now) {
  step out;
  expire(now, out);
  if (!stopping_ && !in_flight_ && now.local >= next_try_) {
    if (leads_)
      acquire_or_renew(now, out);
    else
      send(verb::get, {}, now, out);
  }
  return finish(std::move(out));
}

step election::on_answer(const lease_answer& answer, const moment& now) {
  step out;
  expire(now, out);
  if (!in_flight_) return finish(std::move(out));
  const auto flight = *std::exchange(in_flight_, std::nullopt);
  wait(now);
  if (const auto* seen = std::get_if<lease>(&answer)) {
    if (flight.what == verb::get || stopping_)
      observe(*seen, now);
    else
      accept_renewal(*seen, flight.started, now, out);
  } else if (std::holds_alternative<lease_missing>(answer)) {
    forget(now);
  } else if (const auto* failure = std::get_if<lease_failure>(&answer)) {
    // A loss that was noticed just now is told before.
    out.text += (out.text.empty() ? "lease request failed: " : "; lease request failed: ") + failure->why;
  }
  after_answer(flight.what, answer, now, out);
  return finish(std::move(out));
}

void election::after_answer(verb asked, const lease_answer& answer, const moment& now, step& out) {
  const bool failed = std::holds_alternative<lease_failure>(answer);
  const bool conflict = std::holds_alternative<lease_conflict>(answer);
  if (stopping_ && (failed || (released_ && !conflict))) {
    finished_ = true;
  } else if (conflict) {
    released_ = false;
    send(verb::get, {}, now, out);
  } else if (stopping_) {
    release(now, out);
  } else if (asked == verb::get && !failed) {
    decide(now, out);
  } else if (std::holds_alternative<lease_missing>(answer)) {
    give_up(out, "the Lease is gone");
  }
  if (std::exchange(look_again_, false) && !in_flight_ && !leads_ && !stopping_)
    send(verb::get, {}, now, out);
}

step election::on_watch(const lease* seen, const moment& now) {
  step out;
  expire(now, out);
  if (!seen) {
    forget(now);
    return finish(std::move(out));
  }
  const bool ours = seen->record.holder == settings_.identity;
  // A leader asks before it believes: an old event may come behind its own renewal.
  if (leads_) {
    if (!ours && !in_flight_) send(verb::get, {}, now, out);
    return finish(std::move(out));
  }
  observe(*seen, now);
  if (seen->record.holder.empty() && in_flight_) look_again_ = true;
  if (seen->record.holder.empty() && !in_flight_ && !stopping_) decide(now, out);
  return finish(std::move(out));
}

step election::stop(const moment& now) {
  step out;
  if (!stopping_) give_up(out, "shutting down");
  stopping_ = true;
  if (!in_flight_ && !finished_) release(now, out);
  return finish(std::move(out));
}

// A pause may have been longer than the time we had.
void election::expire(const moment& now, step& out) {
  if (leads_ && now.local >= write_until_) give_up(out, "the Lease was not renewed in time");
}

void election::observe(const lease& seen, const moment& now) {
  if (!observed_ || observed_->resource_version != seen.resource_version) observed_at_ = now.local;
  observed_ = seen;
  const auto& record = seen.record;
  // Handed on: its holder stopped writing before it said so.
  if (record.holder.empty()) held_until_ = boot_time::min();
  if (record.holder.empty() || record.holder == settings_.identity) return;
  // A holder with other settings may count on more time than ours, and never on less than ours is safe.
  constexpr std::int64_t longest = 24 * 3600;
  const std::chrono::seconds theirs{std::clamp<std::int64_t>(record.duration_seconds, 0, longest)};
  held_until_ = observed_at_ + std::max(theirs, settings_.lease_duration);
}

// Deleted by hand: whoever held it, we too, may not know yet, so held_until_ stays.
void election::forget(const moment& now) {
  if (!observed_) return;
  observed_.reset();
  observed_at_ = now.local;
}

void election::give_up(step& out, std::string why) {
  write_until_ = boot_time::min();
  if (!leads_) return;
  leads_ = false;
  out.leadership = step::change::lost;
  out.text = "no longer the leader: " + why;
}

// The time we may write counts from before the request went out: whoever sees the renewal sees it later.
void election::accept_renewal(const lease& mine, boot_time started, const moment& now, step& out) {
  observe(mine, now);
  const auto until = started + settings_.renew_deadline;
  if (mine.record.holder != settings_.identity || now.local >= until) {
    give_up(out, "a renewal came too late");
    return;
  }
  write_until_ = until;
  next_try_ = started + settings_.retry_period;
  if (leads_) return;
  leads_ = true;
  out.leadership = step::change::gained;
  out.text = "leader now";
}

void election::decide(const moment& now, step& out) {
  if (observed_ && !observed_->record.holder.empty() && observed_->record.holder != settings_.identity)
    give_up(out, "the Lease is held by " + observed_->record.holder);
  if (!held_by_other(now)) acquire_or_renew(now, out);
}

void election::acquire_or_renew(const moment& now, step& out) {
  const auto record = renewed(now);
  if (observed_)
    send(verb::replace, encode_lease(*observed_, record), now, out);
  else
    send(verb::create, encode_new_lease(settings_.name_space, settings_.name, record), now, out);
}

// The Lease without holder, valid for a second, as client-go leaves it: candidates take it at once.
void election::release(const moment& now, step& out) {
  if (!observed_ || observed_->record.holder != settings_.identity || release_tries_ == most_release_tries) {
    finished_ = true;
    return;
  }
  ++release_tries_;
  released_ = true;
  const auto time = to_rfc3339_micro(now.wall);
  const lease_record nobody{"", 1, time, time, observed_->record.transitions};
  send(verb::replace, encode_lease(*observed_, nobody), now, out);
}

void election::wait(const moment& now) {
  const std::chrono::duration<double> period = settings_.retry_period;
  const auto jittered = leads_ ? period : period * (1 + settings_.jitter * now.random);
  next_try_ = now.local + std::chrono::duration_cast<std::chrono::nanoseconds>(jittered);
}

void election::send(verb what, std::string body, const moment& now, step& out) {
  in_flight_ = flight{what, now.local};
  out.send = lease_request{what, std::move(body)};
}

bool election::held_by_other(const moment& now) const {
  return now.local < held_until_;
}

lease_record election::renewed(const moment& now) const {
  const auto time = to_rfc3339_micro(now.wall);
  const auto duration = settings_.lease_duration.count();
  if (!observed_) return {settings_.identity, duration, time, time, 0};
  const auto& before = observed_->record;
  if (before.holder == settings_.identity)
    return {settings_.identity, duration, before.acquire_time, time, before.transitions};
  const auto transitions = std::clamp<std::int64_t>(before.transitions, 0, 1'000'000'000) + 1;
  return {settings_.identity, duration, time, time, transitions};
}

// A leader wakes for its next renewal, and at the latest when it must know that it is none any more.
step election::finish(step out) const {
  out.write_until = write_until_;
  out.wake_at = in_flight_ ? boot_time::max() : next_try_;
  if (leads_) out.wake_at = std::min(out.wake_at, write_until_);
  out.finished = finished_;
  return out;
}

}  // namespace egress::leader
