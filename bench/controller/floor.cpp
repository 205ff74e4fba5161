// The floor of bench/controller: what the API server needs for the requests alone. Sends prepared requests
// over so many kept-alive connections, and does nothing with the answers but read them. Prints one line of
// JSON. usage:
//   floor SERVER CA_FILE TOKEN_FILE CONNECTIONS post FILE    FILE: PATH, a tab, and a JSON body on each line
//   floor SERVER CA_FILE TOKEN_FILE CONNECTIONS patch FILE   the same, with merge patches
//   floor SERVER CA_FILE TOKEN_FILE CONNECTIONS list FILE    FILE: PATH of a collection on each line, read in
//   pages of 500
// A line of several PATHs and bodies is sent one by one, on one connection. RATE behind all that: so many
// lines a second are begun, at even times, while there are connections that do nothing else; FILE.times then
// has when each was begun and when each of its answers came, in seconds since 1970.

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/http/connection.hpp"
#include "runtime/net/tls.hpp"

namespace {

using namespace egress;
namespace asio = boost::asio;
using std::chrono::steady_clock;

constexpr std::chrono::seconds patience{60};

struct work {
  http::connect_options options;
  std::string authorization;
  std::string_view how;
  std::vector<std::string> lines;
  double rate = 0;  // of lines a second; 0: as fast as they are answered
  std::size_t next = 0, done = 0, failed = 0, answers = 0;
  steady_clock::time_point began, last_answer;
  steady_clock::duration latest{};         // of all lines, behind its time
  std::vector<std::vector<double>> times;  // of each line, when there is a rate
};

// The ends of an answer's body. A page's continue token is in one of them: metadata comes first in the list
// of a built-in kind, and last in that of a custom resource.
class body_ends {
 public:
  void add(std::string_view piece) {
    if (begin_.size() < most) begin_.append(piece.substr(0, most));
    end_.append(piece.substr(piece.size() - std::min(piece.size(), most)));
    if (end_.size() > most) end_.erase(0, end_.size() - most);
  }
  std::string text() && { return std::move(begin_) + std::move(end_); }

 private:
  static constexpr std::size_t most = 2048;
  std::string begin_, end_;
};

asio::awaitable<std::optional<std::string>> ask(work& all, http::connection& on, std::string method,
                                                std::string target, std::string body) {
  http::client_request what{method, target, {{"Authorization", all.authorization}}, body};
  if (!body.empty())
    what.headers.push_back(
        {"Content-Type", all.how == "patch" ? "application/merge-patch+json" : "application/json"});
  const auto head = co_await on.send(std::move(what), patience);
  if (!head) co_return std::nullopt;
  body_ends ends;
  for (;;) {
    const auto piece = co_await on.read_some(patience);
    if (!piece) co_return std::nullopt;
    if (piece->empty()) break;
    ends.add(*piece);
  }
  ++all.answers;
  all.last_answer = steady_clock::now();
  auto text = std::move(ends).text();
  if (head->status < 200 || head->status > 299) {
    std::fprintf(stderr, "floor: %d %s\n", head->status, text.c_str());
    co_return std::nullopt;
  }
  co_return text;
}

std::string continue_token(const std::string& page) {
  constexpr std::string_view key = R"("continue":")";
  const auto at = page.find(key);
  if (at == std::string::npos) return {};
  const auto begin = at + key.size();
  return page.substr(begin, page.find('"', begin) - begin);
}

asio::awaitable<bool> list(work& all, http::connection& on, std::string path) {
  std::string token;
  do {
    auto target = path + "?limit=500";
    if (!token.empty()) target += "&continue=" + http::percent_encode(token);
    const auto page = co_await ask(all, on, "GET", std::move(target), {});
    if (!page) co_return false;
    token = continue_token(*page);
  } while (!token.empty());
  co_return true;
}

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

asio::awaitable<bool> write(work& all, http::connection& on, std::size_t number) {
  std::string_view line = all.lines[number];
  std::vector<double> times{seconds_since_1970()};
  const auto* const method = all.how == "patch" ? "PATCH" : "POST";
  while (!line.empty()) {
    const auto tab = line.find('\t');
    const auto end = std::min(line.size(), line.find('\t', tab + 1));
    const auto answer = co_await ask(all, on, method, std::string{line.substr(0, tab)},
                                     std::string{line.substr(tab + 1, end - tab - 1)});
    if (!answer) co_return false;
    times.push_back(seconds_since_1970());
    line.remove_prefix(std::min(line.size(), end + 1));
  }
  if (all.rate > 0) all.times[number] = std::move(times);
  co_return true;
}

// Until it is the turn of the line of this number.
asio::awaitable<void> wait_for(work& all, asio::any_io_executor executor, std::size_t number) {
  if (all.rate <= 0) co_return;
  const std::chrono::duration<double> since{static_cast<double>(number) / all.rate};
  const auto due = all.began + std::chrono::duration_cast<steady_clock::duration>(since);
  asio::steady_timer timer(executor, due);
  co_await timer.async_wait(asio::use_awaitable);
  all.latest = std::max(all.latest, steady_clock::now() - due);
}

asio::awaitable<void> serve_one_connection(work& all, asio::any_io_executor executor) {
  auto on = co_await http::connection::open(executor, all.options);
  if (!on) {
    std::fprintf(stderr, "floor: %s\n", on.error().message.c_str());
    ++all.failed;
    co_return;
  }
  while (all.next < all.lines.size()) {
    const auto number = all.next++;
    co_await wait_for(all, executor, number);
    bool good = false;
    if (all.how == "list")
      good = co_await list(all, **on, all.lines[number]);
    else
      good = co_await write(all, **on, number);
    ++(good ? all.done : all.failed);
  }
}

std::string contents(const char* file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void tell_times(const work& all, const std::string& file) {
  std::ofstream out(file);
  for (const auto& line : all.times) {
    const char* between = "";
    for (const auto time : line) out << std::exchange(between, " ") << fmt::format("{:.6f}", time);
    out << '\n';
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7 && argc != 8) {
    std::fputs("usage: floor SERVER CA_FILE TOKEN_FILE CONNECTIONS post|patch|list FILE [RATE]\n", stderr);
    return 2;
  }
  work all;
  const auto where = http::parse_base_url(argv[1]);
  auto tls = net::make_tls_context({.authorities = contents(argv[2]), .certificate = {}, .key = {}});
  if (!where || !tls) {
    std::fputs("floor: no server's URL, or no certificate authority\n", stderr);
    return 2;
  }
  all.options.where = *where;
  all.options.tls = *tls;
  all.options.server_name = where->host;
  all.authorization = "Bearer " + contents(argv[3]);
  all.how = argv[5];
  if (argc == 8) all.rate = std::atof(argv[7]);
  std::ifstream in(argv[6]);
  for (std::string line; std::getline(in, line);) all.lines.push_back(line);

  asio::io_context io{1};
  all.times.resize(all.rate > 0 ? all.lines.size() : 0);
  all.began = steady_clock::now();
  const auto cpu = std::clock();
  for (int i = 0, connections = std::atoi(argv[4]); i < connections; ++i)
    asio::co_spawn(io, serve_one_connection(all, io.get_executor()), asio::detached);
  io.run();
  if (all.rate > 0) tell_times(all, std::string{argv[6]} + ".times");
  const auto took = std::chrono::duration<double>(all.last_answer - all.began).count();
  const auto used = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  std::printf(
      R"({"seconds": %.4f, "cpu_seconds": %.4f, "done": %zu, "failed": %zu, "answers": %zu, "latest": %.4f})"
      "\n",
      took, used, all.done, all.failed, all.answers, std::chrono::duration<double>(all.latest).count());
  return all.failed == 0 && all.done == all.lines.size() ? 0 : 1;
}
