#pragma once
// The kinds the embedded API server knows: one table that routing, discovery, defaults and tables read. Pure.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace egress::dev {

enum class access : std::uint8_t {
  full,
  read_only,  // what a cluster always has and nobody writes here: the resource definition, pods, nodes
};

struct resource {
  std::string_view group;  // "" is the core group
  std::string_view version, plural, singular, kind;
  std::string_view short_name{};
  bool namespaced = true;
  access allowed = access::full;
  bool status = false;      // has a status subresource
  bool scale = false;       // has a scale subresource
  bool generation = false;  // metadata.generation counts the changes of its spec
  bool in_all = false;      // `kubectl get all` shows it
  // A second version of a kind: read through a conversion of the one that is stored, never written.
  std::string_view stored_version{};

  std::string api_version() const;     // "apps/v1", "v1"
  std::string qualified_name() const;  // "deployments.apps", "services": as errors name it
  bool custom() const;                 // it comes from a CustomResourceDefinition
};

std::span<const resource> all_resources();
// Null when there is none.
const resource* find_resource(std::string_view group, std::string_view version, std::string_view plural);
const resource* find_kind(std::string_view api_version, std::string_view kind);
// By plural alone, for the faults and the counts of tests; of two versions the one that is stored.
const resource* find_plural(std::string_view plural);
// The resource under which objects of this one are stored: itself, mostly.
const resource& storage_of(const resource& of);

namespace kinds {
// Those that other files name.
const resource& config_maps();
const resource& custom_resource_definitions();
const resource& deployments();
const resource& events();
const resource& external_services();
const resource& autoscalers();
const resource& namespaces();
const resource& services();
}  // namespace kinds

}  // namespace egress::dev
