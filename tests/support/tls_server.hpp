#pragma once
// An HTTPS server on loopback that answers every request alike. Connections are served one after the other by
// one thread.

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/net/unique_fd.hpp"
#include "tests/support/certificates.hpp"

namespace egress::test {

struct tls_server_options {
  const certified* who = nullptr;      // required
  const certified* clients = nullptr;  // who must have signed a client's certificate; null: none is asked for
  std::string answer;                  // the bytes of each answer
  bool keeps = false;                  // a connection serves all that come; else one
};

class tls_server {
 public:
  explicit tls_server(const tls_server_options& options);
  ~tls_server();
  tls_server(const tls_server&) = delete;
  tls_server& operator=(const tls_server&) = delete;

  std::string url() const;
  // The name each client asked for (SNI), "" for none, of all whose handshake was begun.
  std::vector<std::string> names() const;
  // How many of them went on with the session of one before.
  int resumed() const;

 private:
  void serve();
  void serve_connection(int fd);

  std::string answer_;
  bool keeps_;
  tls_context context_;
  unique_fd listening_;
  int port_ = 0;
  mutable std::mutex guard_;
  std::vector<std::string> names_;
  int resumed_ = 0;
  int current_ = -1;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace egress::test
