#pragma once
// The DNS server's sockets, settings and counters: made once, before any actor, and outliving them all.

#include <memory>
#include <string>
#include <vector>

#include "actors/dns/counters.hpp"
#include "actors/dns/io/config.hpp"
#include "actors/dns/io/query_log_writer.hpp"
#include "actors/dns/io/sockets.hpp"
#include "actors/dns/io/upstream_source.hpp"
#include "actors/dns/table_memory.hpp"
#include "actors/dns/worker_actor.hpp"
#include "runtime/base/options.hpp"
#include "runtime/program/table_file.hpp"

namespace egress {

struct dns_setup {
  std::shared_ptr<const std::vector<dns::worker_sockets>> sockets;
  std::vector<std::shared_ptr<dns::worker_counters>> counters;  // one a worker
  std::shared_ptr<dns::table_memory> memory = std::make_shared<dns::table_memory>();
  std::shared_ptr<table_saver> saver;  // null without --dns-snapshot
  bool restored = false;               // the memory has the table of an earlier run
  dns::worker_config config;
  std::shared_ptr<dns::upstream_source> upstreams;  // takes the place of config.upstreams as it changes
  std::string resolv_conf;                          // whose servers they are; "": --dns-upstream's
  std::vector<std::string> left_out_at_start;       // of its lines; logged already
  std::shared_ptr<dns::query_log_writer> log;       // null: off
  std::string address;

  // Starts the loop of one worker.
  packet_loop_factory loops() const;
  // From here on the upstreams follow resolv.conf, for as long as `context` runs.
  void follow_resolv_conf(boost::asio::io_context& context) const;
};

// Of a saved table, what it hijacked in the cluster's domain is left out. Errors name the flag.
result<dns_setup> prepare_dns(const dns_options& options, std::string_view cluster_domain = "cluster.local");

}  // namespace egress
