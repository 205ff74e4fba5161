// The operator in one process with an API server that misbehaves: whatever it does, in the end all is as
// wanted, and DNS says so.

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <string>

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
  bool of_requests = false;   // some meet it
  bool ends_watches = false;  // all are begun again
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
  std::map<std::string, std::uint64_t> begun;
  for (const auto* kind : watched) begun[kind] = faults.counted("watch", kind);
  GetParam().begin(faults);
  keep_it_busy();
  GetParam().end(faults);
  EXPECT_TRUE(test::eventually([this] { return is_as_wanted("new", "new.example"); }));
  EXPECT_TRUE(test::eventually([this] { return is_as_wanted("es-0", "es-0.example"); }));
  EXPECT_TRUE(test::eventually([this] { return is_as_wanted("es-1", "other.example"); }));
  for (const auto* kind : watched)
    EXPECT_TRUE(test::eventually([&] { return !world.has(kind, "es-2"); })) << kind;
  // Nothing is shown by a fault that nobody met.
  EXPECT_EQ(faults.taken() > 0, GetParam().of_requests);
  if (!GetParam().ends_watches) return;
  for (const auto* kind : watched)
    EXPECT_TRUE(test::eventually([&] { return faults.counted("watch", kind) > begun[kind]; })) << kind;
}

const std::array all{
    misbehaviour{.name = "refuses_writes",
                 .begin = requests({.verb = "write", .times = 20, .status = 500}),
                 .of_requests = true},
    misbehaviour{.name = "asks_to_wait",
                 .begin = requests({.verb = "write", .times = 20, .status = 429, .retry_after = seconds{1}}),
                 .of_requests = true},
    misbehaviour{.name = "writes_without_saying_so",
                 .begin = requests({.verb = "write", .times = 12, .cut = true, .after = true}),
                 .of_requests = true},
    misbehaviour{.name = "cuts_off_whoever_writes",
                 .begin = requests({.verb = "write", .times = 12, .cut = true}),
                 .of_requests = true},
    misbehaviour{
        .name = "is_slow", .begin = requests({.times = 60, .delay = milliseconds{200}}), .of_requests = true},
    misbehaviour{.name = "repeats_and_reorders_events",
                 .begin = watches({.duplicate = true, .reorder = true})},
    misbehaviour{.name = "falls_silent",
                 .begin = watches({.stall = true}),
                 .end = both(watches({}), ends_of_watches(dev::watch_end::cut)),
                 .ends_watches = true},
    misbehaviour{.name = "ends_watches_without_bookmarks",
                 .begin = watches({.drop_bookmarks = true}),
                 .end = ends_of_watches(dev::watch_end::end),
                 .ends_watches = true},
    misbehaviour{.name = "forgets_its_history",
                 .begin = both(watches({.stall = true}), forget_history),
                 .end = both(watches({}), ends_of_watches(dev::watch_end::gone)),
                 .ends_watches = true},
    misbehaviour{.name = "loses_watches_and_refuses_lists",
                 .begin = both(requests({.verb = "list", .times = 6, .status = 500}),
                               ends_of_watches(dev::watch_end::gone)),
                 .of_requests = true,
                 .ends_watches = true},
};

INSTANTIATE_TEST_SUITE_P(that, api_server, ::testing::ValuesIn(all),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace egress
