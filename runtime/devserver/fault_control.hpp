#pragma once
// What tests make go wrong in a running server: each call is made on the server's thread and done when it
// returns. From any thread but the server's own. Valid as long as its server.

#include <string>

#include "runtime/devserver/dev_server.hpp"

namespace egress::dev {

class fault_control {
 public:
  explicit fault_control(dev_server& of) : of_(of) {}

  // See `fault`. The number is for remove().
  int add(const fault& what) const;
  void remove(int number) const;
  // How many requests have met one.
  std::uint64_t taken() const;
  // Removes all faults of requests and of watches.
  void clear() const;

  // Stalls, duplicates, reorders or drops from now on; {} ends it.
  void set_watches(const std::string& plural, const watch_faults& what) const;
  // Ends the watches of a kind that run now.
  void end_watches(const std::string& plural, watch_end how) const;
  // Whoever stands before now gets 410.
  void compact_history() const;

  std::uint64_t counted(const std::string& verb, const std::string& plural) const;
  std::uint64_t writes() const;
  void reset_counts() const;

 private:
  dev_server& of_;
};

}  // namespace egress::dev
