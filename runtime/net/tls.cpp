#include "runtime/net/tls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace egress::net {
namespace {

namespace ssl = boost::asio::ssl;

// Asio's add_certificate_authority stops silently at the first certificate it cannot read; a bundle that is
// cut short must be an error.
result<void> trust(ssl::context& context, const tls_material& from) {
  const auto& bundle = from.authorities;
  auto* store = SSL_CTX_get_cert_store(context.native_handle());
  const std::unique_ptr<BIO, decltype(&BIO_free)> in(
      BIO_new_mem_buf(bundle.data(), static_cast<int>(bundle.size())), &BIO_free);
  int count = 0;
  while (X509* one = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) {
    X509_STORE_add_cert(store, one);
    X509_free(one);
    ++count;
  }
  const auto end = ERR_peek_last_error();
  ERR_clear_error();
  if (count == 0 || ERR_GET_REASON(end) != PEM_R_NO_START_LINE)
    return fail("{}: no PEM certificates can be read from it", from.authorities_name);
  return {};
}

result<void> identify(ssl::context& context, const tls_material& from) {
  boost::system::error_code bad;
  context.use_certificate_chain(boost::asio::buffer(from.certificate), bad);
  if (bad) return fail("{}: {}", from.certificate_name, bad.message());
  context.use_private_key(boost::asio::buffer(from.key), ssl::context::pem, bad);
  // OpenSSL compares the two as soon as it has both.
  const auto why = ERR_GET_REASON(static_cast<unsigned long>(bad.value()));
  if (bad && (why == X509_R_KEY_VALUES_MISMATCH || why == X509_R_KEY_TYPE_MISMATCH))
    return fail("{}: it is not the key of {}", from.key_name, from.certificate_name);
  if (bad) return fail("{}: {}", from.key_name, bad.message());
  return {};
}

}  // namespace

result<std::shared_ptr<ssl::context>> make_tls_context(const tls_material& from) {
  try {
    auto made = std::make_shared<ssl::context>(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(made->native_handle(), TLS1_2_VERSION);
    // One buffer pair a connection costs 34 KiB; they are given back while a watch is quiet.
    SSL_CTX_set_mode(made->native_handle(), SSL_MODE_RELEASE_BUFFERS);
    if (from.verify && from.authorities.empty()) {
      boost::system::error_code ignored;
      made->set_default_verify_paths(ignored);
    } else if (!from.authorities.empty()) {
      if (auto trusted = trust(*made, from); !trusted) return std::unexpected(trusted.error());
    }
    if (from.certificate.empty() != from.key.empty())
      return fail("{} and {}: only one of the two is given", from.certificate_name, from.key_name);
    if (!from.certificate.empty())
      if (auto done = identify(*made, from); !done) return std::unexpected(done.error());
    return made;
  } catch (const std::exception& e) {
    return fail("TLS could not be set up: {}", e.what());
  }
}

void expect_peer(SSL* session, const std::string& name, bool verify) {
  auto* rules = SSL_get0_param(session);
  // OpenSSL's own check of the name, not Asio's callback: it tells why it refused.
  const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str()) == 1;
  if (!is_address) {
    SSL_set_tlsext_host_name(session, name.c_str());
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set1_host(rules, name.data(), name.size());
  }
  ERR_clear_error();
  SSL_set_verify(session, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
}

std::string why_refused(SSL* session, const std::string& name) {
  const auto why = SSL_get_verify_result(session);
  if (why == X509_V_OK) return "";
  if (why == X509_V_ERR_HOSTNAME_MISMATCH || why == X509_V_ERR_IP_ADDRESS_MISMATCH)
    return fmt::format("the server's certificate is not for {:?}", name);
  return fmt::format("the server's certificate is refused: {}", X509_verify_cert_error_string(why));
}

}  // namespace egress::net
