#include "runtime/kube/credentials.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/base/log.hpp"
#include "runtime/kube/exec_plugin.hpp"
#include "runtime/kube/text_file.hpp"
#include "runtime/net/tls.hpp"
#include "runtime/net/tls_sessions.hpp"

namespace egress::kube {

namespace asio = boost::asio;

namespace {

constexpr seconds token_age{50};  // a minute, and 10 s of leeway
constexpr seconds certificate_age{300};
// After files that could not be used.
constexpr seconds look_again{10};
constexpr seconds exec_leeway{10};

result<std::string> read(const pem_source& from, std::string_view what) {
  if (!from.data.empty() || from.file.empty()) return from.data;
  auto text = read_text_file(from.file, what);
  // Empty is no other way to say "none": the system's authorities would be trusted instead.
  if (text && text->empty()) return fail("{} {}: the file is empty", what, from.file);
  return text;
}

// What errors call a field's content.
std::string name_of(const pem_source& from, std::string_view field) {
  return from.data.empty() ? fmt::format("{} {}", field, from.file) : fmt::format("{}-data", field);
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

// Go's rule for header values. What is not one would end the field, or the request.
result<void> check_token(const std::string& token, const std::string& from) {
  for (const char c : token)
    if (c <= ' ' || c == 0x7f) return fail("{}: the token has a character that no HTTP field may have", from);
  return {};
}

result<std::string> read_token(const std::string& file) {
  auto text = read_text_file(file, "token file");
  if (!text) return text;
  auto token = trimmed(std::move(*text));
  if (token.empty()) return fail("token file {}: the file is empty", file);
  if (auto good = check_token(token, "token file " + file); !good) return std::unexpected(good.error());
  return token;
}

// A plugin under way, and who waits for it.
struct flight {
  std::optional<result<void>> outcome;
  std::vector<asio::steady_timer*> waiting;

  void land(result<void> how) {
    outcome = std::move(how);
    for (auto* one : waiting) one->cancel();
  }
};

// One who waits; at the deadline it waits no longer.
struct passenger {
  passenger(const asio::any_io_executor& on, steady_time deadline, std::shared_ptr<flight> what)
      : of(std::move(what)), landed(on, deadline) {
    of->waiting.push_back(&landed);
  }
  ~passenger() { std::erase(of->waiting, &landed); }
  passenger(const passenger&) = delete;
  passenger& operator=(const passenger&) = delete;

  std::shared_ptr<flight> of;
  asio::steady_timer landed;
};

}  // namespace

struct credentials::state {
  state(connection_config with, std::function<steady_time()> by)
      : config(std::move(with)), clock(std::move(by)) {}

  bool plugin_is_due() const;
  void use(std::string_view token);
  result<void> check(const exec_credential& made) const;
  void show(const std::string& certificate, const std::string& key, net::tls_material& in) const;
  result<void> take(result<exec_credential> made);
  result<void> refresh_token(steady_time now);
  result<void> refresh_tls(steady_time now);
  result<net::tls_material> material() const;
  result<current> refresh_files();

  connection_config config;
  std::function<steady_time()> clock;
  std::shared_ptr<flight> under_way;
  current latest;
  net::tls_material made_of;  // latest.tls
  std::string exec_certificate, exec_key;
  std::optional<wall_time> exec_ends;
  steady_time token_read{}, tls_read{};
  bool exec_stale = true, files_stale = true;  // to be run or read again, whatever their age
};

bool credentials::state::plugin_is_due() const {
  if (!config.exec) return false;
  return exec_stale || (exec_ends && std::chrono::system_clock::now() + exec_leeway > *exec_ends);
}

// Of a plugin: what cannot be used is none, and it is asked again.
result<void> credentials::state::check(const exec_credential& made) const {
  if (auto good = check_token(made.token, "exec plugin " + config.exec->command); !good) return good;
  if (made.certificate.empty()) return {};
  net::tls_material alone;
  alone.verify = false;
  show(made.certificate, made.key, alone);
  if (auto usable = net::make_tls_context(alone); !usable) return std::unexpected(usable.error());
  return {};
}

void credentials::state::show(const std::string& certificate, const std::string& key,
                              net::tls_material& in) const {
  in.certificate = certificate;
  in.key = key;
  in.certificate_name = fmt::format("exec plugin {}: clientCertificateData", config.exec->command);
  in.key_name = fmt::format("exec plugin {}: clientKeyData", config.exec->command);
}

result<void> credentials::state::take(result<exec_credential> made) {
  if (!made) return std::unexpected(made.error());
  if (auto good = check(*made); !good) return good;
  use(made->token);
  exec_ends = made->ends;
  if (made->certificate != exec_certificate || made->key != exec_key) latest.tls = nullptr;
  exec_certificate = std::move(made->certificate);
  exec_key = std::move(made->key);
  exec_stale = false;
  return {};
}

// The same one is the same pointer, which tells refused() that nothing was replaced.
void credentials::state::use(std::string_view token) {
  constexpr std::string_view scheme = "Bearer ";
  if (latest.authorization && std::string_view{*latest.authorization}.substr(scheme.size()) == token) return;
  latest.authorization =
      token.empty() ? nullptr : std::make_shared<const std::string>(std::string{scheme}.append(token));
}

result<void> credentials::state::refresh_token(steady_time now) {
  if (config.token_file.empty()) {
    if (config.exec || latest.authorization) return {};
    auto good = check_token(config.token, "token");
    if (good) use(config.token);
    return good;
  }
  if (!files_stale && now - token_read < token_age) return {};
  auto token = read_token(config.token_file);
  // The last token may well be valid still: a bad file is an error only when there never was one.
  if (!token && !latest.authorization) return std::unexpected(token.error());
  if (token) use(*token);
  token_read = now;
  return {};
}

result<net::tls_material> credentials::state::material() const {
  auto authorities = read(config.certificate_authority, "certificate-authority");
  if (!authorities) return std::unexpected(authorities.error());
  net::tls_material made;
  made.verify = !config.insecure_skip_tls_verify;
  made.authorities = std::move(*authorities);
  made.authorities_name = name_of(config.certificate_authority, "certificate-authority");
  if (!exec_certificate.empty()) {
    show(exec_certificate, exec_key, made);
    return made;
  }
  auto certificate = read(config.client_certificate, "client-certificate");
  if (!certificate) return std::unexpected(certificate.error());
  auto key = read(config.client_key, "client-key");
  if (!key) return std::unexpected(key.error());
  made.certificate = std::move(*certificate);
  made.key = std::move(*key);
  made.certificate_name = name_of(config.client_certificate, "client-certificate");
  made.key_name = name_of(config.client_key, "client-key");
  return made;
}

result<void> credentials::state::refresh_tls(steady_time now) {
  if (!config.server.starts_with("https://")) return {};
  if (!files_stale && latest.tls && now - tls_read < certificate_age) return {};
  const auto from = material();
  // The same again, but for the system's authorities, which are nobody's file here: connections that wait for
  // use stay of use.
  if (from && latest.tls && *from == made_of && (!from->verify || !from->authorities.empty())) {
    tls_read = now;
    return {};
  }
  auto made = from ? net::make_tls_context(*from) : std::unexpected(from.error());
  tls_read = now;
  if (made) {
    net::keep_sessions((*made)->native_handle());
    latest.tls = std::move(*made);
    made_of = *from;
    return {};
  }
  // Half written, mostly: what was read last may well be valid still, and is looked for again soon.
  if (!latest.tls) return std::unexpected(made.error());
  tls_read -= certificate_age - look_again;
  log::warn("the files of TLS cannot be used: those read before are", {{"why", made.error().message}});
  return {};
}

result<credentials::current> credentials::state::refresh_files() {
  const auto now = clock();
  if (auto done = refresh_token(now); !done) return std::unexpected(done.error());
  if (auto done = refresh_tls(now); !done) return std::unexpected(done.error());
  files_stale = false;
  return latest;
}

credentials::credentials(connection_config config, std::function<steady_time()> clock)
    : state_(std::make_shared<state>(std::move(config), std::move(clock))) {}
credentials::~credentials() = default;

void credentials::refused(const current& what) {
  // Of many who were refused together, the first to come back brought new ones: the others are late.
  if (what.authorization != state_->latest.authorization || what.tls != state_->latest.tls) return;
  state_->exec_stale = state_->files_stale = true;
}

void credentials::distrusted(const current& what) {
  if (what.tls != state_->latest.tls) return;
  state_->files_stale = true;
  state_->exec_stale |= !state_->exec_certificate.empty();
}

asio::awaitable<result<credentials::current>> credentials::get(asio::any_io_executor on,
                                                               steady_time deadline) {
  const auto keep = state_;
  if (keep->plugin_is_due()) {
    if (!keep->under_way) {
      keep->under_way = std::make_shared<flight>();
      asio::co_spawn(
          on, run_exec_plugin(on, *keep->config.exec),
          [keep](const std::exception_ptr& thrown, result<exec_credential> made) {
            const auto landing = std::exchange(keep->under_way, nullptr);
            landing->land(keep->take(thrown ? fail("exec plugin: it could not be run") : std::move(made)));
          });
    }
    passenger one(on, deadline, keep->under_way);
    // It may have landed already: a plugin that cannot be started is an outcome at once.
    if (!one.of->outcome) co_await one.landed.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!one.of->outcome) co_return fail("exec plugin {}: no outcome in time", keep->config.exec->command);
    if (!*one.of->outcome) co_return std::unexpected(one.of->outcome->error());
  }
  co_return keep->refresh_files();
}

bool credentials::waits() const {
  return state_->plugin_is_due();
}

result<credentials::current> credentials::at_hand() {
  return state_->refresh_files();
}

}  // namespace egress::kube
