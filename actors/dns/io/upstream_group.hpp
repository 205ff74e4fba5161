#pragma once
// The upstreams of one part of the namespace, asked and watched: unhealthy ones are probed, each is looked at
// for loops before it is first used. Used on its io_context's thread only.

#include <boost/asio/steady_timer.hpp>

#include "actors/dns/counters.hpp"
#include "actors/dns/io/exchange.hpp"
#include "actors/dns/io/upstreams.hpp"

namespace egress::dns {

class upstream_group : public std::enable_shared_from_this<upstream_group> {
 public:
  // `config` and `counters` outlive the group. All groups of a loop share `room`.
  upstream_group(boost::asio::io_context& context, const worker_config& config, worker_counters& counters,
                 const std::shared_ptr<datagram_room>& room, const wire_name& domain, upstream_list servers);
  ~upstream_group();

  // Loop checks begin; `on_checked` is called whenever one has ended.
  void start(std::function<void()> on_checked);
  // No check or probe any more: what was asked may still be answered.
  void retire();

  const upstream_list& servers() const { return servers_; }
  // Whether some upstream may become usable within the patience for one attempt.
  bool is_checking() const { return upstreams_.count(loop_state::unchecked) > 0; }
  bool healthy(std::size_t at) const { return upstreams_.healthy(at); }
  // How many may be asked.
  std::size_t usable() const { return upstreams_.count(loop_state::clear); }
  std::optional<std::size_t> choose(const std::vector<std::size_t>& tried);
  std::chrono::milliseconds patience(std::size_t at) const { return upstreams_.patience(at); }

  // Asks this upstream. `asked` and `on_done` as exchange's. The owner ends it with `drop`, or with `ended`
  // when it has called back.
  std::shared_ptr<exchange> ask(std::size_t at, const query& asked, port_time now, exchange::done on_done);
  void ended(std::size_t at, port_time began, bytes reply);
  void drop(std::size_t at, exchange& question);
  // It was waited for in vain.
  void failed(std::size_t at);

 private:
  struct one_upstream {
    one_upstream(boost::asio::io_context& context, const std::shared_ptr<datagram_room>& room,
                 const upstream_address& address, unsigned own_ports)
        : ports(context, room, address, own_ports), patience(context) {}
    source_ports ports;
    std::shared_ptr<stream_channel> channel;
    std::shared_ptr<upstream_counters> counters;
    kept_query_ptr probed;            // what the probe asks
    std::shared_ptr<exchange> probe;  // under way
    boost::asio::steady_timer patience;
    wire_name loop_name;      // of the last loop check, watched; size 0: none
    bool loop_known = false;  // a loop check was answered
  };
  using then_probed = std::function<void(bool replied)>;

  std::shared_ptr<stream_channel> make_channel(const upstream_server& to);
  std::shared_ptr<exchange> begin(std::size_t at, const query& asked, port_time now, exchange::done on_done);
  void probe(std::size_t at, const kept_query_ptr& asked, std::chrono::milliseconds patience,
             then_probed then);
  void end_probe(std::size_t at);
  void probe_later();
  void probe_unhealthy();
  void probe_health(std::size_t at);
  bool needs_loop_check(std::size_t at) const;
  void check_loop(std::size_t at);
  void loop_checked(std::size_t at, bool replied);
  void note_arrivals();
  void set_loop(std::size_t at, loop_state now);
  void check_loops_later();

  boost::asio::io_context& context_;
  const worker_config& config_;
  worker_counters& counters_;
  wire_name domain_;
  upstream_list servers_;
  upstreams upstreams_;
  std::vector<std::unique_ptr<one_upstream>> all_;
  std::function<void()> on_checked_ = [] {};
  boost::asio::steady_timer probe_timer_, loop_timer_;
  bool probing_ = false, loop_checking_ = false, retired_ = false;
  std::chrono::milliseconds loop_pause_;  // before the next loop checks
  std::uint64_t arrivals_ = 0;            // of the loop watch, when it was last looked at
  random_words random_;
};

}  // namespace egress::dns
