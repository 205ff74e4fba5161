#include "runtime/net/tls_sessions.hpp"

#include <openssl/ssl.h>

#include <memory>
#include <new>

namespace egress::net {
namespace {

struct free_session {
  void operator()(SSL_SESSION* of) const { SSL_SESSION_free(of); }
};

using session = std::unique_ptr<SSL_SESSION, free_session>;

struct kept {
  session newest;
  steady_time trusted_at;  // when its chain of connections began with a whole handshake
};

// Of a connection; a session may be offered to it at any time of its life, and is as old as it.
struct birth {
  steady_time began;
  steady_time resumed_since;  // of the session that it asked to go on with
};

template <class What>
void free_data(void*, void* all, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<What*>(all);
}

int context_slot() {
  static const int made = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_data<kept>);
  return made;
}

int connection_slot() {
  static const int made = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_data<birth>);
  return made;
}

kept* kept_for(const SSL* connection) {
  return static_cast<kept*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), context_slot()));
}

birth& birth_of(SSL* connection) {
  if (auto* const known = SSL_get_ex_data(connection, connection_slot())) return *static_cast<birth*>(known);
  auto made = std::make_unique<birth>();
  if (SSL_set_ex_data(connection, connection_slot(), made.get()) != 1) throw std::bad_alloc();
  return *made.release();
}

// OpenSSL lets nobody go on with the session of a connection that ended without a farewell, as most of ours
// do. (That was so against truncation in SSL 3; RFC 5246, 7.2.1, has it no more.) So each has a copy of its
// own.
session copy_of(SSL_SESSION* one) {
  return session(SSL_SESSION_dup(one));
}

// OpenSSL's callback for a session that the server offers; what it returns says whose that is.
int keep(SSL* connection, SSL_SESSION* offered) {
  auto* const all = kept_for(connection);
  const auto& of = birth_of(connection);
  const auto trusted_at = SSL_session_reused(connection) == 1 ? of.resumed_since : of.began;
  if (all->newest && trusted_at < all->trusted_at) return 0;
  all->newest = copy_of(offered);
  all->trusted_at = trusted_at;
  return 0;
}

}  // namespace

void keep_sessions(SSL_CTX* context) {
  auto all = std::make_unique<kept>();
  if (SSL_CTX_set_ex_data(context, context_slot(), all.get()) != 1) throw std::bad_alloc();
  static_cast<void>(all.release());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &keep);
}

void resume_session(SSL* connection, steady_time now) {
  const auto* const all = kept_for(connection);
  if (all == nullptr) return;
  birth_of(connection) = {now, all->trusted_at};
  if (!all->newest || now - all->trusted_at >= session_age) return;
  if (const auto mine = copy_of(all->newest.get()); mine && SSL_SESSION_is_resumable(mine.get()) == 1)
    SSL_set_session(connection, mine.get());
}

void forget_unfinished(SSL* connection) {
  auto* const all = kept_for(connection);
  const bool begun = SSL_in_before(connection) == 0;
  if (all != nullptr && begun && SSL_is_init_finished(connection) == 0) all->newest.reset();
}

}  // namespace egress::net
