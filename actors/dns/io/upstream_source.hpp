#pragma once
// The upstreams that may change while we run (a resolv.conf's): the latest list, and who follows it. Outlives
// the packet loops. From any thread.

#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "actors/dns/io/config.hpp"

namespace egress::dns {

class upstream_source {
 public:
  using list = std::shared_ptr<const upstream_list>;
  using follower = std::function<void(const list&)>;

  explicit upstream_source(upstream_list first)
      : latest_(std::make_shared<upstream_list>(std::move(first))) {}

  list get() const {
    const std::scoped_lock lock(mutex_);
    return latest_;
  }
  // Tells all followers, who must not block.
  void set(upstream_list next) {
    const std::scoped_lock lock(mutex_);
    latest_ = std::make_shared<const upstream_list>(std::move(next));
    for (const auto& [id, told] : followers_) told(latest_);
  }
  // `told` gets the list there is, now, and each later one; never after the returned handle is gone, which
  // the source must outlive.
  std::shared_ptr<void> follow(follower told) {
    const std::scoped_lock lock(mutex_);
    told(latest_);
    const auto id = next_id_++;
    followers_.emplace(id, std::move(told));
    return {nullptr, [this, id](std::nullptr_t) {
              const std::scoped_lock erasing(mutex_);
              followers_.erase(id);
            }};
  }

 private:
  mutable std::mutex mutex_;
  list latest_;
  std::map<std::uint64_t, follower> followers_;
  std::uint64_t next_id_ = 0;
};

}  // namespace egress::dns
