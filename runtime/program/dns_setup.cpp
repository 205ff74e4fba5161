#include "runtime/program/dns_setup.hpp"

#include <unistd.h>

#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "actors/dns/io/worker.hpp"
#include "runtime/base/log.hpp"

namespace egress {
namespace {

// The configuration of one loop, which has a recorder of its own in the query log.
dns::worker_config config_of(const dns_setup& with, std::size_t index) {
  auto config = with.config;
  if (with.log) config.log = {with.log, &with.log->recorder(index)};
  return config;
}

// Null when it is off. It writes to stdout: the program's other logs are on stderr.
result<std::shared_ptr<dns::query_log_writer>> query_log_of(const dns_log_options& options,
                                                            unsigned workers) {
  if (options.which == dns_log_options::queries::none) return nullptr;
  const bool errors = options.which == dns_log_options::queries::errors;
  return dns::query_log_writer::start(
      {.which = errors ? dns::logged_queries::errors : dns::logged_queries::all, .one_in = options.one_in},
      workers, STDOUT_FILENO);
}

// The actor's loop on the real one.
class socket_loop final : public packet_loop {
 public:
  socket_loop(const dns_setup& with, std::size_t index, std::function<void(std::string)> failed)
      : worker_(with.sockets, index, config_of(with, index), with.counters[index]) {
    // Before the first packet: what waited in the kernel while there was no worker is answered as ever.
    if (auto last = with.memory->get()) worker_.set_table(std::move(last));
    worker_.start(std::move(failed));
  }
  void set_table(hijack_table_ptr table) override { worker_.set_table(std::move(table)); }
  void serve_also(const std::set<std::size_t>& siblings) override { worker_.serve_also(siblings); }

 private:
  dns::worker worker_;
};

result<std::vector<dns::upstream_address>> upstreams_of(const dns_options& options) {
  auto texts = options.upstreams;
  if (texts.empty()) {
    std::ifstream in(options.resolv_conf);
    std::ostringstream text;
    if (in) text << in.rdbuf();
    texts = dns::nameservers_of(text.str());
    if (texts.empty())
      log::warn("no upstream nameservers: names that are not hijacked get SERVFAIL; give --dns-upstream",
                {{"file", options.resolv_conf}});
  }
  std::vector<dns::upstream_address> all;
  for (const auto& one : texts) {
    auto parsed = dns::parse_upstream(one);
    if (!parsed) return fail("--dns-upstream: {}", parsed.error().message);
    all.push_back(*parsed);
  }
  return all;
}

// The kernel's randomness.
dns::cookie_secret random_secret() {
  std::random_device random;
  dns::cookie_secret secret;
  for (auto& one : secret) one = static_cast<std::uint8_t>(random());
  return secret;
}

}  // namespace

packet_loop_factory dns_setup::loops() const {
  return [with = *this](std::size_t index, std::function<void(std::string)> failed) {
    return std::make_unique<socket_loop>(with, index, std::move(failed));
  };
}

result<dns_setup> prepare_dns(const dns_options& options) {
  dns_setup made;
  const auto workers =
      options.workers > 0 ? options.workers : std::max(1u, std::thread::hardware_concurrency());
  auto allow = dns::client_acl::parse(options.allow);
  if (!allow) return fail("--dns-allow: {}", allow.error().message);
  auto upstreams = upstreams_of(options);
  if (!upstreams) return std::unexpected(upstreams.error());
  auto sockets = dns::open_dns_sockets(options.address, workers);
  if (!sockets) return fail("--dns-addr: {}", sockets.error().message);

  made.address = sockets->address;
  made.sockets = std::make_shared<const std::vector<dns::worker_sockets>>(std::move(sockets->workers));
  for (unsigned i = 0; i < workers; ++i) made.counters.push_back(std::make_shared<dns::worker_counters>());
  made.config.allow = std::move(*allow);
  made.config.cookie_root = random_secret();
  made.config.upstreams = std::move(*upstreams);
  made.config.answers.answers.ttl = static_cast<std::uint32_t>(options.ttl.count());
  made.config.answers.max_ttl = static_cast<std::uint32_t>(options.max_ttl.count());
  auto log = query_log_of(options.log, workers);
  if (!log) return fail("--dns-log: {}", log.error().message);
  made.log = std::move(*log);
  made.config.forward.max_concurrent = std::max(1u, options.max_concurrent / workers);
  return made;
}

}  // namespace egress
