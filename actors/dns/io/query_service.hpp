#pragma once
// What a loop does with one query, whatever socket it came from: counts it, answers it from the table or from
// the cache, or has it forwarded and answers later. Used on its loop's thread only.

#include <functional>
#include <memory>

#include "actors/dns/io/cached_forwarder.hpp"

namespace egress::dns {

// Where a later answer goes.
using reply_sink = std::function<void(bytes answer)>;

struct asked_by {
  address_bytes client{};
  transport via = transport::udp;
  bool v6 = false;
  std::chrono::steady_clock::time_point arrived;  // of the batch
};

class query_service {
 public:
  query_service(boost::asio::io_context& context, const worker_config& config, worker_counters& counters);

  void set_table(std::shared_ptr<const hijack_table> table) { table_ = std::move(table); }

  void set_upstreams(const upstream_list& servers) { upstream_.use(servers); }

  // Answers into `out` and gives the size; 0 when there is no answer, or not yet: then `make_sink` was called
  // for the place to send it. `out` has room for what a client takes over that transport: edns_udp_size
  // bytes, or max_message. Allocates nothing for an answer of our own or from the cache.
  template <class MakeSink>
  std::size_t serve(bytes packet, const asked_by& by, buffer out, MakeSink&& make_sink) {
    const reaction judged = upstream_.judge(parse_query(packet, query_), query_);
    query_.client = by.client;
    // A new loop's table is on its way; who sees that we are ready must not meet one that knows nothing.
    if (!table_ && config_.last_table) table_ = config_.last_table->get();
    if (!query_.client_cookie.empty()) give_cookie(query_, seconds_now(), config_.cookie_root);
    const outcome made =
        respond(query_, judged, config_.allow.allows(by.client), table_.get(), config_.answers.answers, out);
    if (made.what == action::drop) {
      counters_.dropped.add();
      return 0;
    }
    count_request(packet.size(), by);
    sourced_answer told{made, made.hijacked ? plugin::egressoperator : plugin::none};
    // The table comes first: a name that was hijacked since it was cached is answered by it.
    if (made.what == action::forward)
      told = upstream_.answer(query_, made.how, by.arrived, out.first(query_.limit(by.via)));
    if (told.made.what == action::forward) {
      ask_upstream(told.made.how, by, make_sink());
      return 0;
    }
    count_answer(told, by);
    note(query_, told, by);
    return told.made.size;
  }

  // Everyone who still waits gets SERVFAIL or a stale answer, now.
  void fail_all() { upstream_.fail_all(); }

 private:
  static std::uint64_t seconds_now();
  void ask_upstream(forward_kind how, const asked_by& by, reply_sink sink);
  void count_request(std::size_t size, const asked_by& by);
  void count_answer(const sourced_answer& told, const asked_by& by);
  // For the query log, when there is one and it wants this one.
  void note(const query& asked, const sourced_answer& told, const asked_by& by) {
    if (config_.log && config_.log->wants(told.made.code)) write_down(asked, told, by);
  }
  void write_down(const query& asked, const sourced_answer& told, const asked_by& by);

  const worker_config& config_;
  worker_counters& counters_;
  std::shared_ptr<const hijack_table> table_;
  cached_forwarder upstream_;
  query query_;  // of the packet in hand
};

}  // namespace egress::dns
