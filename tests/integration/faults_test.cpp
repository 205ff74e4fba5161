// The operator in one process with an API server that misbehaves: whatever it does, in the end all is as
// wanted, and DNS says so.

#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "runtime/devserver/fault_control.hpp"
#include "tests/integration/in_process.hpp"
#include "tests/support/dns_load.hpp"

namespace egress {
namespace {

constexpr std::array watched{"externalservices", "services",        "deployments",
                             "configmaps",       "networkpolicies", "horizontalpodautoscalers"};

using meddling = std::function<void(const dev::fault_control&)>;

// What goes wrong from `begin` on; `end`: what must happen for it to be over, if it does not end by itself.
struct misbehaviour {
  const char* name;
  meddling begin;
  meddling end = [](auto&) {};
};

meddling requests(dev::fault what) {
  return [what](const dev::fault_control& faults) { faults.add(what); };
}

meddling watches(dev::watch_faults what) {
  return [what](const dev::fault_control& faults) {
    for (const auto* plural : watched) faults.set_watches(plural, what);
  };
}

meddling ends_of_watches(dev::watch_end how) {
  return [how](const dev::fault_control& faults) {
    for (const auto* plural : watched) faults.end_watches(plural, how);
  };
}

meddling both(meddling one, meddling other) {
  return [one = std::move(one), other = std::move(other)](const dev::fault_control& faults) {
    one(faults);
    other(faults);
  };
}

void forget_history(const dev::fault_control& faults) {
  faults.compact_history();
}

class api_server : public ::testing::TestWithParam<misbehaviour> {
 protected:
  void SetUp() override {
    for (const auto* name : {"es-0", "es-1", "es-2"}) world.apply(name, std::string(name) + ".example");
    for (const auto* name : {"es-0", "es-1", "es-2"})
      ASSERT_TRUE(test::eventually([&] { return is_as_wanted(name, std::string(name) + ".example"); }));
  }
  // A new one, children that vanish, a new name, one that goes.
  void keep_it_busy() {
    world.apply("new", "new.example");
    world.remove("services", "es-0");
    world.remove("deployments", "es-0");
    world.remove("configmaps", "es-1");
    world.apply("es-1", "other.example");
    world.remove_external_service("es-2");
  }
  bool is_as_wanted(const std::string& name, const std::string& dns_name) {
    if (!world.ready(name)) return false;
    for (const auto* kind : watched)
      if (kind != watched.front() && !world.has(kind, name)) return false;
    return answers(dns_name, world.cluster_ip(name));
  }
  bool answers(const std::string& dns_name, const std::string& address) {
    const auto one = test::ask_at_rate(world.dns_port(), dns_name, address, 1, std::chrono::seconds{1});
    return one.answered == 1 && one.wrong == 0;
  }

  test::in_process_world world;
};

TEST_P(api_server, does_no_lasting_harm) {
  const auto faults = world.server().faults();
  GetParam().begin(faults);
  keep_it_busy();
  GetParam().end(faults);
  EXPECT_TRUE(test::eventually([this] { return is_as_wanted("new", "new.example"); }));
  EXPECT_TRUE(test::eventually([this] { return is_as_wanted("es-0", "es-0.example"); }));
  EXPECT_TRUE(test::eventually([this] { return is_as_wanted("es-1", "other.example"); }));
  for (const auto* kind : watched)
    EXPECT_TRUE(test::eventually([&] { return !world.has(kind, "es-2"); })) << kind;
}

const std::array all{
    misbehaviour{"refuses_writes", requests({.verb = "write", .times = 20, .status = 500})},
    misbehaviour{"asks_to_wait",
                 requests({.verb = "write", .times = 20, .status = 429, .retry_after = seconds{1}})},
    misbehaviour{"writes_without_saying_so",
                 requests({.verb = "write", .times = 12, .cut = true, .after = true})},
    misbehaviour{"cuts_off_whoever_writes", requests({.verb = "write", .times = 12, .cut = true})},
    misbehaviour{"is_slow", requests({.times = 60, .delay = milliseconds{200}})},
    misbehaviour{"repeats_and_reorders_events", watches({.duplicate = true, .reorder = true})},
    misbehaviour{"falls_silent", watches({.stall = true}),
                 both(watches({}), ends_of_watches(dev::watch_end::cut))},
    misbehaviour{"ends_watches_without_bookmarks", watches({.drop_bookmarks = true}),
                 ends_of_watches(dev::watch_end::end)},
    misbehaviour{"forgets_its_history", both(watches({.stall = true}), forget_history),
                 both(watches({}), ends_of_watches(dev::watch_end::gone))},
    misbehaviour{
        "loses_watches_and_refuses_lists",
        both(requests({.verb = "list", .times = 6, .status = 500}), ends_of_watches(dev::watch_end::gone))},
};

INSTANTIATE_TEST_SUITE_P(that, api_server, ::testing::ValuesIn(all),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace egress
