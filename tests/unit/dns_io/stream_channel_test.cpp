// Whom a connection that fell silent lets down, and who gets another: on connections of the test's own.

#include "actors/dns/io/stream_channel.hpp"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>

#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using boost::system::error_code;

// Connects, takes everything, and says what it is told to.
class scripted_stream final : public net::byte_stream {
 public:
  explicit scripted_stream(asio::io_context& context) : context_(context) {}
  void connect(const asio::ip::tcp::endpoint&, connected on_connected) override {
    asio::post(context_, [done = std::move(on_connected)] { done(""); });
  }
  void read_some(asio::mutable_buffer into, moved on_read) override {
    into_ = into;
    on_read_ = std::move(on_read);
  }
  void write(asio::const_buffer from, moved on_written) override {
    const auto* begin = static_cast<const std::uint8_t*>(from.data());
    written.insert(written.end(), begin, begin + from.size());
    asio::post(context_, [done = std::move(on_written), size = from.size()] { done({}, size); });
  }
  void close() override {
    if (auto done = std::exchange(on_read_, nullptr))
      asio::post(context_, [done] { done(asio::error::operation_aborted, 0); });
  }
  // The peer's reply to the last question that was written, if anybody still reads.
  void reply() {
    if (!on_read_) return;
    auto sent = last();
    sent[2] |= 0x80;
    packet framed;
    put16(framed, static_cast<unsigned>(sent.size()));
    framed.insert(framed.end(), sent.begin(), sent.end());
    const auto size = asio::buffer_copy(into_, asio::buffer(framed));
    std::exchange(on_read_, nullptr)({}, size);
  }
  // What was written last, without its length.
  packet last() const {
    std::size_t at = 0;
    for (;;) {
      const std::size_t size = load16(&written[at]);
      if (at + 2 + size >= written.size())
        return {written.begin() + static_cast<long>(at) + 2, written.end()};
      at += 2 + size;
    }
  }

  packet written;

 private:
  asio::io_context& context_;
  asio::mutable_buffer into_;
  moved on_read_;
};

struct silent_connections : ::testing::Test {
  void TearDown() override {
    channel->close();
    context.poll();
  }
  // How it ended: "" while it has not, "reply", "failed".
  std::shared_ptr<std::string> ask_for(const std::string& name) {
    const auto asked = ask{.name = name}.make();
    query parsed;
    EXPECT_EQ(parse_query(asked, parsed), reaction::serve);
    auto how = std::make_shared<std::string>();
    channel->ask(std::make_shared<const kept_query>(parsed),
                 [how](bytes reply) { *how = reply.empty() ? "failed" : "reply"; });
    context.restart();
    context.poll();
    return how;
  }
  template <class Condition>
  bool becomes(Condition holds) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!holds() && std::chrono::steady_clock::now() < end) {
      context.restart();
      context.run_one_for(100ms);
    }
    return holds();
  }
  bool asks_for(std::size_t connection, const std::string& name) const {
    const auto wire = parse_name(name).value();
    const auto view = wire.view();
    return !std::ranges::search(streams.at(connection)->written, view).empty();
  }

  asio::io_context context;
  std::vector<std::shared_ptr<scripted_stream>> streams;
  std::shared_ptr<stream_channel> channel = std::make_shared<stream_channel>(
      context, asio::ip::tcp::endpoint{},
      [this] { return streams.emplace_back(std::make_shared<scripted_stream>(context)); },
      channel_limits{.connect = 20s, .stall = 500ms, .idle = 20s});
};

TEST_F(silent_connections, a_question_that_came_later_gets_a_second_one_and_no_third) {
  const auto old = ask_for("old.example");
  const auto young = ask_for("young.example");
  ASSERT_TRUE(becomes([&] { return streams.size() == 2 && !streams[1]->written.empty(); }));
  EXPECT_EQ(*old, "failed");
  EXPECT_EQ(*young, "") << "nobody was silent to it";
  EXPECT_TRUE(asks_for(1, "young.example"));
  EXPECT_FALSE(asks_for(1, "old.example"));
  ASSERT_TRUE(becomes([&] { return *young != ""; }));
  EXPECT_EQ(*young, "failed");
  EXPECT_EQ(streams.size(), 2u);
}

TEST_F(silent_connections, the_second_one_answers_it) {
  const auto old = ask_for("old.example");
  const auto young = ask_for("young.example");
  ASSERT_TRUE(becomes([&] { return streams.size() == 2 && !streams[1]->written.empty(); }));
  streams[1]->reply();
  EXPECT_EQ(*young, "reply");
}

// It may have been closed, or forgotten by something on the way, since.
TEST_F(silent_connections, one_that_has_answered_before_is_replaced_once_for_a_question) {
  const auto first = ask_for("first.example");
  streams.at(0)->reply();
  EXPECT_EQ(*first, "reply");
  const auto next = ask_for("next.example");
  ASSERT_TRUE(becomes([&] { return streams.size() == 2 && !streams[1]->written.empty(); }));
  EXPECT_TRUE(asks_for(1, "next.example"));
  EXPECT_EQ(*next, "");
  // An upstream that answers others and not this one is not asked for ever.
  const auto other = ask_for("other.example");
  streams.at(1)->reply();
  EXPECT_EQ(*other, "reply");
  ASSERT_TRUE(becomes([&] { return *next != ""; }));
  EXPECT_EQ(*next, "failed");
  EXPECT_EQ(streams.size(), 2u);
}

// Probes are given up after a while, each before the connection is: it is the silence that counts.
TEST_F(silent_connections, one_is_given_up_though_nobody_waits_for_what_was_asked) {
  const auto probe = [&] {
    const auto asked = ask{.name = "probe.example"}.make();
    query parsed;
    EXPECT_EQ(parse_query(asked, parsed), reaction::serve);
    const auto id = channel->ask(std::make_shared<const kept_query>(parsed), [](bytes) {});
    context.restart();
    context.run_for(10ms);
    channel->cancel(id);
  };
  const auto began = std::chrono::steady_clock::now();
  while (streams.size() < 2 && std::chrono::steady_clock::now() - began < 20s) probe();
  EXPECT_EQ(streams.size(), 2u);
}

}  // namespace
}  // namespace egress::dns::test
