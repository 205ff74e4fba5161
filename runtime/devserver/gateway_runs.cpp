#include "runtime/devserver/gateway_runs.hpp"

#include <utility>

#include "runtime/devserver/cluster.hpp"
#include "runtime/devserver/gateway_plan.hpp"

namespace egress::dev {
namespace {

constexpr unsigned failures_until_unready = 3;
constexpr milliseconds look_while_starting{100}, look_while_ready{1000};

}  // namespace

void gateway_runs::observe(const change& what) {
  if (what.of == &kinds::deployments() || what.of == &kinds::config_maps() || what.of == &kinds::services())
    dirty_.insert(what.key);
}

std::optional<wall_time> gateway_runs::run(wall_time now) {
  for (const auto& key : resting_)
    if (all_[key].rests_until <= now) dirty_.insert(key);
  for (const auto& key : std::exchange(dirty_, {})) decide(key, now);
  std::optional<wall_time> next;
  for (const auto& key : resting_)
    if (const auto at = all_[key].rests_until; !next || at < next) next = at;
  return next;
}

void gateway_runs::decide(const object_key& key, wall_time now) {
  using enum gateway_plan::state;
  auto plan = plan_gateway(on_.objects(), key);
  const bool known = all_.contains(key);
  if (plan.what == none && !known) return;
  auto& one = all_[key];
  if (!known) deployments_.limit_ready(key, 0);
  if (one.number == 0) return decide_without_process(key, one, std::move(plan), now);
  const bool same = plan.what == run && plan.identity == one.identity;
  if (one.ending) return;
  if (same) return deliver(key, one, std::move(plan));
  if (plan.what == waiting) return;
  one.ending = true;
  set_ready(key, one, false);
  orders_.push_back({.what = gateway_order::kind::stop, .key = key, .number = one.number});
}

void gateway_runs::decide_without_process(const object_key& key, gateway& one, gateway_plan plan,
                                          wall_time now) {
  using enum gateway_plan::state;
  // What failed were other pods.
  const bool other = plan.what == run && plan.identity != one.identity;
  if (other || plan.what == none || plan.what == off) {
    one.backoff = {};
    one.rests_until.reset();
  }
  if (one.rests_until && *one.rests_until > now) return;
  resting_.erase(key);
  if (plan.what == run) {
    start(key, one, std::move(plan), now);
  } else if (plan.what == none) {
    all_.erase(key);
    deployments_.limit_ready(key, std::nullopt);
  }
}

std::optional<config_files> gateway_runs::prepared(const object_key& key, gateway& one,
                                                   const gateway_plan& plan) {
  auto files = files_on_this_machine(plan.files, plan.address, resolvers_);
  const auto complaint = files ? std::string{} : files.error().message;
  const bool news = std::exchange(one.complaint, complaint) != complaint;
  if (files) return *std::move(files);
  if (news)
    orders_.push_back({.what = gateway_order::kind::complain, .key = key, .why = std::move(complaint)});
  return std::nullopt;
}

void gateway_runs::deliver(const object_key& key, gateway& one, gateway_plan plan) {
  if (!plan.follows_files() || plan.files == one.mounted) return;
  auto files = prepared(key, one, plan);
  one.mounted = std::move(plan.files);
  if (!files) return;
  orders_.push_back(
      {.what = gateway_order::kind::deliver, .key = key, .number = one.number, .files = *std::move(files)});
}

void gateway_runs::start(const object_key& key, gateway& one, gateway_plan plan, wall_time now) {
  auto files = prepared(key, one, plan);
  if (!files) return;
  one.mounted = std::move(plan.files);
  one.number = ++last_number_;
  one.identity = plan.identity;
  one.began = now;
  one.failures = 0;
  one.rests_until.reset();
  // As pods without a probe are.
  if (plan.ready_port == 0) set_ready(key, one, true);
  orders_.push_back({.key = key,
                     .number = one.number,
                     .files = *std::move(files),
                     .arguments = std::move(plan.arguments),
                     .address = std::move(plan.address),
                     .ready_port = plan.ready_port,
                     .ready_path = std::move(plan.ready_path)});
}

void gateway_runs::set_ready(const object_key& key, gateway& one, bool ready) {
  if (std::exchange(one.ready, ready) == ready) return;
  deployments_.limit_ready(key, ready ? std::nullopt : std::optional<std::int64_t>{0});
}

gateway_runs::look gateway_runs::probed(const object_key& key, std::uint64_t number, bool ready) {
  const auto found = all_.find(key);
  if (found == all_.end() || found->second.number != number || found->second.ending)
    return {look_while_ready, false};
  auto& one = found->second;
  const bool before = one.ready;
  one.failures = ready ? 0 : one.failures + 1;
  if (ready || one.failures >= failures_until_unready) set_ready(key, one, ready);
  return {one.ready ? look_while_ready : look_while_starting, one.ready != before};
}

std::optional<milliseconds> gateway_runs::ended(const object_key& key, std::uint64_t number, wall_time now) {
  const auto found = all_.find(key);
  if (found == all_.end() || found->second.number != number) return std::nullopt;
  auto& one = found->second;
  one.number = 0;
  set_ready(key, one, false);
  dirty_.insert(key);
  if (std::exchange(one.ending, false)) return std::nullopt;
  const auto wait = one.backoff.next(std::chrono::duration_cast<milliseconds>(now - one.began));
  one.rests_until = now + wait;
  resting_.insert(key);
  return wait;
}

}  // namespace egress::dev
