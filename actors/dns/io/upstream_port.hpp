#pragma once
// A source port of ours towards one upstream: a connected UDP socket that the questions of a busy moment
// share. Opened for a question, closed as soon as all are answered or given up. Used on its io_context's
// thread only.

#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <memory>

#include "actors/dns/io/config.hpp"
#include "actors/dns/io/random_words.hpp"
#include "actors/dns/port_ledger.hpp"

namespace egress::dns {

// What the ports of a loop read into and send from: each in its turn.
struct datagram_room {
  static constexpr std::size_t batch = 16, largest_reply = 4096, largest_question = 300;

  datagram_room();
  datagram_room(const datagram_room&) = delete;
  datagram_room& operator=(const datagram_room&) = delete;

  std::array<mmsghdr, batch> in{};
  std::array<iovec, batch> in_parts{};
  std::array<std::array<std::uint8_t, largest_reply>, batch> replies;
  std::array<mmsghdr, port_ledger::most_questions> out{};
  std::array<iovec, port_ledger::most_questions> out_parts{};
  std::array<std::array<std::uint8_t, largest_question>, port_ledger::most_questions> questions;
};

// A question that waits at a port. Each call must end its wait there (drop), and is the last one; none comes
// from within `ask` or `drop`.
class port_question {
 public:
  virtual const query& asked() const = 0;
  // This is a reply to it: id, question and source address are right. Valid during the call.
  virtual void replied(bytes reply) = 0;
  // The upstream is not reachable.
  virtual void unreachable() = 0;
  // Somebody guesses at the port: no reply there is believed.
  virtual void guessed_at() = 0;

 protected:
  ~port_question() = default;
};

class upstream_port : public std::enable_shared_from_this<upstream_port> {
 public:
  upstream_port(boost::asio::io_context& context, std::shared_ptr<datagram_room> room, port_time now)
      : context_(context), room_(std::move(room)), socket_(context), ledger_(now) {}

  // False: there is no descriptor left, or no route.
  bool open(const upstream_address& to);
  bool takes_more(port_time now) const { return open_ && ledger_.takes_more(now); }
  // Sends it soon, together with others, and gives its place, for drop. `who` must outlive its wait.
  std::size_t ask(port_question& who, random_words& random);
  // It is not called any more.
  void drop(std::size_t place);

 private:
  void wait();
  void read();
  bool answers(bytes datagram, std::size_t place) const;
  void take(bytes datagram);
  void send();
  std::size_t write_questions();
  void end_all(void (port_question::*how)());
  void close();

  boost::asio::io_context& context_;
  std::shared_ptr<datagram_room> room_;
  boost::asio::ip::udp::socket socket_;
  port_ledger ledger_;
  std::array<port_question*, port_ledger::most_questions> waiting_;
  std::size_t sent_ = 0;  // places before this one were handed to the kernel
  bool open_ = false;
};

// The port for the next question to one upstream: one of its own as far as the allowance goes, else one that
// takes more.
class source_ports {
 public:
  source_ports(boost::asio::io_context& context, std::shared_ptr<datagram_room> room, upstream_address to,
               unsigned own_a_second)
      : context_(context), room_(std::move(room)), to_(std::move(to)), own_(own_a_second) {}

  // Null: there is none to be had.
  std::shared_ptr<upstream_port> next(port_time now);

 private:
  boost::asio::io_context& context_;
  std::shared_ptr<datagram_room> room_;
  upstream_address to_;
  port_allowance own_;
  std::weak_ptr<upstream_port> last_;
};

}  // namespace egress::dns
