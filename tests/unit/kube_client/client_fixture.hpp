#pragma once
// A client and the scripted server it talks to.

#include <gtest/gtest.h>

#include "runtime/kube/client.hpp"
#include "tests/support/run_awaitable.hpp"
#include "tests/support/scripted_server.hpp"

namespace egress::kube {

inline const std::string two_items =
    R"({"kind":"ServiceList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"next"},"items":[)"
    R"({"metadata":{"name":"a","namespace":"n","resourceVersion":"3"},"spec":{"note":"]}\"["}},)"
    R"({"metadata":{"name":"b","namespace":"n","resourceVersion":"4"},"spec":{}}]})";
inline const std::string one_service =
    R"({"metadata":{"name":"a","namespace":"n","resourceVersion":"3"},"spec":{}})";

struct client_fixture {
  explicit client_fixture(std::vector<test::scripted_connection> script) : server(std::move(script)) {
    config.server = server.url();
    config.token = "secret";
  }
  client& the_client() {
    if (!made) made.emplace(io.get_executor(), config, options);
    return *made;
  }
  template <class T>
  T run(boost::asio::awaitable<T> what) {
    return test::run(io, std::move(what));
  }
  reply call(request what) { return run(the_client().call(std::make_shared<request>(std::move(what)))); }

  test::scripted_server server;
  boost::asio::io_context io;
  connection_config config;
  client_options options;
  std::optional<client> made;
};

inline request of(verb what) {
  request made;
  made.what = what;
  made.of = kind::service;
  made.name_space = "n";
  made.name = what == verb::list || what == verb::create ? "" : "a";
  made.body = "{}";
  made.timeout = std::chrono::seconds{5};
  return made;
}

}  // namespace egress::kube
