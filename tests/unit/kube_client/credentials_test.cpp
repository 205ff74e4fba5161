// When files are read again and plugins run again, by a clock that the test moves.

#include "runtime/kube/credentials.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/this_coro.hpp>
#include <fstream>
#include <iterator>

#include "tests/support/certificates.hpp"
#include "tests/support/run_awaitable.hpp"
#include "tests/support/temporary_folder.hpp"

namespace egress::kube {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

asio::awaitable<result<credentials::current>> patient(credentials& who, asio::any_io_executor on,
                                                      steady_time deadline) {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_return co_await who.get(on, deadline);
}

std::string token_of(const credentials::current& got) {
  return got.authorization ? got.authorization->substr(std::string_view{"Bearer "}.size()) : "";
}

struct fixture {
  credentials& who() {
    if (!made) made.emplace(config, [this] { return now; });
    return *made;
  }
  result<credentials::current> get() {
    return test::run(io, who().get(io.get_executor(), std::chrono::steady_clock::now() + 60s));
  }
  std::string token() {
    auto got = get();
    if (got) last = *got;
    return got ? token_of(*got) : got.error().message;
  }
  // The server refused what get() gave last.
  void refuse() { who().refused(last); }
  // Prints a token with the number of its run, and keeps a line a run.
  void use_plugin(const std::string& status_rest = "") {
    config.exec.emplace();
    config.exec->api_version = "client.authentication.k8s.io/v1";
    config.exec->command = folder.write_program(
        "plugin",
        "#!/bin/sh\necho run >> \"$0.runs\"\nn=$(wc -l < \"$0.runs\")\n"
        "while [ -e \"$0.hold\" ]; do sleep 0.01; done\n"
        "[ -e \"$0.broken\" ] && { echo broken >&2; exit 1; }\n"
        "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\","
        "\"status\":{\"token\":\"t'$n'\"" +
            status_rest + "}}'\n");
  }
  std::ptrdiff_t runs() const {
    std::ifstream in(folder.path("plugin.runs"));
    return std::count(std::istreambuf_iterator<char>(in), {}, '\n');
  }

  test::temporary_folder folder;
  boost::asio::io_context io;
  connection_config config;
  steady_time now = steady_time{} + 1h;
  credentials::current last;
  std::optional<credentials> made;
};

TEST(credentials_token_file, is_read_again_before_a_minute_is_over) {
  fixture f;
  f.config.token_file = f.folder.write("token", "first\n");
  EXPECT_EQ(f.token(), "first");
  f.folder.write("token", "second\n");
  f.now += 49s;
  EXPECT_EQ(f.token(), "first");
  f.now += 1s;
  EXPECT_EQ(f.token(), "second");
}

TEST(credentials_token_file, is_read_again_at_once_when_the_server_refused) {
  fixture f;
  f.config.token_file = f.folder.write("token", "first");
  EXPECT_EQ(f.token(), "first");
  f.folder.write("token", "second");
  f.refuse();
  EXPECT_EQ(f.token(), "second");
}

TEST(credentials_token_file, that_says_the_same_again_is_refused_all_the_same) {
  fixture f;
  f.config.token_file = f.folder.write("token", "first");
  EXPECT_EQ(f.token(), "first");
  const auto asked_with = f.last;
  f.now += 61s;
  EXPECT_EQ(f.token(), "first");
  f.folder.write("token", "second");
  f.who().refused(asked_with);
  EXPECT_EQ(f.token(), "second") << "nothing had taken its place";
}

TEST(credentials_token_file, that_vanishes_leaves_the_last_token) {
  fixture f;
  f.config.token_file = f.folder.write("token", "first");
  EXPECT_EQ(f.token(), "first");
  std::filesystem::remove(f.config.token_file);
  f.refuse();
  EXPECT_EQ(f.token(), "first");
}

TEST(credentials_token_file, that_never_was_is_an_error_with_its_path) {
  fixture f;
  f.config.token_file = f.folder.path("token");
  EXPECT_TRUE(f.token().contains(f.config.token_file)) << f.token();
}

TEST(credentials_token_file, that_is_emptied_leaves_the_last_token) {
  fixture f;
  f.config.token_file = f.folder.write("token", "");
  EXPECT_TRUE(f.token().ends_with("the file is empty")) << f.token();
  f.folder.write("token", "first");
  EXPECT_EQ(f.token(), "first");
  f.folder.write("token", "\n");
  f.refuse();
  EXPECT_EQ(f.token(), "first");
}

TEST(credentials_tls, errors_name_the_field_and_the_file) {
  fixture f;
  f.config.server = "https://h";
  f.config.certificate_authority.file = f.folder.write("ca.crt", "no certificate");
  EXPECT_TRUE(f.token().starts_with("certificate-authority " + f.folder.path("ca.crt"))) << f.token();
  f.folder.write("ca.crt", "");
  EXPECT_TRUE(f.token().contains("ca.crt: the file is empty")) << f.token();
  std::filesystem::remove(f.folder.path("ca.crt"));
  EXPECT_TRUE(f.token().contains("ca.crt: the file cannot be read")) << f.token();
  std::filesystem::create_directory(f.folder.path("ca.crt"));
  EXPECT_TRUE(f.token().contains("ca.crt: the file cannot be read")) << f.token();
}

// Trusts the first of two authorities, by a file.
struct trusting : fixture {
  trusting() {
    config.server = "https://h";
    config.token = "t";
    config.certificate_authority.file = folder.write("ca.crt", first.certificate());
  }
  std::shared_ptr<asio::ssl::context> tls() {
    EXPECT_EQ(token(), "t");
    return last.tls;
  }
  const test::certified first = test::certified::authority("first"),
                        second = test::certified::authority("second");
};

TEST(credentials_tls, files_that_say_the_same_leave_connections_of_use) {
  trusting f;
  const auto before = f.tls();
  ASSERT_TRUE(before);
  f.now += 301s;
  EXPECT_EQ(f.tls(), before);
  f.who().distrusted(f.last);
  EXPECT_EQ(f.tls(), before);
  f.folder.write("ca.crt", f.second.certificate());
  f.who().distrusted(f.last);
  EXPECT_NE(f.tls(), before);
}

TEST(credentials_tls, files_that_go_bad_leave_what_was_read_and_are_looked_at_again_soon) {
  trusting f;
  const auto before = f.tls();
  f.folder.write("ca.crt", "half");
  f.now += 300s;
  EXPECT_EQ(f.tls(), before);
  f.folder.write("ca.crt", f.second.certificate());
  f.now += 10s;
  EXPECT_NE(f.tls(), before);
}

TEST(credentials_plugin, runs_once_while_its_token_holds) {
  fixture f;
  f.use_plugin();
  EXPECT_EQ(f.token(), "t1");
  EXPECT_EQ(f.token(), "t1");
  f.refuse();
  EXPECT_EQ(f.token(), "t2");
  EXPECT_EQ(f.runs(), 2);
}

TEST(credentials_plugin, runs_once_when_many_are_refused_with_the_same_token) {
  fixture f;
  f.use_plugin();
  EXPECT_EQ(f.token(), "t1");
  const auto old = f.last;
  f.who().refused(old);
  EXPECT_EQ(f.token(), "t2");
  f.who().refused(old);
  EXPECT_EQ(f.token(), "t2");
  EXPECT_EQ(f.runs(), 2);
}

TEST(credentials_plugin, that_failed_is_run_again_by_the_next_who_asks) {
  fixture f;
  f.use_plugin();
  f.folder.write("plugin.broken", "");
  EXPECT_TRUE(f.token().ends_with("failed with exit code 1: broken")) << f.token();
  std::filesystem::remove(f.folder.path("plugin.broken"));
  EXPECT_TRUE(f.token().starts_with("t")) << f.token();
}

TEST(credentials_plugin, whose_certificate_cannot_be_used_is_run_again_by_the_next_who_asks) {
  fixture f;
  f.config.server = "https://127.0.0.1";
  const auto prints = [&f](const std::string& certificate, const std::string& key) {
    const auto escaped = [](std::string pem) {
      for (std::size_t at = 0; (at = pem.find('\n', at)) != std::string::npos; at += 3)
        pem.replace(at, 1, "\\\\n");
      return pem;
    };
    f.use_plugin(R"(,"clientCertificateData":")" + escaped(certificate) + R"(","clientKeyData":")" +
                 escaped(key) + "\"");
  };
  const auto one = test::certified::authority("one"), two = test::certified::authority("two");
  prints(one.certificate(), two.key());
  EXPECT_TRUE(f.token().contains("clientKeyData")) << f.token();
  prints(two.certificate(), two.key());
  EXPECT_TRUE(f.token().starts_with("t")) << f.token();
  EXPECT_NE(f.last.tls, nullptr);
  // A peer that knows it no longer: there is no other one in any file.
  EXPECT_EQ(f.runs(), 2);
  f.who().distrusted(f.last);
  EXPECT_TRUE(f.token().starts_with("t")) << f.token();
  EXPECT_EQ(f.runs(), 3);
}

TEST(credentials_plugin, goes_on_for_others_when_one_is_cancelled) {
  fixture f;
  f.use_plugin();
  f.folder.write("plugin.hold", "");  // it ends when the test lets it
  asio::cancellation_signal signal;
  std::vector<std::string> answers;
  const auto note = [&](std::exception_ptr thrown, result<credentials::current> got) {
    EXPECT_FALSE(thrown);
    answers.push_back(got ? token_of(*got) : "none");
  };
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  const auto ask = [&] { return patient(f.who(), f.io.get_executor(), deadline); };
  asio::co_spawn(f.io, ask(), asio::bind_cancellation_slot(signal.slot(), note));
  asio::co_spawn(f.io, ask(), note);
  f.io.poll();  // both wait
  signal.emit(asio::cancellation_type::terminal);
  while (answers.empty()) f.io.run_one();
  std::filesystem::remove(f.folder.path("plugin.hold"));
  f.io.run();
  EXPECT_EQ(answers, (std::vector<std::string>{"none", "t1"}));
  EXPECT_EQ(f.runs(), 1);
}

TEST(credentials_plugin, is_not_waited_for_beyond_the_deadline_and_serves_the_next) {
  fixture f;
  f.use_plugin();
  const auto got =
      test::run(f.io, f.who().get(f.io.get_executor(), std::chrono::steady_clock::now()));  // to its end
  ASSERT_FALSE(got);
  EXPECT_TRUE(got.error().message.contains("no outcome in time")) << got.error().message;
  EXPECT_EQ(f.token(), "t1");
  EXPECT_EQ(f.runs(), 1);
}

TEST(credentials_token, that_would_end_the_header_is_refused) {
  fixture f;
  f.config.token_file = f.folder.write("token", "a\r\nX-Remote-User: root\n");
  EXPECT_TRUE(f.token().contains("no HTTP field may have")) << f.token();
}

TEST(credentials_plugin, runs_again_when_its_token_ends) {
  fixture f;
  f.use_plugin(R"(,"expirationTimestamp":"2020-01-01T00:00:00Z")");
  EXPECT_EQ(f.token(), "t1");
  EXPECT_EQ(f.token(), "t2");
  fixture holds;
  holds.use_plugin(R"(,"expirationTimestamp":"2200-01-01T00:00:00Z")");
  EXPECT_EQ(holds.token(), "t1");
  EXPECT_EQ(holds.token(), "t1");
}

TEST(credentials_plugin, runs_once_for_all_who_ask_at_the_same_time) {
  for (const bool broken : {false, true}) {
    fixture f;
    f.use_plugin();
    if (broken) f.folder.write("plugin.broken", "");
    int answers = 0;
    for (int i = 0; i < 8; ++i)
      boost::asio::co_spawn(f.io, f.who().get(f.io.get_executor(), std::chrono::steady_clock::now() + 60s),
                            [&](std::exception_ptr thrown, result<credentials::current> got) {
                              EXPECT_FALSE(thrown);
                              EXPECT_EQ(got.has_value(), !broken);
                              EXPECT_EQ(got ? token_of(*got) : "t1", "t1");
                              ++answers;
                            });
    f.io.run();
    EXPECT_EQ(answers, 8);
    EXPECT_EQ(f.runs(), 1);
  }
}

}  // namespace
}  // namespace egress::kube
