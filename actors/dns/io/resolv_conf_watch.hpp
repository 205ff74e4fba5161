#pragma once
// Looks at a resolv.conf every few seconds, and tells when it names other servers: no restart is needed when
// the node's resolver changes.

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "actors/dns/io/config.hpp"

namespace egress::dns {

// The nameservers of a file, by address only: lines that name none, or one over TLS, are left out with a
// complaint each. Empty when the file cannot be read.
struct resolv_conf {
  upstream_list servers;
  std::vector<std::string> complaints;

  friend bool operator==(const resolv_conf&, const resolv_conf&) = default;
};
resolv_conf read_resolv_conf(const std::string& path);

// Used on its io_context's thread only; lives as long as that, once it was started.
class resolv_conf_watch : public std::enable_shared_from_this<resolv_conf_watch> {
 public:
  // `changed` gets what differs from what it got before, at first from `known`: other servers, or other
  // complaints; these also without any server. A file that is gone, or being written, changes nothing.
  using change = std::function<void(const resolv_conf&)>;

  resolv_conf_watch(boost::asio::io_context& context, std::string path, resolv_conf known,
                    std::chrono::milliseconds every, change changed)
      : timer_(context),
        path_(std::move(path)),
        known_(std::move(known)),
        every_(every),
        changed_(std::move(changed)) {}
  // May be called from any thread, once.
  void start();

 private:
  void look();

  boost::asio::steady_timer timer_;
  std::string path_;
  resolv_conf known_;
  std::chrono::milliseconds every_;
  change changed_;
};

}  // namespace egress::dns
