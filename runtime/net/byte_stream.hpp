#pragma once
// A TCP connection, plain or under TLS: for protocols that do not care which. Used on its io_context's thread
// only.

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>

namespace boost::asio::ssl {
class context;
}

namespace egress::net {

class byte_stream {
 public:
  // "" when connected (under TLS: and the peer is who it should be), else why not, for people.
  using connected = std::function<void(std::string problem)>;
  using moved = std::function<void(boost::system::error_code failed, std::size_t size)>;

  virtual ~byte_stream() = default;
  // Once. Handlers are never called from within these functions, and keep the stream alive until they are.
  virtual void connect(const boost::asio::ip::tcp::endpoint& to, connected on_connected) = 0;
  virtual void read_some(boost::asio::mutable_buffer into, moved on_read) = 0;
  // Writes all of it.
  virtual void write(boost::asio::const_buffer from, moved on_written) = 0;
  // At once, without TLS's farewell; what is under way ends with an error.
  virtual void close() = 0;
};

std::shared_ptr<byte_stream> make_tcp_stream(boost::asio::io_context& context);
// `name`: what the peer's certificate must bear, sent as SNI when it is no address (runtime/net/tls.hpp).
std::shared_ptr<byte_stream> make_tls_stream(boost::asio::io_context& context,
                                             std::shared_ptr<boost::asio::ssl::context> rules,
                                             std::string name);

}  // namespace egress::net
