#include "actors/gateways/io/ask_pods.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>
#include <memory>

#include "runtime/http/connection.hpp"

namespace egress::gateways {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds patience{1000};
// Some 1,300 listeners; a gateway has a few more than its ports.
constexpr std::size_t most_bytes = 128U << 10U;

struct question {
  std::vector<pod_answer> answers;
  std::size_t missing;
  std::function<void(std::vector<pod_answer>)> done;

  void answered(std::size_t index, pod_answer with) {
    answers[index] = std::move(with);
    if (--missing == 0) done(std::move(answers));
  }
};

asio::awaitable<pod_answer> ask(asio::any_io_executor on, std::string address, std::uint16_t port) {
  http::connect_options to;
  to.where.host = std::move(address);
  to.where.port = std::to_string(port);
  to.connect_timeout = patience;
  auto opened = co_await http::connection::open(on, std::move(to));
  if (!opened) co_return pod_answer{{}, opened.error().message};
  const auto until = std::chrono::steady_clock::now() + patience;
  http::client_request asked{"GET", "/listeners", {}, ""};
  const auto head = co_await (*opened)->send(std::move(asked), patience);
  if (!head) co_return pod_answer{{}, head.error().message};
  // A pod from before configDelivery was Reload.
  if (head->status != 200) co_return pod_answer{{}, fmt::format("it answers with {}", head->status)};
  std::string text;
  for (;;) {
    const auto piece = co_await (*opened)->read_some(patience);
    if (!piece) co_return pod_answer{{}, piece.error().message};
    if (piece->empty()) co_return pod_answer{listener_names(text), {}};
    text += *piece;
    if (text.size() > most_bytes || std::chrono::steady_clock::now() > until)
      co_return pod_answer{{}, "its answer does not end"};
  }
}

asio::awaitable<void> ask_one(asio::any_io_executor on, std::shared_ptr<question> of, std::size_t index,
                              std::string address, std::uint16_t port) {
  auto answer = co_await ask(on, std::move(address), port);
  of->answered(index, std::move(answer));
}

}  // namespace

void ask_pods(asio::io_context& on, std::vector<std::string> addresses, std::uint16_t port,
              std::function<void(std::vector<pod_answer>)> done) {
  if (addresses.empty()) return done({});
  auto made = std::make_shared<question>(
      question{std::vector<pod_answer>(addresses.size()), addresses.size(), std::move(done)});
  for (std::size_t i = 0; i < addresses.size(); ++i)
    asio::co_spawn(on, ask_one(on.get_executor(), made, i, std::move(addresses[i]), port), asio::detached);
}

}  // namespace egress::gateways
