#pragma once
// Writes the query log from a thread of its own, so that a pipe nobody reads holds up no packet loop: each
// loop has a ring, and what does not fit is lost.

#include <atomic>
#include <deque>
#include <memory>
#include <thread>

#include "actors/dns/io/query_recorder.hpp"
#include "runtime/net/unique_fd.hpp"

namespace egress::dns {

class query_log_writer {
 public:
  struct settings {
    logged_queries which = logged_queries::none;
    unsigned one_in = 1;
    std::size_t room = 1024;  // queries that may wait, of one loop
  };
  // Lines go to `fd`, which the caller keeps open. Fails when descriptors or threads have run out.
  static result<std::shared_ptr<query_log_writer>> start(const settings& how, std::size_t loops, int fd);
  // Writes what waits, as long as the file takes it.
  ~query_log_writer();
  query_log_writer(const query_log_writer&) = delete;
  query_log_writer& operator=(const query_log_writer&) = delete;

  // Of the loop of this index.
  query_recorder& recorder(std::size_t index) { return recorders_[index]; }

 private:
  query_log_writer(const settings& how, std::size_t loops, int fd, unique_fd bell);
  void ring() const;
  void run();
  void write_what_waits();
  void flush();

  int fd_;
  unique_fd bell_;  // an eventfd
  std::deque<query_recorder> recorders_;
  std::string lines_;
  bool given_up_ = false;  // at the end nobody reads any more
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace egress::dns
