#pragma once
// A dispatcher with informers and reconcilers that a test plays.

#include <gtest/gtest.h>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <deque>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "actors/reconciler/dispatcher_actor.hpp"
#include "tests/actor/scripted_api.hpp"
#include "tests/actor/virtual_time.hpp"

namespace egress {

using kube::kind;

inline kube::object_ptr external_service(const std::string& name, const std::string& dns_name = "") {
  auto made = std::make_shared<kube::object>();
  made->of = kind::external_service;
  made->meta.name = name;
  made->meta.uid = "uid-" + name;
  made->meta.resource_version = "1";
  kube::external_service body;
  body.spec.dns_name = dns_name.empty() ? name + ".example" : dns_name;
  made->body = body;
  return made;
}

inline kube::object_ptr service_at(const std::string& name, std::vector<std::string> cluster_ips) {
  auto made = std::make_shared<kube::object>();
  made->of = kind::service;
  made->meta.name = name;
  kube::child body;
  body.cluster_ips = std::move(cluster_ips);
  made->body = body;
  return made;
}

inline kube::object_ptr child_at(kind of, const std::string& name, const std::string& resource_version,
                                 kube::child body = {}) {
  auto made = std::make_shared<kube::object>();
  made->of = of;
  made->meta.name = name;
  made->meta.resource_version = resource_version;
  made->body = std::move(body);
  return made;
}

inline int bit_of(kind of) {
  return 1 << kube::child_index(of);
}

// What the reconcilers of a test were given; they finish only when told to.
struct bench {
  struct given {
    payload<reconcile_work> work;
    dispatcher_actor dispatcher;
  };
  std::deque<given> under_way;
  std::vector<std::string> order;
  std::map<std::string, int> runs;
  std::string throws;  // the key whose reconciler always throws
  std::function<bool(const std::string& key)> cannot_start;
  int refused = 0;  // so many could not
  std::vector<reconciler_actor> spawned;
  std::vector<std::string> ineffective;  // as observed
  int ticks = 0, ended = 0, looked = 0;  // looked: how often somebody looked at the queue
};

inline reconciler_actor::behavior_type worker(reconciler_actor::pointer self, bench* shared) {
  log_exceptions(self, "reconciler");
  return {[self, shared](const payload<reconcile_work>& work) {
            const auto& key = work->external_service->meta.name;
            shared->order.push_back(key);
            ++shared->runs[key];
            if (key == shared->throws) throw std::runtime_error("always");
            shared->under_way.push_back({work, caf::actor_cast<dispatcher_actor>(self->current_sender())});
          },
          [shared](tick_atom) { ++shared->ticks; }};
}

inline caf::behavior ask_to_drain(caf::event_based_actor* self, const dispatcher_actor& whom, bool* drained) {
  self->request(whom, seconds{30}, drain_atom{})
      .then([drained](ok_atom) { *drained = true; }, [](const caf::error&) {});
  return {[](int) {}};
}

struct dispatching : ::testing::Test {
  void start(unsigned max_concurrent = 16) {
    api = world.system().spawn(test::scripted_api, &script);
    dispatcher_config config;
    config.max_concurrent = max_concurrent;
    config.spawn_reconciler = [this](caf::local_actor* parent, const std::string& key) {
      if (shared.cannot_start && shared.cannot_start(key) && ++shared.refused)
        throw std::runtime_error("no memory for another actor");
      auto made = parent->spawn(worker, &shared);
      shared.spawned.push_back(made);
      return made;
    };
    config.internal_error = [](const kube::object& service) {
      kube::request what;
      what.what = kube::verb::patch_status;
      what.name = service.meta.name;
      return what;
    };
    config.observe.queue = [this](const reconciler::queue_metrics&) { ++shared.looked; };
    config.observe.ineffective = [this](kind of, const std::string& pointer) {
      shared.ineffective.push_back(std::string(kube::info(of).name) + ":" + pointer);
    };
    dispatcher = world.system().spawn(dispatcher_behavior, std::move(config));
    auto everyone = std::make_shared<directory>();
    everyone->kube_api = api;
    caf::anon_send(dispatcher, directory_ptr{everyone});
    world.settle();
  }
  void TearDown() override {
    shared.under_way.clear();
    caf::anon_send_exit(dispatcher, caf::exit_reason::kill);
    caf::anon_send_exit(api, caf::exit_reason::kill);
    world.settle();
    script = {};
    shared.spawned.clear();
  }
  void update(kind of, std::vector<kube::object_ptr> objects, std::vector<std::string> gone = {},
              bool initial = false) {
    auto& now = known[static_cast<std::size_t>(of)];
    now.of = of;
    now.synced = true;
    now.epoch = 1;
    auto sent = std::make_shared<informer_update>();
    for (const auto& one : objects) {
      now.objects.put(one);
      sent->changed.push_back(one->meta.name);
    }
    for (const auto& name : gone) {
      now.objects.erase(name);
      sent->changed.push_back(name);
    }
    sent->current = now;
    sent->initial = initial;
    caf::anon_send(dispatcher, payload<informer_update>{sent});
    world.settle();
  }
  void sync_children() {
    for (const auto of : kube::child_kinds) update(of, {}, {}, true);
  }
  // `ineffective`: fields of its Service that the reconciler saw the server not keep.
  void finish_first(bool success = true, const reconciler::ineffective_fields& ineffective = {}) {
    auto result = std::make_shared<reconcile_result>();
    result->how.success = success;
    result->ineffective[kube::child_index(kind::service)] = ineffective;
    finish_first(std::move(result));
  }
  // The run that began first was answered so to a write.
  void wrote_first(kind of, const std::string& resource_version) {
    const auto& work = *shared.under_way.front().work;
    reconciler::child_outcomes outcomes;
    outcomes[kube::child_index(of)].now = child_at(of, work.external_service->meta.name, resource_version);
    work.memory->expected.learn({work.children, work.epochs}, outcomes);
  }
  void leave_status_for_later() {
    auto result = std::make_shared<reconcile_result>();
    result->how.status_later = true;
    finish_first(std::move(result));
  }
  void finish_first(std::shared_ptr<reconcile_result> result) {
    const auto first = shared.under_way.front();
    shared.under_way.pop_front();
    result->key = first.work->external_service->meta.name;
    caf::anon_send(first.dispatcher, payload<reconcile_result>{result});
    world.settle();
  }

  test::api_script script;
  bench shared;
  std::array<kube::published, kube::watched_kinds.size()> known;
  test::virtual_system world;
  kube_api_actor api;
  dispatcher_actor dispatcher;
};

}  // namespace egress
