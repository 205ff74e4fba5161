#pragma once
// A load of DNS questions of two kinds over UDP: for a name that is hijacked, and for names that no cache has
// seen before. One thread, batches of datagrams.

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace egress::test {

// What became of the questions of one kind.
struct load_figures {
  std::uint64_t sent = 0, answered = 0, refused = 0, failed = 0;  // NOERROR; REFUSED; any other code
  std::vector<std::uint32_t> latencies;                           // of NOERROR, by 50 µs up to 2 s

  load_figures();
  std::chrono::microseconds percentile(double part) const;
};

// A tenth of a second, by when the questions were sent.
struct load_slice {
  std::uint64_t sent = 0, answered = 0;  // hijacked ones
  std::chrono::microseconds worst{0};
};

struct mixed_result {
  load_figures hijacked, forwarded;
  double seconds = 0;
  std::vector<load_slice> slices;

  std::uint64_t sent() const { return hijacked.sent + forwarded.sent; }
  double per_second(std::uint64_t count) const { return static_cast<double>(count) / seconds; }
};

class mixed_load {
 public:
  // Asks 127.0.0.1:port; one question of `one_in` is for example.com, which must be hijacked.
  mixed_load(std::uint16_t port, unsigned one_in);
  ~mixed_load();

  // So many in flight; the next is sent when one is answered, or after a second without.
  mixed_result closed(std::size_t window, std::chrono::milliseconds how_long);
  // So many a second, whatever becomes of them. Answers are waited for `patience` after the last one was
  // sent.
  mixed_result open(double per_second, std::chrono::milliseconds how_long,
                    std::chrono::milliseconds patience);

 private:
  class run;
  struct lane;
  std::vector<std::unique_ptr<lane>> lanes_;
  unsigned one_in_;
  std::uint64_t names_ = 0;  // asked so far
};

}  // namespace egress::test
