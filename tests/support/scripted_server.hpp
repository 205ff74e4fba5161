#pragma once
// A server on loopback that answers with given bytes, so that a test decides where an answer is cut, how it
// is chopped up, and when a connection closes. Connections are served one after the other by one thread.

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/net/unique_fd.hpp"

namespace egress::test {

// What follows a request, once all of its body has been read.
struct scripted_answer {
  std::string bytes;
  bool byte_by_byte = false;
  enum class after { keep, close, hold } then = after::keep;  // hold: until the client closes
  bool head_only = false;                                     // the request's body is left unread
};
// The answers of one connection, in order; after the last one it is closed.
using scripted_connection = std::vector<scripted_answer>;

class scripted_server {
 public:
  explicit scripted_server(std::vector<scripted_connection> script);
  // Ends what is under way. Connections that no client made are not waited for.
  ~scripted_server();
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;

  std::string url() const;
  // Head and body of every request so far, in order.
  std::vector<std::string> requests() const;
  // How many connections it has closed so far.
  std::size_t closed() const;

 private:
  void serve();
  void serve_connection(int fd, const scripted_connection& script);

  std::vector<scripted_connection> script_;
  unique_fd listening_;
  int port_ = 0;
  mutable std::mutex guard_;
  std::vector<std::string> requests_;
  int current_ = -1;
  std::size_t closed_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

// "HTTP/1.1 200 OK" with a Content-Length; `fields` are whole lines.
std::string http_answer(int status, const std::string& body, const std::string& fields = "");
// The same, chunked: one chunk a piece.
std::string chunked_answer(const std::vector<std::string>& pieces, bool complete = true);

}  // namespace egress::test
