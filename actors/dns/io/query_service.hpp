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
  bool hurried = false;  // more wait behind it than can be served: it must not cost much
  std::chrono::steady_clock::time_point arrived;  // of the batch
};

class query_service {
 public:
  query_service(boost::asio::io_context& context, const worker_config& config, worker_counters& counters);

  void set_table(std::shared_ptr<const hijack_table> table) { table_ = std::move(table); }

  void set_upstreams(const upstream_list& servers) { upstream_.use(servers); }

  // The packets of one batch are read up to so many at a time, each is then served by its number, and the
  // batch ends when the answers are on their way: what all have in common is done once, and the memory that
  // one answer waits for is fetched while the next packet is read.
  static constexpr std::size_t together = 16;
  void read(std::span<const bytes> packets);
  // Answers into `out` and gives the size; 0 when there is no answer, or not yet: then `make_sink` was called
  // for the place to send it. `out` has room for what a client takes over that transport: edns_udp_size
  // bytes, or max_message. Allocates nothing for an answer of our own or from the cache.
  template <class MakeSink>
  std::size_t serve(std::size_t number, const asked_by& by, buffer out, MakeSink&& make_sink) {
    query& asked = read_[number].asked;
    asked.client = by.client;
    if (!asked.client_cookie.empty()) give_cookie(asked, seconds_now(), config_.cookie_root);
    const outcome made = respond(asked, read_[number].judged, config_.allow.allows(by.client), table_.get(),
                                 config_.answers.answers, out);
    if (made.what == action::drop) {
      counters_.dropped.add();
      return 0;
    }
    count_request(asked, by);
    sourced_answer told{made, made.hijacked ? plugin::egressoperator : plugin::none};
    // The table comes first: a name that was hijacked since it was cached is answered by it.
    if (made.what == action::forward)
      told = upstream_.answer(asked, made.how, {by.arrived, by.hurried}, out.first(asked.limit(by.via)));
    if (told.made.what == action::forward) {
      ask_upstream(asked, told.made.how, by, make_sink());
      return 0;
    }
    count_answer(told, by);
    ++answered_;
    note(asked, told, by);
    return told.made.size;
  }
  void end_batch(std::chrono::steady_clock::time_point arrived);

  // Everyone who still waits gets SERVFAIL or a stale answer, now.
  void fail_all() { upstream_.fail_all(); }

 private:
  struct read_query {
    query asked;
    reaction judged;
  };
  static std::uint64_t seconds_now();
  void ask_upstream(const query& asked, forward_kind how, const asked_by& by, reply_sink sink);
  void count_request(const query& asked, const asked_by& by);
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
  std::array<read_query, together> read_;
  std::size_t answered_ = 0;  // of the batch in hand, at once
};

}  // namespace egress::dns
