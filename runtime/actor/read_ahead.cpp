#include "runtime/actor/read_ahead.hpp"

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
  return answer{std::exchange(waiting_, 0), std::exchange(come_, {})};
}

}  // namespace egress
