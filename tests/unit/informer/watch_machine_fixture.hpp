#pragma once
// The machine, a clock, and its latest outcome, from which a test answers.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "actors/informer/watch_machine.hpp"
#include "tests/unit/informer/objects.hpp"

namespace egress::informer {

using kube::api_errc;
using kube::event_type;
using testing::service;

inline kube::api_error error_of(api_errc code) {
  return {.code = code, .status = 0, .reason = "Reason", .message = "because", .retry_after = {}};
}

inline kube::watch_event added(const std::string& name, const std::string& version) {
  return {event_type::added, service(name, "u-" + name, version), version, false};
}
inline kube::watch_event bookmark(const std::string& version, bool end = false) {
  return {event_type::bookmark, nullptr, version, end};
}

class WatchMachine : public ::testing::Test {
 protected:
  void begin(bool streaming, kube::kind of = kube::kind::service) {
    machine.emplace(scope{of, "ns", "app=egress-gateway", streaming});
    last = machine->start();
    if (streaming) there_are(few);
  }
  // The server says how many more there are than the one that was asked for.
  void there_are(std::uint64_t others) {
    EXPECT_EQ(machine->state(), watch_state::sizing);
    EXPECT_EQ(the<list_command>().what.limit, 1);
    EXPECT_EQ(the<list_command>().what.label_selector, "") << "the server does not count what it selects";
    last = machine->listed(the<list_command>().id,
                           kube::list_page{{service("a", "u-a", "1")}, "9", "more", others}, at());
  }
  moment at() const { return {now, 0.5}; }

  template <class Command>
  const Command* find() const {
    for (const auto& one : last.commands)
      if (const auto* found = std::get_if<Command>(&one)) return found;
    return nullptr;
  }
  template <class Command>
  const Command& the() const {
    const auto* found = find<Command>();
    EXPECT_NE(found, nullptr) << "no such command in the outcome";
    static const Command none{};
    return found ? *found : none;
  }

  void page(std::vector<kube::object_ptr> items, const std::string& version, const std::string& more = "") {
    last = machine->listed(the<list_command>().id, kube::list_page{std::move(items), version, more}, at());
  }
  void list_fails(api_errc code) {
    last = machine->listed(the<list_command>().id, std::unexpected(error_of(code)), at());
  }
  ticket stream() const {
    if (const auto* opened = find<open_watch_command>()) return opened->id;
    return the<next_chunk_command>().id;
  }
  void events(std::vector<kube::watch_event> all) {
    last = machine->chunk(stream(), {std::move(all), false, {}}, at());
  }
  void ends(std::optional<kube::api_error> why = {}, std::vector<kube::watch_event> all = {}) {
    last = machine->chunk(stream(), {std::move(all), true, std::move(why)}, at());
  }
  // The server says where it stands, which is asked after a lost connection.
  void stands_at(const std::string& version) {
    EXPECT_EQ(machine->state(), watch_state::checking);
    EXPECT_EQ(the<list_command>().what.limit, 1);
    page({service("any", "u", "1")}, version, "more");
  }
  void wait_over() {
    now += the<wait_command>().duration;
    last = machine->timer(the<wait_command>().id, at());
  }
  // Up to an open watch that began at version 10.
  void watching() {
    begin(false);
    page({service("a", "u-a", "5")}, "10");
  }
  bool listing_anew() const {
    return find<list_command>() && find<list_command>()->what.continue_token.empty();
  }

  static constexpr std::uint64_t few = 998, many = 999;
  steady_time now{std::chrono::hours(10)};
  std::optional<watch_machine> machine;
  outcome last;
};

}  // namespace egress::informer
