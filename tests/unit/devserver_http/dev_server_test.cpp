// The server as a whole, over sockets.
#include "runtime/devserver/dev_server.hpp"

#include <sys/socket.h>

#include "tests/unit/devserver_http/fixture.hpp"
#include "tests/unit/devserver_http/http_peer.hpp"

namespace egress::dev::test {
namespace {

struct running_server : testing::Test {
  std::unique_ptr<dev_server> server = dev_server::start({}, nothing_set).value();
  std::uint16_t port = server->port();
};

TEST(dev_server_start, refuses_addresses_that_others_reach) {
  for (const auto* const address :
       {":0", "0.0.0.0:0", "[::]:0", "10.0.0.1:0", "localhost:0", "127.0.0.1.example:0", "127.1:0"}) {
    dev_server_options options;
    options.address = address;
    const auto got = dev_server::start(options, nothing_set);
    ASSERT_FALSE(got) << address;
    EXPECT_NE(got.error().message.find("not on loopback"), std::string::npos) << got.error().message;
  }
}

TEST(dev_server_start, refuses_to_run_inside_a_cluster) {
  const auto got = dev_server::start({}, [](const char* name) -> const char* {
    return std::string_view{name} == "KUBERNETES_SERVICE_HOST" ? "10.0.0.1" : nullptr;
  });
  ASSERT_FALSE(got);
  EXPECT_NE(got.error().message.find("KUBERNETES_SERVICE_HOST"), std::string::npos);
}

TEST(dev_server_start, refuses_an_address_in_use) {
  const auto first = dev_server::start({}, nothing_set).value();
  dev_server_options same;
  same.address = "127.0.0.1:" + std::to_string(first->port());
  EXPECT_FALSE(dev_server::start(same, nothing_set));
}

TEST_F(running_server, says_where_it_is) {
  EXPECT_EQ(server->url(), "http://127.0.0.1:" + std::to_string(port));
  EXPECT_NE(server->kubeconfig_text().find("server: " + server->url() + "\n"), std::string::npos);
}

TEST_F(running_server, serves_the_api) {
  const auto made = ask(port, "POST", exsvcs, {.body = external_service("a")});
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.field("Content-Type"), "application/json");
  EXPECT_EQ(at(ask(port, "GET", exsvcs + "/a").json(), "/spec/dnsName"), "a.example");
  EXPECT_EQ(ask(port, "GET", "/readyz").body, "ok");
  EXPECT_EQ(ask(port, "GET", "/nothing").status, 404);
}

// A page may send a POST to loopback, and have a name of its own lead there.
TEST_F(running_server, takes_nothing_of_web_pages) {
  const auto status = [&](const std::string& host, const std::string& fields = "") {
    return ask(port, "GET", exsvcs, {.body = "", .host = host, .fields = fields}).status;
  };
  for (const auto* const host : {"127.0.0.1", "127.0.0.1:6443", "localhost:6443", "[::1]:6443", "[::1]"})
    EXPECT_EQ(status(host), 200) << host;
  EXPECT_EQ(status("evil.example"), 403);
  EXPECT_EQ(status("evil.example:6443"), 403);
  EXPECT_EQ(status("127.0.0.1", "Origin: http://evil.example\r\n"), 403);
  EXPECT_EQ(status("127.0.0.1", "Origin: null\r\n"), 403);
  const auto made = ask(port, "POST", exsvcs,
                        {.body = external_service("a"), .content_type = "", .fields = "Origin: null\r\n"});
  EXPECT_EQ(made.status, 403);
  EXPECT_EQ(ask(port, "GET", exsvcs + "/a").status, 404);
}

TEST_F(running_server, sends_every_warning) {
  const auto made = ask(port, "POST", exsvcs, {.body = external_service("a", R"(,"x":1,"y":2)")});
  EXPECT_EQ(made.status, 201);
  EXPECT_NE(made.head.find("spec.x"), std::string::npos);
  EXPECT_NE(made.head.find("spec.y"), std::string::npos);
}

TEST_F(running_server, tells_watches_of_changes_from_wherever_they_come) {
  watching watch(port, exsvcs + "?watch=true");
  ASSERT_TRUE(server->apply(parsed(external_service("inside"))));
  EXPECT_EQ(watch.next_short(), "ADDED inside");
  ask(port, "POST", exsvcs, {.body = external_service("outside")});
  EXPECT_EQ(watch.next_short(), "ADDED outside");
  server->run([](cluster& on, fault_table&) {
    static_cast<void>(on.remove(kinds::external_services(), {"", "inside"}, {}));
  });
  EXPECT_EQ(watch.next_short(), "DELETED inside");
}

TEST_F(running_server, ends_a_watch_at_its_timeout) {
  watching watch(port, exsvcs + "?watch=true&timeoutSeconds=1&allowWatchBookmarks=true");
  EXPECT_EQ(watch.next_short(), "BOOKMARK");
  EXPECT_EQ(watch.next_short(), "");
  EXPECT_TRUE(watch.complete());
}

TEST_F(running_server, runs_the_controllers) {
  watching watch(port, "/apis/apps/v1/deployments?watch=true");
  const auto made = server->apply(parsed(
      R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"replicas":2,
          "selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
          "spec":{"containers":[{"name":"c","image":"i"}]}}}})"));
  ASSERT_TRUE(made) << made.error().message;
  std::string ready;
  while (ready != "2") {
    const auto event = watch.next();
    ASSERT_TRUE(event);
    ready = at(*event, "/object/status/readyReplicas");
  }
}

TEST_F(running_server, hands_back_values_and_exceptions_of_calls) {
  EXPECT_EQ(server->run([](cluster&, fault_table&) { return std::string{"here"}; }), "here");
  EXPECT_THROW(server->run([](cluster&, fault_table&) { throw std::runtime_error("x"); }),
               std::runtime_error);
  EXPECT_EQ(ask(port, "GET", "/readyz").status, 200);
}

TEST_F(running_server, says_why_it_does_not_apply) {
  const auto got = server->apply(parsed(external_service("a", R"(,"ports":[{"port":"x"}])")));
  ASSERT_FALSE(got);
  EXPECT_NE(got.error().message.find("spec.ports[0].port"), std::string::npos);
}

TEST_F(running_server, ends_watches_when_it_stops) {
  watching watch(port, exsvcs + "?watch=true");
  server->stop();
  server->stop();
  EXPECT_EQ(watch.next_short(), "");
  EXPECT_EQ(server->run([](cluster&, fault_table&) { return 1; }), 1) << "what is in it can still be read";
}

// A connection that waits for its next request, and one in the middle of a head.
TEST_F(running_server, stops_with_connections_that_ask_nothing) {
  const auto silent = connect_to(port), half = connect_to(port);
  ASSERT_EQ(::send(half.get(), "GET / HT", 8, MSG_NOSIGNAL), 8);
  // The server has taken both when it has taken a third.
  ASSERT_EQ(ask(port, "GET", "/readyz").status, 200);
  server->stop();
  for (const auto* const one : {&silent, &half}) {
    char byte = 0;
    EXPECT_LE(::recv(one->get(), &byte, 1, 0), 0);
  }
}

// One turn's text waits for a client that does not read; what comes after is the history's, and then gone.
TEST(slow_watcher, is_sent_away_rather_than_buffered_for) {
  dev_server_options options;
  options.cluster.history = 10;
  const auto server = dev_server::start(options, nothing_set).value();
  watching slow(server->port(), "/api/v1/configmaps?watch=true");
  const std::string big(400'000, 'x');
  for (int i = 0; i < 60; ++i) {
    const auto name = "m" + std::to_string(i);
    ASSERT_TRUE(server->apply(parsed(config_map(name, "{}", R"({"k":")" + big + R"("})"))));
  }
  int added = 0;
  auto event = slow.next_short();
  for (; event.starts_with("ADDED"); event = slow.next_short()) ++added;
  EXPECT_EQ(event, "ERROR 410");
  EXPECT_LT(added, 60);
}

}  // namespace
}  // namespace egress::dev::test
