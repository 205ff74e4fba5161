#pragma once
// What a load generator keeps of its queries in flight and says in the end.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace egress::bench {

using clock = std::chrono::steady_clock;

// Questions for the A records of host-0.example.com … in an order that no cache line foresees.
class questions {
 public:
  questions(unsigned names, const std::string& pattern) {
    for (unsigned i = 0; i < std::min(names, 100'000u); ++i) {
      std::string name = pattern;
      if (const auto at = name.find('%'); at != std::string::npos) name.replace(at, 1, std::to_string(i));
      packets_.push_back(packet_of(name));
    }
  }
  const std::vector<std::uint8_t>& next() { return packets_[(at_ += 7919) % packets_.size()]; }

 private:
  static std::vector<std::uint8_t> packet_of(const std::string& name) {
    std::vector<std::uint8_t> made{0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    for (std::size_t at = 0; at < name.size();) {
      const auto dot = std::min(name.find('.', at), name.size());
      made.push_back(static_cast<std::uint8_t>(dot - at));
      made.insert(made.end(), name.begin() + static_cast<std::ptrdiff_t>(at),
                  name.begin() + static_cast<std::ptrdiff_t>(dot));
      at = dot + 1;
    }
    made.insert(made.end(), {0, 0, 1, 0, 1});
    return made;
  }

  std::vector<std::vector<std::uint8_t>> packets_;
  std::size_t at_ = 0;
};

// The queries of one socket that wait for answers, by id.
class in_flight {
 public:
  std::size_t size() const { return waiting_; }
  std::uint16_t begin(clock::time_point now) {
    ++next_;
    if (sent_[next_] != clock::time_point{}) --waiting_;  // its answer never came
    sent_[next_] = now;
    ++waiting_;
    return next_;
  }
  // How long the answer with this id took; negative for one that nobody waits for.
  std::chrono::nanoseconds end(std::uint16_t id, clock::time_point now) {
    if (sent_[id] == clock::time_point{}) return std::chrono::nanoseconds{-1};
    --waiting_;
    return now - std::exchange(sent_[id], {});
  }
  // Gives up on what was sent before.
  std::size_t forget(clock::time_point before) {
    std::size_t lost = 0;
    for (auto& at : sent_)
      if (at != clock::time_point{} && at < before) {
        at = {};
        ++lost;
      }
    waiting_ -= lost;
    return lost;
  }

 private:
  std::vector<clock::time_point> sent_ = std::vector<clock::time_point>(65536);
  std::size_t waiting_ = 0;
  std::uint16_t next_ = 0;
};

struct tally {
  std::uint64_t sent = 0, answered = 0, lost = 0, other_codes = 0, without_answer = 0;
  // By microseconds, up to 100 ms.
  std::vector<std::uint64_t> latencies = std::vector<std::uint64_t>(100'001);

  void take(const std::uint8_t* answer, std::chrono::nanoseconds took) {
    ++answered;
    if ((answer[3] & 15) != 0) ++other_codes;
    if (answer[6] == 0 && answer[7] == 0) ++without_answer;
    const auto micro = static_cast<std::size_t>(took.count() / 1000);
    ++latencies[std::min(micro, latencies.size() - 1)];
  }
  std::size_t percentile(double part) const {
    auto left = static_cast<std::uint64_t>(static_cast<double>(answered) * part);
    for (std::size_t i = 0; i < latencies.size(); ++i) {
      if (latencies[i] > left) return i;
      left -= latencies[i];
    }
    return latencies.size();
  }
  void print(double seconds) const {
    std::printf(
        "{\"sent\": %lu, \"answered\": %lu, \"lost\": %lu, \"other_codes\": %lu, \"without_answer\": %lu, "
        "\"qps\": %.0f, \"p50_us\": %zu, \"p99_us\": %zu}\n",
        sent, answered, lost, other_codes, without_answer, static_cast<double>(answered) / seconds,
        percentile(0.5), percentile(0.99));
  }
};

}  // namespace egress::bench
