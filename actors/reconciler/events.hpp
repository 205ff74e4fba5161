#pragma once
// core/v1 Events without spam, as client-go's EventCorrelator does it: the same again raises a count, many
// similar ones become one, and an object has at most 25 at once, then one in 5 minutes. Pure; one recorder an
// operator. What comes out is a request to send once and forget: an Event is never worth blocking for.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/kube/api.hpp"

namespace egress::reconciler {

enum class event_kind : std::uint8_t { normal, warning };

// What a person should know about an ExternalService.
struct happening {
  std::string name, uid, resource_version;  // of the ExternalService
  event_kind how = event_kind::normal;
  std::string reason;   // CamelCase
  std::string message;  // one line
};

class event_recorder {
 public:
  // component: who reports ("egress-operator"); instance: which of them (the pod's name).
  event_recorder(std::string component, std::string instance)
      : component_(std::move(component)), instance_(std::move(instance)) {}

  // The create (POST) or count-raising patch to send; nothing when this one would be spam.
  std::optional<kube::request> record(const happening& what, wall_time now);

  // A patch answered 404: the server dropped the Event (they live an hour). Recorded again, it is created.
  void expired(const std::string& event_name);

  // Objects remembered: bounded, whatever happens.
  std::size_t size() const { return posted_.size(); }

 private:
  struct bucket {
    double tokens;
    wall_time refilled;
  };
  // Similar: of the same object, type and reason, whatever the message.
  struct similar {
    std::vector<std::pair<std::uint64_t, wall_time>> messages;  // hash of each different one, when last
  };
  struct posted_event {
    std::string name;
    wall_time first, last;
    std::int64_t count;
  };

  bool spam(const std::string& object, wall_time now);
  bool aggregated(const std::string& group, const std::string& message, wall_time now);
  kube::request create(const happening& what, const std::string& message, const posted_event& event) const;
  static kube::request bump(const posted_event& event, const std::string& message);
  std::string event_name(const std::string& object, wall_time now);
  void forget_old(wall_time now);

  std::string component_, instance_;
  std::unordered_map<std::string, bucket> buckets_;
  std::unordered_map<std::string, similar> groups_;
  std::unordered_map<std::string, posted_event> posted_;
  std::uint64_t sequence_ = 0;
};

}  // namespace egress::reconciler
