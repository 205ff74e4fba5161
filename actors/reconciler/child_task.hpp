#pragma once
// Brings one child from what is live to what it should be: one request after the other, as a machine. The
// caller sends each request and hands the reply to next(), until there is an outcome. One task a child, in
// any order or at once: none knows of another, so none keeps another from being reconciled. But for the
// autoscaler: its run waits for the Deployment.

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "actors/reconciler/child_outcome.hpp"
#include "runtime/kube/api.hpp"

namespace egress::reconciler {

// In which order the tasks of an ExternalService are started: the Service first. The server gives out cluster
// IPs one at a time, so that a Service takes longest.
inline constexpr std::array start_order{
    kube::kind::service,        kube::kind::config_map,
    kube::kind::deployment,     kube::kind::horizontal_pod_autoscaler,
    kube::kind::network_policy, kube::kind::pod_disruption_budget,
};
static_assert(std::ranges::is_permutation(start_order, kube::child_kinds));

struct child_task_input {
  kube::object_ptr external_service;
  std::string name_space;
  kube::kind of = kube::kind::config_map;
  std::optional<rendered_child> wanted;
  kube::object_ptr live;  // as of expectations::effective
  // What `live` was made as, when by its digest it is that still in all that is ours: then an edit needs no
  // read. Null: not known.
  std::shared_ptr<const json::object> made_as{};
  std::optional<settled> known;
  ineffective_fields alone;         // of this kind, as learnt so far
  std::string previous_cluster_ip;  // a re-created Service asks for it; "" for none
  // While that address is refused: fail, to ask again soon, rather than take another. (The server frees the
  // address of a deleted Service a moment after the watch has told of the deletion.)
  bool insist_on_cluster_ip = false;
  // Of a Service whose new ports wait for their listeners: those that pods have reported. Nothing: none
  // waits.
  std::optional<ports> reported{};
};

class child_task {
 public:
  using step = std::variant<kube::request, child_outcome>;

  explicit child_task(child_task_input input) : in_(std::move(input)) {}

  // Call once: decides by what is live, and gives the first request or the outcome.
  step start();
  // The reply to the request of the step before.
  step next(const kube::reply& reply);

  // The same task from its start, knowing of these ports.
  child_task knowing(ports reported) const;

 private:
  enum class doing : std::uint8_t { nothing, reading, creating, patching, deleting };

  step act(const decision& what, const kube::object* live);
  step read();
  step create();
  step remove(const kube::object_uid& uid);
  struct wish {
    json::object object;
    ports held;
  };
  wish wish_for(const json::object& live) const;
  step compare(std::string_view live_json, const kube::object& live);
  step nothing_to_write(const kube::object& live);
  bool may_edit(const kube::object& live) const;
  step edit(const kube::object& live);
  step patch(const json::object& what, pointers repaired, const kube::object& live);
  step created(const kube::reply& reply);
  step address_taken(const std::string& refusal);
  step patched(const kube::reply& reply);
  step deleted(const kube::reply& reply);
  step was_read(const kube::reply& reply);
  step finish(child_state state, std::string message);
  step failed(const kube::api_error& why);
  step written(kube::object_ptr now);
  kube::object_ptr as_created(const kube::object& answer) const;
  kube::request about(kube::verb what) const;
  bool asks_for_cluster_ip() const;
  decision judge(const kube::object* live) const;

  child_task_input in_;
  doing doing_ = doing::nothing;
  action intent_ = action::nothing;
  unsigned reads_ = 0;           // how often it was read again after a conflict
  std::string patched_version_;  // the resourceVersion that the patch was made for
  bool edited_ = false;          // that patch was made without a look at the live one
  bool without_cluster_ip_ = false;
  std::optional<std::string> address_refusal_;  // why the address asked for was refused, until read
  child_outcome out_;
};

}  // namespace egress::reconciler
