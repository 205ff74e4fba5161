#pragma once
// An API server's storage of one kind, as far as lists and watches can tell: history, compaction, bookmarks,
// and the ways in which they go wrong. Driven by a seed; time is the caller's.

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/kube/api.hpp"
#include "tests/unit/informer/objects.hpp"

namespace egress::informer::testing {

class model_server {
 public:
  explicit model_server(unsigned seed) : random_(seed) {
    for (int i = 0; i < 8; ++i) write();
  }

  // A random number below n.
  unsigned below(unsigned n) { return std::uniform_int_distribution<unsigned>(0, n - 1)(random_); }
  bool chance(unsigned percent) { return below(100) < percent; }

  std::uint64_t version() const { return version_; }
  contents now() const { return contents_of(to_snapshot()); }

  // One random write: create, update or delete; sometimes of another kind, which only moves the version.
  void write() {
    const auto name = "n" + std::to_string(below(12));
    ++version_;
    const auto found = objects_.find(name);
    if (chance(15)) return;
    if (found == objects_.end()) {
      remember(kube::event_type::added, service(name, "u" + std::to_string(version_), text(version_)));
    } else if (chance(40)) {
      remember(kube::event_type::deleted, service(name, found->second->meta.uid, text(version_)));
    } else {
      remember(kube::event_type::modified, service(name, found->second->meta.uid, text(version_)));
    }
  }

  void compact() {
    if (history_.empty()) return;
    const auto keep = below(static_cast<unsigned>(history_.size()) + 1);
    history_.erase(history_.begin(), history_.end() - keep);
    compacted_ =
        history_.empty() ? version_ : std::max(compacted_, number(history_.front().resource_version) - 1);
  }

  void save_backup() { backup_ = {objects_, version_}; }
  bool has_backup() const { return backup_.has_value(); }
  // etcd goes back to its backup: versions that were handed out are of the future now.
  void restore() {
    objects_ = backup_->first;
    version_ = backup_->second;
    compacted_ = version_;
    history_.clear();
    ++incarnation_;
  }

  // A page of at most two objects, so that lists have pages.
  kube::reply list(const kube::request& what) {
    std::size_t offset = 0;
    std::uint64_t at = version_;
    if (!what.continue_token.empty()) {
      const auto& token = tokens_.at(what.continue_token);
      if (token.incarnation != incarnation_ || token.version < compacted_)
        return std::unexpected(kube::api_error{kube::api_errc::gone, 410, "Expired", "too old", {}});
      offset = token.offset;
      at = token.version;
    }
    if (what.continue_token.empty()) listing_.assign(1, values());
    const auto& all = listing_.front();
    kube::list_page page;
    for (std::size_t i = offset; i < std::min(offset + 2, all.size()); ++i) page.items.push_back(all[i]);
    page.resource_version = text(at);
    if (what.limit == 1) {
      page.remaining = below(2'000);  // also of what a selector leaves out
      return page;
    }
    if (offset + 2 < all.size()) {
      page.continue_token = "t" + std::to_string(tokens_.size());
      tokens_[page.continue_token] = {incarnation_, at, offset + 2};
    }
    return page;
  }

  struct stream {
    std::uint64_t incarnation = 0, position = 0;
    std::deque<kube::watch_event> initial;  // not sent yet
    bool initial_end_owed = false, deaf = false;
    std::vector<kube::watch_event> sent;
    std::optional<kube::api_error> refusal;
  };

  enum class streaming { supported, refused, ignored };

  stream open(const kube::watch_request& what, streaming mode) {
    stream out;
    out.incarnation = incarnation_;
    if (what.send_initial_events) {
      if (mode == streaming::refused) {
        out.refusal =
            kube::api_error{kube::api_errc::invalid, 422, "Invalid", "sendInitialEvents: Forbidden", {}};
        return out;
      }
      for (auto& one : values())
        out.initial.push_back({kube::event_type::added, one, one->meta.resource_version, false});
      out.initial_end_owed = mode == streaming::supported;
      out.position = version_;
      return out;
    }
    out.position = number(what.resource_version);
    if (out.position < compacted_)
      out.refusal = kube::api_error{kube::api_errc::gone, 410, "Gone", "too old", {}};
    // Some servers say so, others wait for the future.
    if (out.position > version_ && !(out.deaf = chance(50)))
      out.refusal = kube::api_error{
          kube::api_errc::version_too_large, 504, "Timeout", "Too large resource version", {}};
    return out;
  }

  bool is_current(const stream& s) const { return s.incarnation == incarnation_; }
  bool caught_up(const stream& s) const {
    return s.initial.empty() && !s.initial_end_owed &&
           (s.deaf || history_.empty() || number(history_.back().resource_version) <= s.position);
  }
  bool fell_behind(const stream& s) const { return !s.deaf && s.initial.empty() && s.position < compacted_; }

  // Some of what the stream has not been sent, with repetitions when `faulty`.
  std::vector<kube::watch_event> read(stream& s, bool faulty) {
    std::vector<kube::watch_event> out;
    auto budget = 1 + below(4);
    for (; budget > 0 && !s.initial.empty(); --budget) {
      out.push_back(s.initial.front());
      s.initial.pop_front();
    }
    if (budget > 0 && s.initial.empty() && std::exchange(s.initial_end_owed, false)) {
      out.push_back({kube::event_type::bookmark, nullptr, text(s.position), true});
      --budget;
    }
    if (!s.initial.empty() || s.initial_end_owed || s.deaf || fell_behind(s)) return out;
    for (const auto& event : history_) {
      if (budget == 0 || number(event.resource_version) <= s.position) continue;
      s.position = number(event.resource_version);
      out.push_back(event);
      s.sent.push_back(event);
      --budget;
      if (faulty && chance(20))
        out.push_back(s.sent[s.sent.size() - 1 - below(std::min<unsigned>(4, unsigned(s.sent.size())))]);
    }
    if (out.empty() && caught_up(s)) {
      s.position = std::max(s.position, version_);
      out.push_back({kube::event_type::bookmark, nullptr, text(s.position), false});
    }
    return out;
  }

 private:
  struct token {
    unsigned incarnation;
    std::uint64_t version;
    std::size_t offset;
  };
  using objects = std::map<std::string, kube::object_ptr>;

  static std::string text(std::uint64_t version) { return std::to_string(version); }
  static std::uint64_t number(const std::string& version) { return std::stoull(version); }

  std::vector<kube::object_ptr> values() const {
    std::vector<kube::object_ptr> out;
    for (const auto& [name, one] : objects_) out.push_back(one);
    return out;
  }
  kube::snapshot to_snapshot() const {
    kube::snapshot out;
    for (const auto& one : values()) out.put(one);
    return out;
  }
  void remember(kube::event_type type, kube::object_ptr object) {
    if (type == kube::event_type::deleted)
      objects_.erase(object->meta.name);
    else
      objects_[object->meta.name] = object;
    history_.push_back({type, object, object->meta.resource_version, false});
  }

  std::mt19937 random_;
  objects objects_;
  std::deque<kube::watch_event> history_;
  std::uint64_t version_ = 0, compacted_ = 0;
  unsigned incarnation_ = 0;
  std::optional<std::pair<objects, std::uint64_t>> backup_;
  std::map<std::string, token> tokens_;
  std::vector<std::vector<kube::object_ptr>> listing_;  // what the list under way began with
};

}  // namespace egress::informer::testing
