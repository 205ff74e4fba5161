#pragma once
// ClusterIPs: what a Service asks for, gets, and may not change. Pure.

#include <optional>
#include <vector>

#include "runtime/devserver/ip_pool.hpp"
#include "runtime/devserver/refusal.hpp"

namespace egress::dev {

class service_addresses {
 public:
  // v6 is empty in a cluster of IPv4 alone, as ours is by default.
  service_addresses(ip_pool v4, std::optional<ip_pool> v6) : v4_(std::move(v4)), v6_(std::move(v6)) {}

  // Fills in clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy of a Service that is created or changed;
  // `old` is null on create. Addresses it takes are the caller's to release when the write does not happen.
  outcome<void> assign(json::object& service, const json::object* old);
  // Gives back what the Service holds, but for what `kept` (may be null) holds too.
  void release(const json::object& service, const json::object* kept = nullptr);

 private:
  outcome<std::vector<std::string>> families(const json::object& service) const;
  outcome<std::string> address_for(const json::object& service, bool v6, const std::string& asked,
                                   const std::string& field);
  ip_pool* pool(bool v6) { return v6 ? (v6_ ? &*v6_ : nullptr) : &v4_; }

  ip_pool v4_;
  std::optional<ip_pool> v6_;
};

}  // namespace egress::dev
