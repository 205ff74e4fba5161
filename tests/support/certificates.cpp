#include "tests/support/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace egress::test {
namespace {

void must(bool worked) {
  if (!worked) throw std::runtime_error("OpenSSL could not make a certificate");
}

template <class Write>
std::string pem(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  must(write(out.get()) == 1);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

void extend(X509* what, X509* issuer, int field, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, what, nullptr, nullptr, 0);
  X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, field, value.c_str());
  must(made != nullptr && X509_add_ext(what, made, -1) == 1);
  X509_EXTENSION_free(made);
}

void set_time(ASN1_TIME* field, std::chrono::hours from_now) {
  must(X509_gmtime_adj(field, std::chrono::seconds{from_now}.count()) != nullptr);
}

// EVP_EC_gen is a macro that casts const away.
EVP_PKEY* make_key() {
  char curve[] = "P-256";
  return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve);
}

}  // namespace

certified::certified() : certificate_(X509_new()), key_(make_key()) {
  must(certificate_ && key_);
}

void certified::fill(const std::string& name, const certificate_request& what, const certified& issuer) {
  auto* made = certificate_.get();
  static long serial = 0;
  ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
  X509_set_version(made, X509_VERSION_3);
  set_time(X509_getm_notBefore(made), what.begins);
  set_time(X509_getm_notAfter(made), what.ends);
  X509_set_pubkey(made, key_.get());
  std::string copy = name;  // for its unsigned bytes
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(copy.data()), -1, -1, 0);
  X509_set_issuer_name(made, X509_get_subject_name(issuer.certificate_.get()));
}

certified certified::authority(const std::string& name) {
  certified made;
  made.fill(name, {}, made);
  extend(made.certificate_.get(), made.certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  must(X509_sign(made.certificate_.get(), made.key_.get(), EVP_sha256()) > 0);
  return made;
}

certified certified::sign(const certificate_request& what) const {
  certified made;
  made.fill("leaf", what, *this);
  extend(made.certificate_.get(), certificate_.get(), NID_subject_alt_name, what.names);
  must(X509_sign(made.certificate_.get(), key_.get(), EVP_sha256()) > 0);
  return made;
}

std::string certified::certificate() const {
  return pem([this](BIO* to) { return PEM_write_bio_X509(to, certificate_.get()); });
}

std::string certified::key() const {
  return pem([this](BIO* to) {
    return PEM_write_bio_PrivateKey(to, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

tls_context certified::server(const certified* clients) const {
  tls_context made(SSL_CTX_new(TLS_server_method()));
  must(SSL_CTX_use_certificate(made.get(), certificate_.get()) == 1);
  must(SSL_CTX_use_PrivateKey(made.get(), key_.get()) == 1);
  if (clients == nullptr) return made;
  must(X509_STORE_add_cert(SSL_CTX_get_cert_store(made.get()), clients->certificate_.get()) == 1);
  SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // Without a name for who may go on with a session, OpenSSL's servers refuse those that do.
  must(SSL_CTX_set_session_id_context(made.get(), reinterpret_cast<const unsigned char*>("egress"), 6) == 1);
  return made;
}

}  // namespace egress::test
