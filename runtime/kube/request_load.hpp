#pragma once
// What a client has to do. Pure.

#include <cstddef>
#include <cstdint>

namespace egress::kube {

struct request_load {
  std::size_t places = 0;      // requests that may be with the server at once
  std::size_t waiting = 0;     // for a place
  std::uint64_t answered = 0;  // places given back, since the start
  std::size_t under_way = 0;   // have a place
  std::size_t awaited = 0;     // of all these: somebody waits for the answer

  // Whatever is answered now, the server has others to work on; or nobody waits for it. Of fewer places the
  // server would have done all that it was given before the next look.
  bool crowded() const {
    constexpr std::size_t enough = 8;
    return places >= enough && (waiting >= places || (under_way >= places && awaited == 0));
  }
};

}  // namespace egress::kube
