#pragma once
// A TLS session that goes on over the client's next connections (RFC 8446, 2.2; RFC 5077): a server that was
// trusted a moment ago is not asked to sign again, nor is its certificate looked at again, which is most of
// what a handshake costs either side. An operator that starts opens two dozen connections.

#include <openssl/types.h>

#include <chrono>

#include "runtime/base/time.hpp"

namespace egress::net {

// How long after a whole handshake others may be spared, tickets of spared ones included: a certificate that
// is withdrawn or runs out is noticed that much later (RFC 8446, 4.6.1, asks for such a bound).
constexpr std::chrono::minutes session_age{10};

// From here on the context keeps the newest session that the server of its connections offers. For contexts
// of one server and one client's identity, whose connections are all used from one thread; throws
// std::bad_alloc.
void keep_sessions(SSL_CTX* context);

// Before a handshake: it goes on with what the context keeps. A server that does not know the session does
// a whole handshake instead, and so it is where the context keeps none.
void resume_session(SSL* connection, steady_time now);

// At the end of a connection: one whose handshake was begun and not finished, whatever for, has the next do a
// whole one.
void forget_unfinished(SSL* connection);

}  // namespace egress::net
