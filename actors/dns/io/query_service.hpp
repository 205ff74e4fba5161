#pragma once
// What a loop does with one query, whatever socket it came from: counts it, answers it from the table, or has
// it forwarded and answers later. Used on its loop's thread only.

#include <functional>
#include <memory>

#include "actors/dns/io/forwarder.hpp"

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

  // Answers into `out` (answer_room bytes) and gives the size; 0 when there is no answer, or not yet: then
  // `make_sink` was called for the place to send it. Allocates nothing for an answer of our own.
  template <class MakeSink>
  std::size_t serve(bytes packet, const asked_by& by, buffer out, MakeSink&& make_sink) {
    const reaction judged = parse_query(packet, query_);
    query_.client = by.client;
    if (!query_.client_cookie.empty()) give_cookie(query_, seconds_now(), config_.cookie_root);
    outcome made =
        respond(query_, judged, config_.allow.allows(by.client), table_.get(), config_.answers.answers, out);
    if (made.what == action::drop) {
      counters_.dropped.add();
      return 0;
    }
    count_request(packet.size(), by);
    if (made.what == action::forward) made = forward(made.how, by, make_sink, out);
    if (made.size != 0) {
      const plugin from = made.hijacked ? plugin::egressoperator : plugin::none;
      count_answer(made, by, from);
      note(query_, made, by, from);
    }
    return made.size;
  }

  // Everyone who still waits gets SERVFAIL, now.
  void fail_all() { forwarder_.fail_all(); }

 private:
  template <class MakeSink>
  outcome forward(forward_kind how, const asked_by& by, MakeSink& make_sink, buffer out) {
    if (how == forward_kind::root_probe) return answer_root_probe(by, out);
    if (!forwarder_.has_room()) {
      counters_.forward_rejects.add();
      return respond_error(query_, rcode::refused, {ede::other, "too many queries wait for upstreams"}, out);
    }
    ask_upstream(how, by, make_sink());
    return {};
  }
  void ask_upstream(forward_kind how, const asked_by& by, reply_sink sink);
  outcome answer_root_probe(const asked_by& by, buffer out);
  void refresh_root();
  static std::uint64_t seconds_now();
  void count_request(std::size_t size, const asked_by& by);
  void count_answer(const outcome& made, const asked_by& by, plugin from);
  // For the query log, when there is one and it wants this one.
  void note(const query& asked, const outcome& made, const asked_by& by, plugin from) {
    if (config_.log && config_.log->wants(made.code)) write_down(asked, made, by, from);
  }
  void write_down(const query& asked, const outcome& made, const asked_by& by, plugin from);

  const worker_config& config_;
  worker_counters& counters_;
  forwarder forwarder_;
  std::shared_ptr<const hijack_table> table_;
  query query_;                           // of the packet in hand
  std::vector<std::uint8_t> root_reply_;  // the last good answer to `. NS`; empty: none known
  bool asking_root_ = false;
  std::chrono::steady_clock::time_point root_asked_;
};

}  // namespace egress::dns
