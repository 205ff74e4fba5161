#pragma once
// The API server over HTTP/1.1: a small pool of kept-alive connections for requests, one connection a watch.
// Everything runs on the executor given; one client is used from one thread (or strand) only. Nothing throws
// out of a call; cancelling (asio terminal cancellation) ends a call with api_errc::cancelled.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "runtime/kube/api.hpp"
#include "runtime/kube/connection_config.hpp"
#include "runtime/kube/projection.hpp"
#include "runtime/kube/request_load.hpp"

namespace egress::kube {

// Asked before a write, whatever the request waited for, and again immediately before each system call that
// hands its bytes to the socket; with the request's term. Not asked for Leases: who holds the Lease opens the
// gate.
using write_gate = std::function<bool(std::uint64_t term)>;

// Told of every finished request, for rest_client_requests_total and its histogram. code is "<error>" when
// there was no HTTP status.
struct request_observation {
  std::string_view method, host;
  std::string code;
  std::chrono::nanoseconds took;
};
using request_observer = std::function<void(const request_observation&)>;

struct client_options {
  projection_rules rules;         // how objects are decoded
  std::size_t connections = 16;   // the pool's size
  double queries_per_second = 0;  // 0: no limit of ours
  bool gzip_lists = false;        // pages are asked for compressed
  std::string user_agent = "egress-operator";
  // The server gives up on a write that long after it came in: one that is late must not be carried out after
  // we lost the Lease.
  std::chrono::milliseconds write_timeout{5'000};
  write_gate may_write = [](std::uint64_t) { return true; };
  request_observer observe = [](const request_observation&) {};
};

class watch_stream;

class client {
 public:
  client(boost::asio::any_io_executor executor, connection_config config, client_options options);
  ~client();
  client(client&&) noexcept;
  client& operator=(client&&) noexcept;

  // One request, one reply. 429 and 503 with Retry-After are waited for and tried again (at most 10 tries
  // within request.timeout); a 401 re-reads the credentials and tries once more.
  boost::asio::awaitable<reply> call(std::shared_ptr<const request> asked);

  // Opens a watch on a connection of its own.
  boost::asio::awaitable<std::expected<watch_stream, api_error>> watch(watch_request what);

  // Of call(), without what is urgent.
  request_load load() const;

  struct state;  // shared with the watches; client_state.hpp

 private:
  std::shared_ptr<state> state_;
};

class watch_stream {
 public:
  struct state;
  explicit watch_stream(std::unique_ptr<state> from);
  ~watch_stream();
  watch_stream(watch_stream&&) noexcept;
  watch_stream& operator=(watch_stream&&) noexcept;

  // What the next read gave: at least one event, or the end. `quiet` bounds the wait; silence beyond it is a
  // dead stream (ended, with api_errc::timed_out).
  boost::asio::awaitable<watch_chunk> next(std::chrono::milliseconds quiet);

 private:
  std::unique_ptr<state> state_;
};

}  // namespace egress::kube
