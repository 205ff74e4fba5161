#pragma once
// A system resolver that does not answer: in a program with this file, getaddrinfo waits until it is let go,
// and finds nothing.

namespace egress::test {

class blocked_resolver {
 public:
  blocked_resolver();
  // Lets go.
  ~blocked_resolver();
  blocked_resolver(const blocked_resolver&) = delete;
  blocked_resolver& operator=(const blocked_resolver&) = delete;
};

}  // namespace egress::test
