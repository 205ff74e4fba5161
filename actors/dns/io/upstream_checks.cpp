// What an upstream_group asks of its own accord: health probes, and loop checks.
#include <algorithm>

#include "actors/dns/io/loop_watch.hpp"
#include "actors/dns/io/upstream_group.hpp"

namespace egress::dns {

using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

kept_query_ptr question_of(const wire_name& name, std::uint16_t type, bool without_edns = false) {
  query asked;
  asked.without_edns = without_edns;
  asked.type = type;
  asked.rr_class = rr::class_in;
  asked.name = name;
  asked.flags = flag::rd;
  return std::make_shared<const kept_query>(asked);
}

kept_query_ptr root_question() {
  wire_name root;
  root.data[0] = 0;
  root.size = 1;
  // As CoreDNS asks: another operator answers that at once.
  return question_of(root, rr::ns, true);
}

}  // namespace

void upstream_group::probe(std::size_t at, const kept_query_ptr& asked, std::chrono::milliseconds patience,
                           then_probed then) {
  auto& one = *all_[at];
  if (one.probe) return;
  const auto began = steady_clock::now();
  const auto end = [this, at, call = std::move(then)](bool replied) {
    const auto stays = shared_from_this();
    end_probe(at);
    call(replied);
  };
  one.probed = asked;
  one.probe = begin(at, asked->get(), began, [this, at, end, began](exchange&, bytes reply) {
    if (!reply.empty()) upstreams_.replied(at, steady_clock::now() - began);
    end(!reply.empty());
  });
  one.patience.expires_after(patience);
  // A timer that has gone off already may be late: then it is another probe's turn.
  one.patience.async_wait(
      [weak = weak_from_this(), at, end, mine = std::weak_ptr(one.probe)](error_code cancelled) {
        const auto self = weak.lock();
        if (cancelled || !self || !self->all_[at]->probe || self->all_[at]->probe != mine.lock()) return;
        end(false);
      });
}

void upstream_group::end_probe(std::size_t at) {
  auto& one = *all_[at];
  one.patience.cancel();
  std::exchange(one.probe, nullptr)->cancel();
}

// While an upstream is unhealthy it is asked `. NS` now and then: only so can it become healthy again.
void upstream_group::probe_later() {
  if (probing_ || retired_ || upstreams_.all_healthy()) return;
  probing_ = true;
  probe_timer_.expires_after(config_.forward.probe);
  probe_timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (!self || cancelled || self->retired_) return;
    self->probing_ = false;
    self->probe_unhealthy();
    self->probe_later();
  });
}

void upstream_group::probe_unhealthy() {
  for (std::size_t at = 0; at < all_.size(); ++at) {
    if (upstreams_.healthy(at) || upstreams_.loop(at) != loop_state::clear) continue;
    // One that was away ever since it is known has its loop check first.
    needs_loop_check(at) ? check_loop(at) : probe_health(at);
  }
}

void upstream_group::probe_health(std::size_t at) {
  probe(at, root_question(), config_.forward.most, [this, at](bool replied) {
    if (replied) return;
    all_[at]->counters->healthcheck_failures.add();
    failed(at);
  });
}

bool upstream_group::needs_loop_check(std::size_t at) const {
  return config_.loops && (upstreams_.loop(at) == loop_state::looped || !all_[at]->loop_known);
}

// The name is below the group's own domain: a server of cluster.local may well send us all else. While
// nothing is answered the name stays: it may come back late.
void upstream_group::check_loop(std::size_t at) {
  auto& one = *all_[at];
  if (one.probe) return;  // the next round will do
  if (one.loop_name.size == 0 || one.loop_known) {
    if (one.loop_name.size != 0) config_.loops->forget(one.loop_name);
    one.loop_name = config_.loops->begin(domain_, random_.twice());
  }
  if (one.loop_name.is_root()) return loop_checked(at, true);
  // A slow upstream is no looped one: it holds nobody up for longer than one attempt may take, nor does its
  // silence count as a failure (some drop what they think odd).
  probe(at, question_of(one.loop_name, rr::hinfo), patience(at),
        [this, at](bool replied) { loop_checked(at, replied); });
}

void upstream_group::loop_checked(std::size_t at, bool replied) {
  auto& one = *all_[at];
  const bool arrived = config_.loops->arrived(one.loop_name);
  one.loop_known |= replied || arrived;
  if (arrived)
    set_loop(at, loop_state::looped);
  else if (upstreams_.loop(at) == loop_state::unchecked || replied)
    set_loop(at, loop_state::clear);
  if (needs_loop_check(at)) check_loops_later();
  // It may be silent to odd questions only.
  if (!replied && !arrived && !upstreams_.healthy(at)) probe_health(at);
  on_checked_();
}

// The query may come back long after its check has ended.
void upstream_group::note_arrivals() {
  if (!config_.loops || config_.loops->arrivals() == arrivals_) return;
  arrivals_ = config_.loops->arrivals();
  for (std::size_t at = 0; at < all_.size(); ++at)
    if (all_[at]->loop_name.size != 0 && config_.loops->arrived(all_[at]->loop_name))
      set_loop(at, loop_state::looped), all_[at]->loop_known = true;
}

void upstream_group::set_loop(std::size_t at, loop_state now) {
  const auto before = upstreams_.loop(at);
  upstreams_.set_loop(at, now);
  const bool is = now == loop_state::looped, was = before == loop_state::looped;
  if (is) check_loops_later();
  if (is == was) return;
  all_[at]->counters->looped.store(is, std::memory_order_relaxed);
  config_.upstream_news(to_text(servers_[at].address),
                        is ? "it sends our queries back to us: it is not asked until that has ended" : "");
}

void upstream_group::check_loops_later() {
  if (loop_checking_ || retired_) return;
  loop_checking_ = true;
  loop_timer_.expires_after(loop_pause_);
  loop_pause_ = std::min(2 * loop_pause_, config_.forward.loop_check);
  loop_timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (!self || cancelled || self->retired_) return;
    self->loop_checking_ = false;
    bool needed = false;
    for (std::size_t at = 0; at < self->all_.size(); ++at) {
      if (!self->needs_loop_check(at)) continue;
      self->check_loop(at);
      needed = true;
    }
    if (needed) self->check_loops_later();
  });
}

}  // namespace egress::dns
