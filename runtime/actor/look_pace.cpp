#include "runtime/actor/look_pace.hpp"

#include <algorithm>

namespace egress {

std::chrono::microseconds look_pace::next(const kube::request_load& now) {
  if (!now.crowded()) {
    if (++calm_ >= a_while) *this = after_calm(now.answered);
    return {};
  }
  calm_ = 0;
  if (++looks_ < looks_between) return rest_;
  const auto answered = now.answered - answered_;
  looks_ = 0;
  answered_ = now.answered;
  if (answered == 0) {
    rest_ = {};
  } else if (answered > 5 * now.places) {
    rest_ /= 2;
    if (rest_ < shortest) rest_ = {};
  } else if (answered < 2 * now.places) {
    rest_ = std::clamp(rest_ * 2, shortest, longest);
  }
  return rest_;
}

look_pace look_pace::after_calm(std::uint64_t answered) {
  look_pace anew;
  anew.answered_ = answered;
  return anew;
}

}  // namespace egress
