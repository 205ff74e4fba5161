#include "runtime/net/byte_stream.hpp"

#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include "runtime/net/keep_alive.hpp"
#include "runtime/net/tls.hpp"

namespace egress::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class tcp_stream final : public byte_stream, public std::enable_shared_from_this<tcp_stream> {
 public:
  explicit tcp_stream(asio::io_context& context) : socket_(context) {}

  void connect(const tcp::endpoint& to, connected on_connected) override {
    socket_.async_connect(to, [self = shared_from_this(), call = std::move(on_connected)](error_code failed) {
      error_code ignored;
      if (!failed) {
        self->socket_.set_option(tcp::no_delay(true), ignored);
        keep_alive(self->socket_.native_handle());
      }
      call(failed ? failed.message() : "");
    });
  }
  void read_some(asio::mutable_buffer into, moved on_read) override {
    socket_.async_read_some(into, [self = shared_from_this(), call = std::move(on_read)](
                                      error_code failed, std::size_t size) { call(failed, size); });
  }
  void write(asio::const_buffer from, moved on_written) override {
    asio::async_write(socket_, from,
                      [self = shared_from_this(), call = std::move(on_written)](
                          error_code failed, std::size_t size) { call(failed, size); });
  }
  void close() override {
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  tcp::socket socket_;
};

class tls_stream final : public byte_stream, public std::enable_shared_from_this<tls_stream> {
 public:
  tls_stream(asio::io_context& context, std::shared_ptr<asio::ssl::context> rules, std::string name)
      : rules_(std::move(rules)), name_(std::move(name)), stream_(context, *rules_) {
    expect_peer(stream_.native_handle(), name_, true);
  }

  void connect(const tcp::endpoint& to, connected on_connected) override {
    stream_.next_layer().async_connect(
        to, [self = shared_from_this(), call = std::move(on_connected)](error_code failed) mutable {
          if (failed) return call(failed.message());
          self->shake_hands(std::move(call));
        });
  }
  void read_some(asio::mutable_buffer into, moved on_read) override {
    stream_.async_read_some(into, [self = shared_from_this(), call = std::move(on_read)](
                                      error_code failed, std::size_t size) { call(failed, size); });
  }
  void write(asio::const_buffer from, moved on_written) override {
    asio::async_write(stream_, from,
                      [self = shared_from_this(), call = std::move(on_written)](
                          error_code failed, std::size_t size) { call(failed, size); });
  }
  void close() override {
    error_code ignored;
    stream_.next_layer().close(ignored);
  }

 private:
  void shake_hands(connected on_connected) {
    error_code ignored;
    stream_.next_layer().set_option(tcp::no_delay(true), ignored);
    keep_alive(stream_.next_layer().native_handle());
    stream_.async_handshake(asio::ssl::stream_base::client,
                            [self = shared_from_this(), call = std::move(on_connected)](error_code failed) {
                              if (!failed) return call("");
                              const auto why = why_refused(self->stream_.native_handle(), self->name_);
                              call(why.empty() ? failed.message() : why);
                            });
  }

  std::shared_ptr<asio::ssl::context> rules_;
  std::string name_;
  asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

std::shared_ptr<byte_stream> make_tcp_stream(asio::io_context& context) {
  return std::make_shared<tcp_stream>(context);
}

std::shared_ptr<byte_stream> make_tls_stream(asio::io_context& context,
                                             std::shared_ptr<asio::ssl::context> rules, std::string name) {
  return std::make_shared<tls_stream>(context, std::move(rules), std::move(name));
}

}  // namespace egress::net
