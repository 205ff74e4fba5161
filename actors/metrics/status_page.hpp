#pragma once
// /statusz: how the program is, for a person in a hurry. Pure.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace egress::metrics {

struct informer_status {
  std::string kind;
  bool synced = false;
  std::uint64_t objects = 0, epoch = 0;
  std::chrono::seconds last_event_age{0};
};

struct actor_status {
  std::string id, state;
  std::uint64_t restarts = 0;
};

struct not_ready {
  std::string name, why;
};

// ExternalServices that are not ready.
struct all_not_ready {
  static constexpr std::size_t most_shown = 100;
  std::uint64_t count = 0;
  std::vector<not_ready> first;  // by name, as many as are shown
};

struct status {
  std::string version;
  std::chrono::seconds uptime{0};
  std::string leader;  // who writes: "every replica", or the holder of the Lease
  std::vector<informer_status> informers;
  std::uint64_t queue_depth = 0;
  std::vector<actor_status> actors;
  std::uint64_t table_names = 0;
  all_not_ready external_services;
};

std::string to_html(const status& now);
std::string to_plain_text(const status& now);

std::string escape_html(std::string_view text);

}  // namespace egress::metrics
