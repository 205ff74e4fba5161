#pragma once
// Certificates made on the spot: authorities, and what they sign.

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <chrono>
#include <memory>
#include <string>

namespace egress::test {

struct certificate_request {
  std::string names = "IP:127.0.0.1";  // subjectAltName, as openssl.cnf writes it
  std::chrono::hours begins{-1}, ends{24};
};

// A certificate and its key (P-256).
struct free_context {
  void operator()(SSL_CTX* one) const { SSL_CTX_free(one); }
};
using tls_context = std::unique_ptr<SSL_CTX, free_context>;

class certified {
 public:
  // An authority that vouches for itself.
  static certified authority(const std::string& name);
  // For a server or a client; `this` signs it.
  certified sign(const certificate_request& what) const;

  std::string certificate() const;  // PEM
  std::string key() const;          // PEM

  // What a server with this certificate needs. Not null `clients`: who must have signed a client's.
  tls_context server(const certified* clients = nullptr) const;

 private:
  struct release {
    void operator()(X509* one) const { X509_free(one); }
    void operator()(EVP_PKEY* one) const { EVP_PKEY_free(one); }
  };
  certified();
  void fill(const std::string& name, const certificate_request& what, const certified& issuer);

  std::unique_ptr<X509, release> certificate_;
  std::unique_ptr<EVP_PKEY, release> key_;
};

}  // namespace egress::test
