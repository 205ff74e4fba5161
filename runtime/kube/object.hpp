#pragma once
// What informers keep of an API object: what is used, and a digest of the rest. Immutable once decoded;
// shared between threads by shared_ptr<const object>.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/kube/external_service.hpp"
#include "runtime/kube/kind.hpp"
#include "runtime/kube/object_uid.hpp"

namespace egress::kube {

// A keyed digest of an object's projection (projection.hpp): equal ones mean nothing to repair. Each process
// has its own.
using digest = std::array<std::uint8_t, 16>;

// metadata.ownerReferences' entry with controller: true.
struct controller_ref {
  std::string api_version, kind, name;
  object_uid uid;
  bool block_owner_deletion = false;
  friend bool operator==(const controller_ref&, const controller_ref&) = default;
};

// Perhaps a controller_ref. The children of one ExternalService have the same, which is kept once
// (controller_pool). Behaves as an optional value.
class maybe_controller {
 public:
  maybe_controller() = default;
  maybe_controller(controller_ref from)  // NOLINT(google-explicit-constructor): a value of that type
      : ref_(std::make_shared<const controller_ref>(std::move(from))) {}
  maybe_controller(std::optional<controller_ref> from)  // NOLINT(google-explicit-constructor): the same
      : ref_(from ? std::make_shared<const controller_ref>(std::move(*from)) : nullptr) {}
  explicit maybe_controller(std::shared_ptr<const controller_ref> shared) : ref_(std::move(shared)) {}

  explicit operator bool() const { return ref_ != nullptr; }
  const controller_ref& operator*() const { return *ref_; }
  const controller_ref* operator->() const { return ref_.get(); }
  void reset() { ref_.reset(); }
  friend bool operator==(const maybe_controller& a, const maybe_controller& b) {
    return a.ref_ == b.ref_ || (a.ref_ && b.ref_ && *a.ref_ == *b.ref_);
  }

 private:
  std::shared_ptr<const controller_ref> ref_;
};

struct object_meta {
  std::string name;
  object_uid uid;
  std::string resource_version;
  std::int64_t generation = 0;
  std::int64_t creation_time = 0;  // seconds since 1970
  bool deleting = false;           // deletionTimestamp is set
};

// The parts of a child that decisions are made of, beside its digest.
struct child {
  digest projected{};
  maybe_controller controller;
  bool our_label = false;       // egress.monzo.com/gateway has its own name: that of its ExternalService
  bool ours_cannot_be = false;  // a headless Service, a Deployment with another selector: NameTaken
  bool immutable = false;       // ConfigMap
  // Service
  std::string hijack_label;  // egress.monzo.com/hijack-dns
  std::string dns_name;      // annotation egress.monzo.com/dns-name
  std::vector<std::string> cluster_ips;
  // Deployment
  std::int64_t ready_replicas = 0;
  std::int64_t replicas = 1;  // spec.replicas
  std::int64_t observed_generation = 0;
};

// An ExternalService is twice as large as a child, and there is one to six of those: it stands beside the
// object, so that children do not pay for it. Behaves as a value.
class boxed_external_service {
 public:
  boxed_external_service() = default;
  boxed_external_service(external_service from)  // NOLINT(google-explicit-constructor): a value of that type
      : box_(std::make_shared<const external_service>(std::move(from))) {}
  const external_service& get() const {
    static const external_service nothing;
    return box_ ? *box_ : nothing;
  }

 private:
  std::shared_ptr<const external_service> box_;
};

struct object {
  kind of;
  object_meta meta;
  std::variant<boxed_external_service, child> body;
  // The JSON of a child that a watch has just shown changed; gone when some more have (decode.hpp).
  std::weak_ptr<const std::string> recent_json{};

  const external_service& as_external_service() const { return std::get<boxed_external_service>(body).get(); }
  const child& as_child() const { return std::get<child>(body); }
};

using object_ptr = std::shared_ptr<const object>;

}  // namespace egress::kube
