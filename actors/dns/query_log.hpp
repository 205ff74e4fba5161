#pragma once
// The query log (--dns-log): which queries are written down, and how one reads. Pure.

#include <chrono>
#include <string>

#include "actors/dns/counters.hpp"
#include "actors/dns/hijack_table.hpp"
#include "actors/dns/respond.hpp"

namespace egress::dns {

// What is known of an answered query; of a fixed size, so that it can be handed on without allocation.
struct logged_query {
  std::chrono::system_clock::time_point answered;
  std::chrono::nanoseconds took{};
  address_bytes client{};
  transport via = transport::udp;
  plugin from = plugin::none;
  rcode code = rcode::noerror;
  std::uint16_t type = 0;
  wire_name name;               // size 0: no name could be read
  std::array<char, 63> owner;   // the ExternalService
  std::uint8_t owner_size = 0;  // 0: neither hijacked nor rewritten
};

// `answered` and `took` are the caller's.
logged_query describe(const query& asked, const outcome& made, transport via, plugin from,
                      const hijack_table* table);

// {"ts":"…","msg":"query","client":"10.0.0.9","transport":"udp","name":"google.com","type":"A","rcode":"NOERROR",
// "plugin":"egressoperator","duration":0.000012,"externalservice":"google"} and a line feed. The name is
// lower-cased, and absent when there is none; so is externalservice.
std::string json_line(const logged_query& one);

enum class logged_queries : std::uint8_t { none, errors, all };

// Which queries are written down; of all that are, every `one_in`th. One thread's.
class log_sampler {
 public:
  log_sampler(logged_queries which, unsigned one_in) : which_(which), one_in_(one_in) {}
  // Errors are all but NOERROR and NXDOMAIN: those are what clients expect.
  bool wants(rcode code) {
    if (which_ == logged_queries::none) return false;
    if (which_ == logged_queries::errors && (code == rcode::noerror || code == rcode::nxdomain)) return false;
    return seen_++ % one_in_ == 0;
  }

 private:
  logged_queries which_;
  unsigned one_in_;
  std::uint64_t seen_ = 0;
};

}  // namespace egress::dns
