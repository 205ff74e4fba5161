#include "runtime/actor/read_ahead.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace egress {

void read_ahead::add(kube::watch_chunk more) {
  if (come_.events.empty())
    come_.events = std::move(more.events);
  else
    come_.events.insert(come_.events.end(), std::make_move_iterator(more.events.begin()),
                        std::make_move_iterator(more.events.end()));
  come_.failure = std::move(more.failure);
  come_.ended = ended_ = more.ended;
}

std::optional<read_ahead::answer> read_ahead::take() {
  if (waiting_ == 0 || (come_.events.empty() && !come_.ended)) return std::nullopt;
  answer made{std::exchange(waiting_, 0), std::exchange(come_, {})};
  auto& told = made.what.events;
  auto mark = std::ranges::find_if(told, &kube::watch_event::initial_events_end);
  if (mark == told.end() || ++mark == told.end()) return made;
  come_ = std::move(made.what);
  made.what = {};
  made.what.events.assign(std::make_move_iterator(come_.events.begin()), std::make_move_iterator(mark));
  come_.events.erase(come_.events.begin(), mark);
  return made;
}

}  // namespace egress
