#include "runtime/actor/io_clock.hpp"

#include <boost/asio/dispatch.hpp>
#include <utility>
#include <vector>

namespace egress {

using base = caf::detail::simple_actor_clock;

io_clock::io_clock(boost::asio::io_context& on) : on_(on), timer_(on) {}

// `make` may let go of what it replaces, but not of the last reference to an actor: that would come back
// here.
template <class Change>
void io_clock::change(Change&& make) {
  {
    const std::scoped_lock lock(mutex_);
    if (stopped_) return;
    make();
    if (schedule_.empty() || schedule_.begin()->first >= timer_at_) return;
    timer_at_ = schedule_.begin()->first;
  }
  boost::asio::dispatch(on_, [self = shared_from_this()] { self->set_timer(); });
}

void io_clock::set_timer() {
  {
    const std::scoped_lock lock(mutex_);
    timer_at_ = schedule_.empty() ? time_point::max() : schedule_.begin()->first;
    if (stopped_ || schedule_.empty()) return;
    timer_.expires_at(timer_at_);
  }
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& moved) {
    if (!moved) self->fire();
  });
}

void io_clock::fire() noexcept {
  std::vector<unique_delayed_event_ptr> due;
  {
    const std::scoped_lock lock(mutex_);
    const auto at = now();
    while (!schedule_.empty() && schedule_.begin()->first <= at) {
      auto& first = schedule_.begin()->second;
      if (first->backlink != actor_lookup_.end()) actor_lookup_.erase(first->backlink);
      due.push_back(std::move(first));
      schedule_.erase(schedule_.begin());
    }
  }
  // Without the mutex: an actor whose last reference was here comes back to cancel its others.
  for (auto& one : due) {
    ship(*one);
    one.reset();
  }
  set_timer();
}

void io_clock::stop() {
  schedule_map rest;
  actor_lookup_map lookup;
  const std::scoped_lock lock(mutex_);
  stopped_ = true;
  rest.swap(schedule_);
  lookup.swap(actor_lookup_);
}

void io_clock::forget_timer() {
  timer_.cancel();
}

void io_clock::set_ordinary_timeout(time_point at, caf::abstract_actor* self, caf::atom_value type,
                                    std::uint64_t id) {
  change([&] { base::set_ordinary_timeout(at, self, type, id); });
}

void io_clock::set_multi_timeout(time_point at, caf::abstract_actor* self, caf::atom_value type,
                                 std::uint64_t id) {
  change([&] { base::set_multi_timeout(at, self, type, id); });
}

void io_clock::set_request_timeout(time_point at, caf::abstract_actor* self, caf::message_id id) {
  change([&] { base::set_request_timeout(at, self, id); });
}

void io_clock::cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) {
  change([&] { base::cancel_ordinary_timeout(self, type); });
}

void io_clock::cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) {
  change([&] { base::cancel_request_timeout(self, id); });
}

void io_clock::cancel_timeouts(caf::abstract_actor* self) {
  change([&] { base::cancel_timeouts(self); });
}

void io_clock::schedule_message(time_point at, caf::strong_actor_ptr receiver,
                                caf::mailbox_element_ptr content) {
  change([&] { base::schedule_message(at, std::move(receiver), std::move(content)); });
}

void io_clock::schedule_message(time_point at, caf::group target, caf::strong_actor_ptr sender,
                                caf::message content) {
  change([&] { base::schedule_message(at, std::move(target), std::move(sender), std::move(content)); });
}

void io_clock::cancel_all() {
  schedule_map rest;
  actor_lookup_map lookup;
  change([&] {
    rest.swap(schedule_);
    lookup.swap(actor_lookup_);
  });
}

}  // namespace egress
