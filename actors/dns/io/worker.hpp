#pragma once
// One packet loop: a thread of its own that serves a pair of sockets over UDP and TCP, answers hijacked names
// from the table and forwards the rest. CAF-free; its actor owns it.

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "actors/dns/counters.hpp"
#include "actors/dns/io/config.hpp"
#include "actors/dns/io/sockets.hpp"

namespace egress::dns {

class worker {
 public:
  // Serves a duplicate of sockets[index]. The sockets and counters outlive the worker (shared). Throws
  // std::runtime_error when descriptors or threads have run out.
  worker(std::shared_ptr<const std::vector<worker_sockets>> sockets, std::size_t index, worker_config config,
         std::shared_ptr<worker_counters> counters);
  // Stops between two batches: forwarded queries in flight get SERVFAIL, TCP connections close, the thread
  // is joined. What arrives from here on waits in the kernel for the next worker.
  ~worker();
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  // Starts the thread. `on_failure` is called at most once, from that thread, when the loop ends by itself;
  // forwarded queries have been answered with SERVFAIL by then. It must not destroy the worker.
  void start(std::function<void(std::string)> on_failure);

  // The functions below may be called from any thread, before and after start.

  // Answers come from this table from the next batch on; null: SERVFAIL, nothing is known yet.
  void set_table(std::shared_ptr<const hijack_table> table);
  // These take the place of config.upstreams; what is in flight ends with those it began with.
  void set_upstreams(std::shared_ptr<const upstream_list> servers);
  // The sockets of exactly these siblings (positions in `sockets`) are served, too.
  void serve_also(std::set<std::size_t> siblings);
  // Lets the loop fail with this text, as an exception in it would: for tests of supervision.
  void inject_failure(std::string text);

 private:
  struct loop;
  std::unique_ptr<loop> loop_;
};

}  // namespace egress::dns
