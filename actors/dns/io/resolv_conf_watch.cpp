#include "actors/dns/io/resolv_conf_watch.hpp"

#include <boost/asio/post.hpp>
#include <fstream>
#include <sstream>

namespace egress::dns {
namespace {

// An address (resolv.conf(5)). A server over TLS is for those to name who say whose certificate it has.
result<upstream_server> parse_nameserver(const std::string& text) {
  if (text.starts_with("tls://"))
    return fail("\"{}\" is no address: for DNS over TLS give --dns-upstream tls://IP#NAME", text);
  return parse_upstream(text);
}

}  // namespace

resolv_conf read_resolv_conf(const std::string& path) {
  resolv_conf read;
  std::ifstream in(path);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  for (const auto& one : nameservers_of(text.str())) {
    auto parsed = parse_nameserver(one);
    if (parsed)
      read.servers.push_back(std::move(*parsed));
    else
      read.complaints.push_back(parsed.error().message);
  }
  return read;
}

void resolv_conf_watch::start() {
  boost::asio::post(timer_.get_executor(), [self = shared_from_this()] { self->look(); });
}

// The file is small, and its time of change is coarse: its text is read each time.
void resolv_conf_watch::look() {
  const auto now = read_resolv_conf(path_);
  const bool says_something = !now.servers.empty() || !now.complaints.empty();
  if (says_something && now != known_) {
    known_ = now;
    changed_(now);
  }
  timer_.expires_after(every_);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
    if (!cancelled) self->look();
  });
}

}  // namespace egress::dns
