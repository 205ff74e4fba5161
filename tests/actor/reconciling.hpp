#pragma once
// A reconciler with a dispatcher and a scripted API server: what runs it, and sees what it asks for.

#include <gtest/gtest.h>

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/reconciler/reconciler_actor.hpp"
#include "runtime/kube/decode.hpp"
#include "runtime/kube/json_text.hpp"
#include "tests/actor/scripted_api.hpp"
#include "tests/actor/virtual_time.hpp"

namespace egress::test {

// A dispatcher that sends one work at a time and notes the results.
using test_dispatcher = dispatcher_actor::extend<caf::reacts_to<reconciler_actor, payload<reconcile_work>>>;

struct noted {
  std::vector<payload<reconcile_result>> results;
};

inline test_dispatcher::behavior_type dispatcher_of(test_dispatcher::pointer self, noted* into) {
  return {
      [](const directory_ptr&) {},
      [](const payload<informer_update>&) { return ok_atom{}; },
      [](tick_atom, std::uint64_t) {},
      [](watchdog_atom) {},
      [into](const payload<reconcile_result>& result) { into->results.push_back(result); },
      [](leading_atom, std::uint64_t) {},
      [](drain_atom) { return ok_atom{}; },
      [self](const reconciler_actor& to, const payload<reconcile_work>& work) { self->send(to, work); },
  };
}

struct reconciling : ::testing::Test {
  void SetUp() override {
    api = world.system().spawn(scripted_api, &script);
    dispatcher = world.system().spawn(dispatcher_of, &notes);
    auto config = std::make_shared<reconciler_config>();
    config->clock = [] { return wall_time{std::chrono::hours{24 * 365 * 50}}; };
    reconciler = world.system().spawn(reconciler_behavior, std::shared_ptr<const reconciler_config>{config});
    service = decoded(kube::kind::external_service,
                      R"({"metadata":{"name":"a","uid":"u","resourceVersion":"1","generation":1},)"
                      R"("spec":{"dnsName":"a.example","hijackDns":true,"ports":[{"port":443}]}})");
  }
  void TearDown() override {
    caf::anon_send_exit(reconciler, caf::exit_reason::kill);
    caf::anon_send_exit(dispatcher, caf::exit_reason::kill);
    caf::anon_send_exit(api, caf::exit_reason::kill);
    world.settle();
  }
  kube::object_ptr decoded(kube::kind of, const std::string& text) {
    auto object = decoder.decode(of, text);
    return object ? *object : nullptr;
  }
  void run(reconciler::kind_mask changed = {}, bool status_may_wait = false, bool patient = false) {
    auto work = std::make_shared<reconcile_work>();
    work->memory = memory;
    work->status_may_wait = status_may_wait;
    work->patient = patient;
    work->changed = changed;
    work->api = api;
    work->gateways = gateways;
    work->external_service = service;
    work->children = children;
    caf::anon_send(dispatcher, reconciler, payload<reconcile_work>{work});
    world.settle();
  }
  // A run, whatever it asks being answered by `serve`, until it asks nothing more.
  template <class Serve>
  void run_with(Serve&& serve) {
    run();
    for (auto asked = take_all(); !asked.empty(); asked = take_all()) {
      for (const auto& one : asked) serve(one);
      world.settle();
    }
  }
  // What a server would answer to a create: the object with a version.
  void accept(const api_script::request& asked) {
    auto object = *json::parse_object(asked.what.body);
    auto& meta = object["metadata"].as_object();
    meta["uid"] = "child";
    meta["resourceVersion"] = std::to_string(++version);
    kube::document made{json::to_text(object), decoded(asked.what.of, json::to_text(object))};
    answer(api, asked.ticket, kube::reply{std::move(made)});
  }
  // Those asked for at once, and then the autoscaler, which waits for the Deployment.
  void accept_children() {
    for (int round = 0; round < 2; ++round) {
      for (const auto& one : take_all()) accept(one);
      world.settle();
    }
  }
  void accept_status(const api_script::request& asked) {
    const auto text =
        R"({"metadata":{"name":"a","uid":"u","resourceVersion":")" + std::to_string(++version) + R"("}})";
    answer(api, asked.ticket, kube::reply{kube::document{text, decoded(kube::kind::external_service, text)}});
  }
  // A first run: the children are made, then the status is written.
  void run_and_accept_all() {
    run();
    accept_children();
    for (const auto& one : take_all()) accept_status(one);
    world.settle();
  }
  // 404 to the status write under way, and the discovery document that is asked for then.
  void deny_status(const std::string& discovery) {
    const auto status = take_all();
    ASSERT_EQ(status.size(), 1u);
    answer(api, status[0].ticket, kube::reply{std::unexpected(failure(kube::api_errc::not_found))});
    world.settle();
    const auto discovered = take_all();
    ASSERT_EQ(discovered.size(), 1u);
    EXPECT_EQ(discovered[0].what.what, kube::verb::get_raw);
    answer(api, discovered[0].ticket, kube::reply{kube::document{discovery, nullptr}});
    world.settle();
  }
  void accept_all_but_the_deployment(kube::api_errc refused) {
    for (const auto& one : take_all())
      if (one.what.of == kube::kind::deployment)
        answer(api, one.ticket, kube::reply{std::unexpected(failure(refused))});
      else
        accept(one);
  }
  std::vector<api_script::request> take_all() {
    std::vector<api_script::request> all(script.requests.begin(), script.requests.end());
    script.requests.clear();
    return all;
  }

  kube::decoder decoder{kube::projection_rules{}};
  api_script script;
  noted notes;
  virtual_system world;
  kube_api_actor api;
  gateways_actor gateways;
  test_dispatcher dispatcher;
  reconciler_actor reconciler;
  std::shared_ptr<reconciler::memory> memory = std::make_shared<reconciler::memory>();
  kube::object_ptr service;
  std::array<kube::object_ptr, kube::child_count> children;  // as informers show them
  int version = 100;
};

}  // namespace egress::test
