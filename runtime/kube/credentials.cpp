#include "runtime/kube/credentials.hpp"

#include <fstream>
#include <sstream>

#include "runtime/kube/exec_plugin.hpp"
#include "runtime/net/tls.hpp"

namespace egress::kube {

namespace asio = boost::asio;

namespace {

constexpr seconds token_age{60};
constexpr seconds certificate_age{300};
constexpr seconds exec_leeway{10};

result<std::string> read_file(const std::string& path, std::string_view what) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return fail("{} {}: the file cannot be read", what, path);
  return text.str();
}

result<std::string> read(const pem_source& from, std::string_view what) {
  if (!from.data.empty() || from.file.empty()) return from.data;
  return read_file(from.file, what);
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace

void credentials::refused() {
  stale_ = true;
}

result<void> credentials::refresh_token(steady_time now) {
  if (config_.token_file.empty()) {
    if (!config_.exec) now_.token = config_.token;
    return {};
  }
  if (!stale_ && now - token_read_ < token_age) return {};
  auto text = read_file(config_.token_file, "token file");
  // The last token may well be valid still: an unreadable file is an error only when there never was one.
  if (!text && now_.token.empty()) return std::unexpected(text.error());
  if (text) now_.token = trimmed(std::move(*text));
  token_read_ = now;
  return {};
}

result<void> credentials::refresh_tls(steady_time now) {
  if (!config_.server.starts_with("https://")) return {};
  if (!stale_ && now_.tls && now - tls_read_ < certificate_age) return {};
  auto authorities = read(config_.certificate_authority, "certificate-authority");
  if (!authorities) return std::unexpected(authorities.error());
  auto certificate = read(config_.client_certificate, "client-certificate");
  if (!certificate) return std::unexpected(certificate.error());
  auto key = read(config_.client_key, "client-key");
  if (!key) return std::unexpected(key.error());
  net::tls_material material{*authorities, *certificate, *key, !config_.insecure_skip_tls_verify};
  if (!exec_certificate_.empty()) {
    material.certificate = exec_certificate_;
    material.key = exec_key_;
  }
  auto made = net::make_tls_context(material);
  if (!made) return std::unexpected(made.error());
  now_.tls = std::move(*made);
  tls_read_ = now;
  return {};
}

asio::awaitable<result<void>> credentials::refresh_exec(asio::any_io_executor on) {
  if (!config_.exec) co_return result<void>{};
  const bool have_one = !now_.token.empty() || !exec_certificate_.empty();
  const bool ends_soon = exec_ends_ && std::chrono::system_clock::now() + exec_leeway > *exec_ends_;
  if (have_one && !stale_ && !ends_soon) co_return result<void>{};
  auto made = co_await run_exec_plugin(on, *config_.exec);
  if (!made) co_return std::unexpected(made.error());
  now_.token = made->token;
  exec_ends_ = made->ends;
  if (made->certificate != exec_certificate_) now_.tls = nullptr;
  exec_certificate_ = made->certificate;
  exec_key_ = made->key;
  co_return result<void>{};
}

asio::awaitable<result<credentials::current>> credentials::get(asio::any_io_executor on) {
  const auto now = std::chrono::steady_clock::now();
  if (auto done = co_await refresh_exec(on); !done) co_return std::unexpected(done.error());
  if (auto done = refresh_token(now); !done) co_return std::unexpected(done.error());
  if (auto done = refresh_tls(now); !done) co_return std::unexpected(done.error());
  stale_ = false;
  co_return now_;
}

}  // namespace egress::kube
