#pragma once
// A connection to one upstream, over TCP or TLS, that questions share (RFC 7766, 7858): any number behind
// each other, replies in whatever order. Opened for the first question, closed when idle, opened again for
// the next. Used on its io_context's thread only.

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <optional>

#include "actors/dns/io/config.hpp"
#include "actors/dns/io/kept_query.hpp"
#include "actors/dns/io/random_words.hpp"
#include "runtime/net/byte_stream.hpp"

namespace egress::dns {

class stream_channel : public std::enable_shared_from_this<stream_channel> {
 public:
  // A checked reply; empty: the connection failed (a reply that never comes is the owner's timer). Called at
  // most once, never from within ask or cancel.
  using done = std::function<void(bytes reply)>;
  using make_stream = std::function<std::shared_ptr<net::byte_stream>()>;

  stream_channel(boost::asio::io_context& context, boost::asio::ip::tcp::endpoint to, make_stream make,
                 channel_limits limits);

  // Told why a connection could not be made, "" when one was.
  void on_news(std::function<void(const std::string&)> told) { told_ = std::move(told); }
  // Gives the question's id on the connection, for cancel. Ids are 16 bits: with tens of thousands waiting, a
  // new question may take one in use. The older one then never gets a reply, and cancelling it cancels this.
  std::uint16_t ask(kept_query_ptr asked, done on_done);
  void cancel(std::uint16_t id) { waiting_.erase(id); }
  // Nobody is called any more.
  void close();

 private:
  struct question {
    kept_query_ptr asked;
    done on_done;
    std::chrono::steady_clock::time_point asked_at;
    bool again = false;  // on a second connection already
  };
  // One life of the connection. What is under way on it holds it, buffers and all.
  struct link {
    std::shared_ptr<net::byte_stream> stream;
    bool connected = false, answered = false;
    // Since when a question has been on its way and nothing has come, whether anybody still waits for it or
    // not: health probes that are given up one after the other must not keep a silent connection.
    std::optional<std::chrono::steady_clock::time_point> unanswered_since;
    std::array<std::uint8_t, 4096> chunk;
    std::vector<std::uint8_t> in;            // read and not delivered yet
    std::vector<std::uint8_t> out, writing;  // what waits; what is under way
  };
  void connect();
  void connected(const std::string& problem);
  void send(std::uint16_t id, const query& asked);
  void write();
  void read();
  void take_messages();
  void deliver(bytes message);
  void broken();
  void drop_link();
  void awaits();
  // When the connection is of no more use, if nothing happens.
  std::chrono::steady_clock::time_point given_up_at() const;
  void rearm();
  void late();

  boost::asio::io_context& context_;
  boost::asio::ip::tcp::endpoint to_;
  make_stream make_;
  channel_limits limits_;
  std::function<void(const std::string&)> told_ = [](auto&) {};
  boost::asio::steady_timer timer_;
  random_words random_;

  std::shared_ptr<link> link_;  // null: not connected, nor about to be
  std::map<std::uint16_t, question> waiting_;
};

}  // namespace egress::dns
