#pragma once
// What the API does to objects, below HTTP: create, replace, patch, delete, with all that a server does on the way
// (metadata, defaults, schema, generation, conflicts, ClusterIPs, owner references). Pure; on one store.

#include <expected>
#include <random>

#include "runtime/devserver/resource.hpp"

namespace egress::dev {

// metav1.Status of a refusal.
struct refusal {
  int code = 400;
  std::string reason;   // "NotFound", "AlreadyExists", "Conflict", "Invalid", "BadRequest", "UnsupportedMediaType", …
  std::string message;  // as the real server words it: `services "x" not found`
};
template <class T>
using outcome = std::expected<T, refusal>;

enum class patch_kind : std::uint8_t { merge, json, strategic };

struct write_options {
  bool dry_run = false;
  bool strict_fields = false;       // fieldValidation=Strict
  std::string subresource;          // "", "status", "scale"
  std::vector<std::string> warnings;  // filled in: Warning headers (unknown fields, …)
};

struct delete_options {
  std::string uid, resource_version;  // preconditions, "" for none
  bool orphan = false;                // propagationPolicy=Orphan
};

struct cluster_settings {
  std::string cluster_ip_range = "127.96.0.0/12";  // inside 127.0.0.0/8
  milliseconds readiness_delay{300};               // until a Deployment's pods are "ready"
};

class cluster {
 public:
  explicit cluster(cluster_settings settings = {});

  outcome<stored> create(const resource& of, const std::string& name_space, json::object object, write_options& with,
                         wall_time now);
  outcome<stored> replace(const resource& of, const object_key& key, json::object object, write_options& with,
                          wall_time now);
  outcome<stored> patch(const resource& of, const object_key& key, patch_kind how, const json::value& patch,
                        write_options& with, wall_time now);
  outcome<stored> remove(const resource& of, const object_key& key, const delete_options& with, wall_time now);
  // The autoscaling/v1 Scale of a Deployment.
  outcome<json::object> scale_of(const object_key& key) const;

  // What controllers do by now: garbage collection, Deployments that become ready, the HPA's lower bound.
  // Returns when it wants to be called again, nothing when only a change brings new work.
  std::optional<wall_time> run_controllers(wall_time now);

  store objects;

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace egress::dev
