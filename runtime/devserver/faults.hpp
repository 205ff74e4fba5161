#pragma once
// What tests make go wrong, and the count of what was asked. Pure; used from the server's thread.

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>

#include "runtime/devserver/request.hpp"
#include "runtime/devserver/watch.hpp"

namespace egress::dev {

// Requests that it fits are answered with it, in the order in which faults were added.
struct fault {
  std::string verb{};    // "get", "list", "watch", "create", "update", "patch", "delete"; "write": any of the
                         // last four; "" any
  std::string plural{};  // "services", "externalservices/status"; "" any
  std::string name{};    // of the object (for a create: in the body); "" any
  int times = -1;        // so often; -1: until it is removed

  milliseconds delay{0};  // first wait, then go on
  int status = 0;         // answer with this code; 0: serve the request
  std::string message = "injected";
  std::optional<seconds> retry_after{};  // with the answer
  bool cut = false;                      // close the connection without an answer
  bool after = false;  // serve the request first, then answer or cut as above: a write that did happen
};

enum class watch_end : std::uint8_t {
  cut,   // the connection breaks
  end,   // the stream ends as if at its timeout
  gone,  // an ERROR event with 410
};

class fault_table {
 public:
  // The number is for remove().
  int add(fault what);
  void remove(int number);
  void clear();
  // The fault that this request meets, if any; counts its times.
  std::optional<fault> take(const parsed_request& what);
  // How many requests have met one.
  std::uint64_t taken() const { return taken_; }

  watch_faults& watches(const std::string& plural) { return watches_[plural]; }
  watch_faults faults_of(const std::string& plural) const;

  // Ends the watches of a kind that run now.
  void end_watches(const std::string& plural, watch_end how);
  // How the watches that began at or before this order must end, if at all.
  struct order {
    std::uint64_t number = 0;
    watch_end how = watch_end::cut;
  };
  order last_order(const std::string& plural) const;

  // Requests so far, by verb and "plural" or "plural/status".
  void count(const parsed_request& what);
  std::uint64_t counted(const std::string& verb, const std::string& plural) const;
  // Creates, updates, patches and deletes of all kinds.
  std::uint64_t writes() const;
  void reset_counts() { counts_.clear(); }

 private:
  std::list<std::pair<int, fault>> faults_;
  std::map<std::string, watch_faults> watches_;
  std::map<std::string, order> orders_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts_;
  int last_number_ = 0;
  std::uint64_t taken_ = 0;
};

}  // namespace egress::dev
