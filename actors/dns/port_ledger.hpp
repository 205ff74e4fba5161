#pragma once
// Which questions went out from one source port, and whether one more may: docs/decisions/0011 has the
// argument for the limits. Pure: time and randomness come in.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace egress::dns {

using port_time = std::chrono::steady_clock::time_point;

class port_ledger {
 public:
  static constexpr std::size_t most_questions = 64;
  // From its opening on; replies are waited for longer.
  static constexpr std::chrono::milliseconds shared_for{10};
  // So many datagrams that answer nothing are no accident: somebody guesses ids.
  static constexpr unsigned most_wrong = 16;

  explicit port_ledger(port_time opened) : opened_(opened) {}

  bool takes_more(port_time now) const {
    return used_ < most_questions && wrong_ == 0 && !retired_ && now < opened_ + shared_for;
  }
  // It takes no question any more.
  void retire() { retired_ = true; }

  // The place of one more question. Its id is the first of `random`'s that no other question of the port has,
  // or had. There must be room: takes_more.
  template <class Random>
  std::size_t add(Random&& random) {
    std::uint16_t id = 0;
    do {
      id = static_cast<std::uint16_t>(random());
    } while (find(id));
    ids_[used_] = id;
    waiting_[used_] = true;
    ++open_;
    return used_++;
  }
  // It is answered, or given up.
  void end(std::size_t place) {
    waiting_[place] = false;
    --open_;
  }

  std::size_t used() const { return used_; }
  std::size_t open() const { return open_; }  // questions that wait for a reply
  std::uint16_t id(std::size_t place) const { return ids_[place]; }
  bool is_open(std::size_t place) const { return waiting_[place]; }
  // Where the question with this id is. When it waits no more, its reply is late or comes twice: no guess.
  std::optional<std::size_t> find(std::uint16_t id) const {
    const auto* const end = ids_.begin() + used_;
    const auto* const found = std::find(ids_.begin(), end, id);
    if (found == end) return std::nullopt;
    return static_cast<std::size_t>(found - ids_.begin());
  }

  // Counts a datagram that answers nothing. True when it is one too many: nothing that comes may be believed.
  bool note_wrong() { return ++wrong_ >= most_wrong; }

 private:
  port_time opened_;
  std::array<std::uint16_t, most_questions> ids_;
  std::array<bool, most_questions> waiting_{};
  std::size_t used_ = 0, open_ = 0;
  unsigned wrong_ = 0;
  bool retired_ = false;
};

// How many ports may be opened for one question alone: so many a second, and as many at once after a rest.
class port_allowance {
 public:
  explicit port_allowance(unsigned a_second) : each_(a_second == 0 ? second : second / a_second) {
    if (a_second == 0) spent_until_ = port_time::max() - second;
  }

  // Whether there is one for now, which is taken.
  bool take(port_time now) {
    spent_until_ = std::max(spent_until_, now - second);
    if (spent_until_ + each_ > now) return false;
    spent_until_ += each_;
    return true;
  }

 private:
  static constexpr std::chrono::nanoseconds second = std::chrono::seconds{1};

  std::chrono::nanoseconds each_;
  port_time spent_until_{};  // all that was allowed up to here has been taken
};

}  // namespace egress::dns
