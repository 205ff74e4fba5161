// Pods that answer, refuse, are silent, or never stop talking: each has its answer, soon.

#include "actors/gateways/io/ask_pods.hpp"

#include <gmock/gmock.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <optional>

#include "runtime/http/server.hpp"
#include "runtime/net/listen.hpp"

namespace egress::gateways {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;
using testing::HasSubstr;

http::server_response says(std::string text, unsigned status = 200) {
  http::server_response made;
  made.status = status;
  made.body = std::move(text);
  return made;
}

// All pods of one gateway have its port, each an address of its own.
struct pods : ::testing::Test {
  // Answers with what is given; with nothing, it never does.
  void pod(const std::string& address, std::optional<http::server_response> with) {
    auto socket = net::listen_tcp(address + ":" + std::to_string(port));
    ASSERT_TRUE(socket) << socket.error().message;
    port = socket->port;
    auto& made = servers.emplace_back(std::make_unique<http::server>(
        io.get_executor(),
        [this, with](http::server_request asked, http::responder& to) -> asio::awaitable<void> {
          targets.push_back(asked.method + " " + asked.target);
          if (with) co_await to.answer(*with);
          if (!with) co_await asio::steady_timer(io, std::chrono::hours{1}).async_wait(asio::use_awaitable);
        },
        http::server_limits{}));
    ASSERT_TRUE(made->serve(socket->fd.release()));
  }
  std::vector<pod_answer> ask(const std::vector<std::string>& addresses) {
    std::vector<pod_answer> answers;
    ask_pods(io, addresses, port, [&](std::vector<pod_answer> came) {
      answers = std::move(came);
      io.stop();
    });
    io.restart();
    io.run_for(std::chrono::seconds{30});
    return answers;
  }

  asio::io_context io{1};
  std::uint16_t port = 0;
  std::vector<std::string> targets;
  std::vector<std::unique_ptr<http::server>> servers;
};

TEST_F(pods, answer_in_the_order_in_which_they_were_asked) {
  pod("127.0.0.1", says("a::0.0.0.0:1\n"));
  pod("127.0.0.2", says("a::0.0.0.0:1\nb::0.0.0.0:2\n"));
  const auto answers = ask({"127.0.0.2", "127.0.0.1"});
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_THAT(answers[0].listeners, ElementsAre("a", "b"));
  EXPECT_THAT(answers[1].listeners, ElementsAre("a"));
  EXPECT_EQ(answers[0].failure + answers[1].failure, "");
  EXPECT_THAT(targets, ElementsAre("GET /listeners", "GET /listeners"));
}

TEST_F(pods, that_do_not_answer_hold_up_nobody) {
  pod("127.0.0.1", says("a::0.0.0.0:1\n"));
  pod("127.0.0.2", std::nullopt);
  pod("127.0.0.3", says("a::0.0.0.0:1\n", 404));
  pod("127.0.0.4", says(std::string(1U << 20U, 'a')));
  const auto answers = ask({"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"});
  ASSERT_EQ(answers.size(), 5u);
  EXPECT_THAT(answers[0].listeners, ElementsAre("a"));
  EXPECT_THAT(answers[1].failure, HasSubstr("127.0.0.2"));
  EXPECT_THAT(answers[2].failure, HasSubstr("404"));
  EXPECT_THAT(answers[2].listeners, ElementsAre());
  EXPECT_THAT(answers[3].failure, HasSubstr("does not end"));
  EXPECT_THAT(answers[4].failure, HasSubstr("127.0.0.5"));
}

TEST_F(pods, may_be_none) {
  bool called = false;
  ask_pods(io, {}, 11000, [&](const auto& answers) { called = answers.empty(); });
  EXPECT_TRUE(called);
}

}  // namespace
}  // namespace egress::gateways
