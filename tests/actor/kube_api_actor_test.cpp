// The actor over the bridge: who asks gets the answer, while the actor lives.
#include "runtime/actor/kube_api_actor.hpp"

#include <gtest/gtest.h>

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <thread>

#include "runtime/actor/bridge.hpp"
#include "runtime/actor/system.hpp"
#include "tests/support/scripted_server.hpp"

namespace egress {
namespace {

constexpr seconds patience{20};
const test::scripted_connection silence{{.bytes = "", .then = test::scripted_answer::after::hold}};

struct asking : ::testing::Test {
  kube_api_actor start(const std::string& server) {
    return system.spawn(kube_api_behavior, [this, server](auto deliver) {
      kube::connection_config where;
      where.server = server;
      told = deliver;
      return std::make_unique<kube_bridge>(thread, std::move(where), kube::client_options{}, deliver);
    });
  }
  static payload<api_request> version() {
    kube::request what;
    what.what = kube::verb::get_raw;
    what.path = "/version";
    return std::make_shared<const api_request>(api_request{std::move(what)});
  }

  io_thread thread{"test-io"};
  system_config config{thread.context()};
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  std::function<void(payload<delivery>)> told;  // what the bridge calls
};

TEST_F(asking, each_requester_gets_its_own_answer) {
  const test::scripted_connection answers{{.bytes = test::http_answer(200, R"({"major":"1"})")},
                                          {.bytes = test::http_answer(404, "{}")}};
  test::scripted_server server({answers});
  const auto api = start(server.url());
  std::vector<std::string> came;
  for (int i = 0; i < 2; ++i)
    self->request(api, patience, version())
        .receive(
            [&](const payload<api_reply>& reply) {
              came.emplace_back(reply->outcome ? std::get<kube::document>(*reply->outcome).json : "refused");
            },
            [&](const caf::error&) { came.emplace_back("nothing"); });
  EXPECT_EQ(came, (std::vector<std::string>{R"({"major":"1"})", "refused"}));
  caf::anon_send_exit(api, caf::exit_reason::kill);
}

TEST_F(asking, an_outcome_that_is_neither_is_an_error_for_who_asked) {
  test::scripted_server server({silence});
  const auto api = start(server.url());
  auto asked = self->request(api, patience, version());
  const auto until = std::chrono::steady_clock::now() + patience;
  while (server.requests().empty() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(milliseconds{1});
  auto nothing = std::make_shared<delivery>();
  nothing->ticket = 1;
  told(std::move(nothing));
  bool failed = false;
  asked.receive([](const payload<api_reply>&) {},
                [&](const caf::error& why) { failed = why == caf::sec::runtime_error; });
  EXPECT_TRUE(failed);
  caf::anon_send_exit(api, caf::exit_reason::kill);
}

}  // namespace
}  // namespace egress
