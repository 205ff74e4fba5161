#include "runtime/net/tls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

namespace egress::net {
namespace {

namespace ssl = boost::asio::ssl;

std::string last_error() {
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  ERR_clear_error();
  return text;
}

// Asio's add_certificate_authority stops silently at the first certificate it cannot read; a bundle that is
// cut short must be an error.
result<void> trust(ssl::context& context, const std::string& bundle) {
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
    return fail("certificate authority: no PEM certificates can be read from it");
  return {};
}

result<void> identify(ssl::context& context, const tls_material& from) {
  boost::system::error_code bad;
  context.use_certificate_chain(boost::asio::buffer(from.certificate), bad);
  if (bad) return fail("client certificate: {}", bad.message());
  context.use_private_key(boost::asio::buffer(from.key), ssl::context::pem, bad);
  if (bad) return fail("client key: {}", bad.message());
  if (SSL_CTX_check_private_key(context.native_handle()) != 1)
    return fail("client key: it is not the certificate's ({})", last_error());
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
      if (auto trusted = trust(*made, from.authorities); !trusted) return std::unexpected(trusted.error());
    }
    if (from.certificate.empty() != from.key.empty())
      return fail("client certificate and key: only one of the two is given");
    if (!from.certificate.empty())
      if (auto done = identify(*made, from); !done) return std::unexpected(done.error());
    return made;
  } catch (const std::exception& e) {
    return fail("TLS could not be set up: {}", e.what());
  }
}

}  // namespace egress::net
