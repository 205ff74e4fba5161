#pragma once
// What the API does to objects, below HTTP: create, replace, patch, delete, with all that a server does on
// the way (metadata, defaults, schema, generation, conflicts, ClusterIPs, owner references). Pure; used from
// one thread.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/devserver/controllers.hpp"
#include "runtime/devserver/patch.hpp"
#include "runtime/devserver/refusal.hpp"
#include "runtime/devserver/service_addresses.hpp"
#include "runtime/devserver/store.hpp"

namespace egress::dev {

struct cluster_settings {
  std::string cluster_ip_range = "127.96.0.0/12";
  std::string cluster_ip_range_v6{};  // "" for a cluster of IPv4 alone
  milliseconds readiness_delay{300};  // until a Deployment's pods are "ready"
  std::size_t history = 10'000;       // changes that watches may go back
  // Gateways are processes, which somebody runs as controllers().gateways says, and resolve names by these.
  std::optional<std::vector<name_server>> run_gateways{};
};

enum class subresource : std::uint8_t { none, status, scale };

enum class field_check : std::uint8_t { ignore, warn, strict };  // fieldValidation

struct write_options {
  bool dry_run = false;
  field_check fields = field_check::warn;
  subresource part = subresource::none;
  wall_time now;
  std::vector<std::string> warnings;  // filled in: texts for Warning headers
};

enum class propagation : std::uint8_t { background, foreground, orphan };

struct delete_options {
  std::string uid, resource_version;  // preconditions, "" for none
  propagation how = propagation::background;
  bool dry_run = false;
  wall_time now;
};

class cluster {
 public:
  // The namespaces default and egress-operator-system, and the resource definition, exist from the start.
  static result<std::unique_ptr<cluster>> make(const cluster_settings& settings, wall_time now);
  cluster(const cluster&) = delete;
  cluster& operator=(const cluster&) = delete;

  outcome<stored> create(const resource& of, const std::string& name_space, json::object object,
                         write_options& with);
  outcome<stored> replace(const resource& of, const object_key& key, json::object object,
                          write_options& with);
  outcome<stored> patch(const resource& of, const object_key& key, patch_kind how, const json::value& change,
                        write_options& with);
  // The object as it now is (it waits for finalizers) or last was.
  outcome<stored> remove(const resource& of, const object_key& key, const delete_options& with);

  // What the cluster's controllers do: garbage collection, Deployments that become ready, the autoscalers'
  // bounds. Call it after writes, and again at the time it returns, if any.
  std::optional<wall_time> run_controllers(wall_time now) { return controllers_.run(now); }

  const store& objects() const { return objects_; }
  // For tests that need a state which the API would refuse.
  store& raw_objects() { return objects_; }
  cluster_controllers& controllers() { return controllers_; }

  // A kind that is not served (a definition that is not installed, by its plural) is unknown to discovery and
  // requests.
  void serve(const std::string& plural, bool served);
  bool serves(const resource& of) const { return !hidden_.contains(of.plural); }

 private:
  friend class cluster_controllers;
  cluster(const cluster_settings& settings, service_addresses addresses);

  outcome<stored> write(const resource& of, const object_key& key, json::object object, const stored& old,
                        write_options& with);
  outcome<void> prepare(const resource& of, json::object& object, const stored& old, write_options& with);
  outcome<void> check_fields(const resource& of, json::object& object, const stored& old,
                             write_options& with) const;
  stored erase(const resource& of, const object_key& key);
  void empty_namespace(const std::string& name, wall_time now);
  std::string make_uid();
  void seed(wall_time now);

  store objects_;
  service_addresses addresses_;
  cluster_controllers controllers_;
  std::set<std::string, std::less<>> hidden_;
  std::uint64_t uids_ = 0;
};

}  // namespace egress::dev
