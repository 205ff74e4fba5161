#include "runtime/program/dns_setup.hpp"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "actors/dns/io/loop_watch.hpp"
#include "actors/dns/io/resolv_conf_watch.hpp"
#include "actors/dns/io/worker.hpp"
#include "runtime/base/log.hpp"
#include "runtime/net/tls.hpp"

namespace egress {
namespace {

// The configuration of one loop that starts now: with the upstreams of now, and a recorder of its own in the
// query log.
dns::worker_config config_of(const dns_setup& with, std::size_t index) {
  auto config = with.config;
  config.upstreams = *with.upstreams->get();
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
      : source_(with.upstreams), worker_(with.sockets, index, config_of(with, index), with.counters[index]) {
    follows_ = source_->follow([this](const auto& list) { worker_.set_upstreams(list); });
    worker_.start(std::move(failed));
  }
  void set_table(hijack_table_ptr table) override { worker_.set_table(std::move(table)); }
  void serve_also(const std::set<std::size_t>& siblings) override { worker_.serve_also(siblings); }

 private:
  std::shared_ptr<dns::upstream_source> source_;
  dns::worker worker_;
  std::shared_ptr<void> follows_;
};

// All loops notice the same: it is news once.
class upstream_news {
 public:
  void tell(const std::string& to, const std::string& problem) {
    const std::scoped_lock lock(mutex_);
    auto& last = last_[to];
    if (last == problem) return;
    last = problem;
    if (problem.empty())
      log::info("an upstream DNS server is good again", {{"upstream", to}});
    else
      log::warn("an upstream DNS server", {{"upstream", to}, {"problem", problem}});
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> last_;
};

std::string names_of(const dns::upstream_list& servers) {
  std::string text;
  for (const auto& one : servers) text += (text.empty() ? "" : ", ") + dns::to_text(one.address);
  return text;
}

void complain(const dns::resolv_conf& read, const std::string& path) {
  for (const auto& one : read.complaints) log::warn("left out", {{"file", path}, {"why", one}});
}

void use_resolv_conf(const std::string& path, dns_setup& into) {
  auto read = dns::read_resolv_conf(path);
  complain(read, path);
  if (read.servers.empty())
    log::warn("no upstream nameservers: names that are not hijacked get SERVFAIL; give --dns-upstream",
              {{"file", path}});
  into.config.upstreams = std::move(read.servers);
  into.left_out_at_start = std::move(read.complaints);
  into.resolv_conf = path;
}

result<dns::upstream_list> upstreams_of(const dns_options& options) {
  dns::upstream_list all;
  for (const auto& one : options.upstreams) {
    auto parsed = dns::parse_upstream(one);
    if (!parsed) return fail("--dns-upstream: {}", parsed.error().message);
    all.push_back(std::move(*parsed));
  }
  return all;
}

// A table that cannot be used is as good as none: what it would say, the API server will.
void restore_table(const std::string& path, std::string_view cluster_domain, dns_setup& into) {
  into.saver = std::make_shared<table_saver>(path);
  auto loaded = load_table(path, cluster_domain);
  if (!loaded) return log::warn("the saved DNS table is ignored", {{"why", loaded.error().message}});
  if (!*loaded) return;
  log::info("DNS answers from the saved table until the API server has said what is",
            {{"file", path}, {"names", (*loaded)->size()}});
  into.memory->set(std::move(*loaded));
  into.restored = true;
}

result<std::vector<dns::forward_domain>> domains_of(const dns_options& options) {
  std::vector<dns::forward_domain> all;
  for (const auto& one : options.forwards) {
    auto parsed = dns::parse_forward(one);
    if (!parsed) return fail("--dns-forward: {}", parsed.error().message);
    const auto twice = [&](const auto& other) { return dns::same_name(other.domain, parsed->domain); };
    if (std::ranges::any_of(all, twice))
      return fail("--dns-forward: {:?} is given twice; write its servers behind each other: DOMAIN=IP,IP",
                  one);
    all.push_back(std::move(*parsed));
  }
  return all;
}

bool any_over_tls(const dns::worker_config& config) {
  const auto tls = [](const dns::upstream_server& one) { return !one.tls_name.empty(); };
  return std::ranges::any_of(config.upstreams, tls) ||
         std::ranges::any_of(config.domains,
                             [&](const auto& one) { return std::ranges::any_of(one.servers, tls); });
}

// What forwarding needs beside its upstreams.
result<void> set_up_forwarding(const dns_options& options, dns_setup& into) {
  auto upstreams = upstreams_of(options);
  if (!upstreams) return std::unexpected(upstreams.error());
  auto domains = domains_of(options);
  if (!domains) return std::unexpected(domains.error());
  std::random_device random;
  auto& config = into.config;
  if (options.upstreams.empty())
    use_resolv_conf(options.resolv_conf, into);
  else
    config.upstreams = std::move(*upstreams);
  config.domains = std::move(*domains);
  config.policy = options.policy;
  if (any_over_tls(config)) {
    // The system's authorities, or those of SSL_CERT_FILE: a megabyte that only they need.
    auto tls = net::make_tls_context({});
    if (!tls)
      return fail("DNS over TLS (tls:// in --dns-upstream or --dns-forward): {}", tls.error().message);
    config.tls = std::move(*tls);
  }
  config.loops = std::make_shared<dns::loop_watch>(std::uint64_t{random()} << 32 | random());
  config.upstream_news = [news = std::make_shared<upstream_news>()](const auto& to, const auto& problem) {
    news->tell(to, problem);
  };
  std::vector<dns::wire_name> names;
  for (const auto& one : config.domains) names.push_back(one.domain);
  config.answers.answers.forwarded = std::make_shared<const dns::domain_routes>(names);
  into.upstreams = std::make_shared<dns::upstream_source>(config.upstreams);
  return {};
}

constexpr std::chrono::seconds between_looks{3};  // at resolv.conf

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

void dns_setup::follow_resolv_conf(boost::asio::io_context& context) const {
  if (resolv_conf.empty()) return;
  const auto changed = [path = resolv_conf, source = upstreams](const dns::resolv_conf& now) {
    complain(now, path);
    if (now.servers.empty() || now.servers == *source->get()) return;
    log::info("other upstream DNS servers", {{"file", path}, {"upstreams", names_of(now.servers)}});
    source->set(now.servers);
  };
  const dns::resolv_conf read_at_start{.servers = config.upstreams, .complaints = left_out_at_start};
  std::make_shared<dns::resolv_conf_watch>(context, resolv_conf, read_at_start, between_looks, changed)
      ->start();
}

result<dns_setup> prepare_dns(const dns_options& options, std::string_view cluster_domain) {
  dns_setup made;
  const auto workers =
      options.workers > 0 ? options.workers : std::max(1u, std::thread::hardware_concurrency());
  auto allow = dns::client_acl::parse(options.allow);
  if (!allow) return fail("--dns-allow: {}", allow.error().message);
  if (auto done = set_up_forwarding(options, made); !done) return std::unexpected(done.error());
  auto sockets = dns::open_dns_sockets(options.address, workers);
  if (!sockets) return fail("--dns-addr: {}", sockets.error().message);

  made.address = sockets->address;
  made.sockets = std::make_shared<const std::vector<dns::worker_sockets>>(std::move(sockets->workers));
  for (unsigned i = 0; i < workers; ++i) made.counters.push_back(std::make_shared<dns::worker_counters>());
  if (!options.snapshot.empty()) {
    if (auto there = check_folder_of_table(options.snapshot); !there)
      return fail("--dns-snapshot: {}", there.error().message);
    restore_table(options.snapshot, cluster_domain, made);
  }
  made.config.last_table = made.memory;
  made.config.allow = std::move(*allow);
  made.config.cookie_root = random_secret();
  made.config.answers.answers.ttl = static_cast<std::uint32_t>(options.ttl.count());
  made.config.answers.max_ttl = static_cast<std::uint32_t>(options.max_ttl.count());
  auto log = query_log_of(options.log, workers);
  if (!log) return fail("--dns-log: {}", log.error().message);
  made.log = std::move(*log);
  made.config.forward.max_concurrent = std::max(1u, options.max_concurrent / workers);
  made.config.cache.bytes = static_cast<std::size_t>(options.cache_size / workers);
  return made;
}

}  // namespace egress
