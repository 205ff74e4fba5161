// Other upstreams while we run.
#include <boost/asio/io_context.hpp>

#include "actors/dns/io/loop_watch.hpp"
#include "actors/dns/io/resolv_conf_watch.hpp"
#include "actors/dns/io/upstream_source.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {
namespace {

using packets = std::vector<packet>;
using std::chrono::milliseconds;

std::shared_ptr<const upstream_list> only(const scripted_upstream& one) {
  return std::make_shared<const upstream_list>(upstream_list{one.address()});
}

TEST(reload, new_questions_go_to_the_new_upstreams_and_old_ones_end_with_the_old) {
  std::atomic<bool> release = false;
  scripted_upstream before([&](const packet& asked, auto) {
    return release ? packets{answer_to(asked, 0, {1, 1, 1, 1})} : packets{};
  });
  scripted_upstream after(
      [](const packet& asked, auto) { return packets{answer_to(asked, 0, {2, 2, 2, 2})}; });
  served s({before.address()});
  s.config.forward.budget = std::chrono::seconds{8};
  const auto worker = s.make();
  const udp_client client(s.port), other(s.port);
  client.send(ask{.name = "a.org"}.make());
  ASSERT_TRUE(becomes_true([&] { return before.asked() > 0; }));
  worker->set_upstreams(only(after));
  EXPECT_EQ(other.ask_for({.name = "b.org"}).answers.at(0).data, (packet{2, 2, 2, 2}));
  release = true;
  EXPECT_EQ(read_reply(client.receive()).answers.at(0).data, (packet{1, 1, 1, 1}));
}

TEST(reload, questions_that_wait_for_a_check_of_the_old_ones_are_asked_of_the_new) {
  scripted_upstream silent([](auto&, auto) { return packets{}; });
  scripted_upstream after([](const packet& asked, auto) { return packets{answer_to(asked)}; });
  served s({silent.address()});
  s.config.loops = std::make_shared<loop_watch>(1);
  s.be_patient();
  const auto worker = s.make();
  const udp_client client(s.port), other(s.port);
  client.send(ask{.name = "a.org"}.make());
  ASSERT_TRUE(becomes_true([&] { return s.counters->forward_requests.value() == 1; }));
  worker->set_upstreams(only(after));
  EXPECT_EQ(other.ask_for({.name = "b.org"}).code, 0u);
  EXPECT_EQ(read_reply(client.receive()).code, 0u) << "not held up by the silent one";
}

TEST(reload, a_loop_runs_through_many_changes_under_load) {
  scripted_upstream one([](const packet& asked, auto) { return packets{answer_to(asked)}; });
  scripted_upstream two([](const packet& asked, auto) { return packets{answer_to(asked)}; });
  served s({one.address()});
  s.config.loops = std::make_shared<loop_watch>(1);
  s.config.forward.budget = std::chrono::seconds{8};
  const auto worker = s.make();
  const udp_client client(s.port);
  for (int i = 0; i < 100; ++i) {
    client.send(ask{.name = "n" + std::to_string(i) + ".org"}.make());
    worker->set_upstreams(only(i % 2 == 0 ? two : one));
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(read_reply(client.receive()).code, 0u) << i;
}

TEST(upstream_source, tells_its_followers_until_they_go) {
  upstream_source source({parse_upstream("10.0.0.1").value()});
  std::vector<std::size_t> told;
  auto handle = source.follow([&](const auto& list) { told.push_back(list->size()); });
  source.set({parse_upstream("10.0.0.1").value(), parse_upstream("10.0.0.2").value()});
  EXPECT_EQ(told, (std::vector<std::size_t>{1, 2}));
  handle.reset();
  source.set({});
  EXPECT_EQ(told.size(), 2u);
  EXPECT_TRUE(source.get()->empty());
}

TEST(resolv_conf, lines_that_name_no_server_are_left_out) {
  const egress::test::temporary_folder folder;
  const auto read = read_resolv_conf(folder.write("r", "nameserver 10.0.0.1\nnameserver nobody\n"));
  ASSERT_EQ(read.servers.size(), 1u);
  ASSERT_EQ(read.complaints.size(), 1u);
  EXPECT_TRUE(read.complaints[0].contains("nobody"));
  EXPECT_TRUE(read_resolv_conf(folder.path("none")).servers.empty());
}

// resolv.conf(5) has addresses only, and whoever writes it does not know that we are asked to trust a name.
TEST(resolv_conf, has_no_server_over_tls) {
  const egress::test::temporary_folder folder;
  const auto read = read_resolv_conf(folder.write("r",
                                                  "nameserver tls://192.0.2.1#dns.example\n"
                                                  "nameserver tls://192.0.2.2\n"
                                                  "nameserver 192.0.2.3:5300\n"));
  EXPECT_EQ(read.servers, (upstream_list{parse_upstream("192.0.2.3:5300").value()}));
  ASSERT_EQ(read.complaints.size(), 2u);
  EXPECT_TRUE(read.complaints[0].contains("tls://192.0.2.1#dns.example")) << read.complaints[0];
  for (const auto& one : read.complaints)
    EXPECT_TRUE(one.contains("give --dns-upstream tls://IP#NAME")) << one;
}

// A watch on a file, and what it has told.
struct watching {
  egress::test::temporary_folder folder;
  std::string path = folder.write("resolv.conf", "nameserver 10.0.0.1\n");
  boost::asio::io_context io{1};
  std::mutex mutex;
  std::vector<std::string> told;
  std::atomic<std::size_t> count = 0;
  std::thread thread;

  watching() {
    std::make_shared<resolv_conf_watch>(io, path, read_resolv_conf(path), milliseconds{5},
                                        [this](const resolv_conf& now) {
                                          const std::scoped_lock lock(mutex);
                                          std::string text;
                                          for (const auto& one : now.servers)
                                            text += to_text(one.address) + " ";
                                          for (const auto& one : now.complaints) text += one;
                                          told.push_back(text);
                                          ++count;
                                        })
        ->start();
    thread = std::thread([this] { io.run(); });
  }
  ~watching() {
    io.stop();
    thread.join();
  }
};

TEST(resolv_conf, changes_are_told_once_however_they_come) {
  watching w;
  w.folder.write("resolv.conf", "search a.b\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n");
  ASSERT_TRUE(becomes_true([&] { return w.count >= 1; }));
  // Replaced by another file, as most programs do it.
  std::filesystem::rename(w.folder.write("next", "nameserver 10.0.0.4\n"), w.path);
  ASSERT_TRUE(becomes_true([&] {
    const std::scoped_lock lock(w.mutex);
    return w.told.back().contains("10.0.0.4");
  }));
  // Gone, or empty for a moment: the last one stays. Other lines are no change.
  std::filesystem::remove(w.path);
  w.folder.write("resolv.conf", "");
  w.folder.write("resolv.conf", "# comment\nnameserver 10.0.0.4\n");
  w.folder.write("resolv.conf", "nameserver 10.0.0.5\n");
  ASSERT_TRUE(becomes_true([&] {
    const std::scoped_lock lock(w.mutex);
    return w.told.back() == "10.0.0.5:53 ";
  }));
  const std::scoped_lock lock(w.mutex);
  for (const auto& text : w.told) EXPECT_EQ(std::ranges::count(w.told, text), 1) << text;
}

TEST(resolv_conf, lines_that_are_left_out_are_told_once_though_the_servers_stay) {
  watching w;
  const auto has_told = [&](std::size_t times) { return becomes_true([&] { return w.count >= times; }); };
  w.folder.write("next", "nameserver 10.0.0.1\nnameserver nobody\n");
  std::filesystem::rename(w.folder.path("next"), w.path);
  ASSERT_TRUE(has_told(1));
  w.folder.write("next", "nameserver tls://192.0.2.1#dns.example\n");
  std::filesystem::rename(w.folder.path("next"), w.path);
  ASSERT_TRUE(has_told(2));
  w.folder.write("next", "nameserver 10.0.0.2\n");
  std::filesystem::rename(w.folder.path("next"), w.path);
  ASSERT_TRUE(has_told(3));
  const std::scoped_lock lock(w.mutex);
  ASSERT_EQ(w.told.size(), 3u);
  EXPECT_TRUE(w.told[0].starts_with("10.0.0.1:53 ") && w.told[0].contains("nobody")) << w.told[0];
  EXPECT_TRUE(w.told[1].contains("tls://192.0.2.1")) << w.told[1];
  EXPECT_EQ(w.told[2], "10.0.0.2:53 ");
}

}  // namespace
}  // namespace egress::dns::test
