#pragma once
// A plain HTTP client on blocking sockets, so that tests see exactly what the server sends and when it
// closes. Every wait ends after ten seconds, as a failure.

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/kube/json.hpp"
#include "runtime/net/unique_fd.hpp"

namespace egress::dev::test {

unique_fd connect_to(std::uint16_t port);

struct reply {
  int status = 0;  // 0: the connection ended without an answer
  std::string head, body;

  json::object json() const;
  // Of the first field of this name; "" for none.
  std::string field(const std::string& name) const;
};

struct ask_options {
  std::string body;
  std::string content_type = "application/json", accept = "application/json";
  std::string host = "127.0.0.1";
  std::string fields = {};  // more of the head, whole lines
};

// One request on a connection of its own.
reply ask(std::uint16_t port, const std::string& method, const std::string& target,
          const ask_options& with = {});

// A watch under way.
class watching {
 public:
  watching(std::uint16_t port, const std::string& target, const std::string& accept = "application/json");

  int status() const { return status_; }
  // The next event; nothing at the stream's end or when the connection breaks.
  std::optional<json::object> next();
  // "TYPE NAME", and for an ERROR "ERROR CODE"; "" at the end.
  std::string next_short();
  // After the end: whether it was a proper one (a last chunk) rather than a broken connection.
  bool complete() const { return complete_; }
  // Nothing has come, and nothing does within this time: for showing that something does not happen.
  bool silent_for(int milliseconds);

 private:
  bool read_more();
  bool next_chunk();

  unique_fd fd_;
  std::string raw_, text_;
  int status_ = 0;
  bool complete_ = false;
};

}  // namespace egress::dev::test
