#pragma once
// A TCP client on blocking sockets that sends and reads bytes as they are. Every wait ends after ten seconds,
// as a failure.

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/net/unique_fd.hpp"

namespace egress::test {

class raw_peer {
 public:
  explicit raw_peer(std::uint16_t port);

  // What cannot be sent any more is left out.
  void send(std::string_view bytes) const;
  void send_no_more() const;
  // All up to the end of the stream.
  std::string read_all();
  // All up to and with `end`, or up to the end of the stream.
  std::string read_until(std::string_view end);

 private:
  bool read_more();

  unique_fd fd_;
  std::string read_;
};

}  // namespace egress::test
