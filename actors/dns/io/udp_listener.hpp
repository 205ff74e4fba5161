#pragma once
// A UDP socket served in batches of 64: one recvmmsg, an answer for each, one sendmmsg. Used on its loop's
// thread only; nothing in a batch throws.

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "actors/dns/io/query_service.hpp"
#include "actors/dns/standing_queue.hpp"
#include "runtime/net/unique_fd.hpp"

namespace egress::dns {

struct datagram_peer;

class udp_listener : public std::enable_shared_from_this<udp_listener> {
 public:
  udp_listener(boost::asio::io_context& context, unique_fd socket, query_service& service,
               worker_counters& counters);
  ~udp_listener();

  void start();
  // No batch begins any more; later answers still leave while somebody holds the listener.
  void stop();

 private:
  struct batch;
  void wait();
  void serve_batches();
  bool serve_batch() noexcept;
  void answer(std::size_t first, std::size_t count, std::chrono::steady_clock::time_point now);
  void answer_one(std::size_t at, std::size_t number, std::chrono::steady_clock::time_point now);
  void send_answers();
  reply_sink sink_for(std::size_t at);
  void send_later_answer(bytes answer, const datagram_peer& to);

  boost::asio::io_context& context_;
  // With the executor's own type: any_io_executor would cost calls for each wait.
  boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> socket_;
  query_service& service_;
  worker_counters& counters_;
  std::unique_ptr<batch> batch_;
  standing_queue queue_;
  bool hurried_ = false;  // the batch in hand: there is a standing queue behind it
  bool stopped_ = false;
};

}  // namespace egress::dns
