// The floor of bench/controller: what the API server needs for the requests alone. Sends prepared requests
// over so many kept-alive connections, and does nothing with the answers but read them. Prints one line of
// JSON. usage:
//   floor SERVER CA_FILE TOKEN_FILE CONNECTIONS post FILE    FILE: PATH, a tab, and a JSON body on each line
//   floor SERVER CA_FILE TOKEN_FILE CONNECTIONS patch FILE   the same, with merge patches
//   floor SERVER CA_FILE TOKEN_FILE CONNECTIONS list FILE    FILE: PATH of a collection on each line, read in
//   pages of 500

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
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
  std::size_t next = 0, done = 0, failed = 0, answers = 0;
  steady_clock::time_point last_answer;
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

asio::awaitable<bool> write(work& all, http::connection& on, const std::string& line) {
  const auto tab = line.find('\t');
  const auto* const method = all.how == "patch" ? "PATCH" : "POST";
  const auto answer = co_await ask(all, on, method, line.substr(0, tab), line.substr(tab + 1));
  co_return answer.has_value();
}

asio::awaitable<void> serve_one_connection(work& all, asio::any_io_executor executor) {
  auto on = co_await http::connection::open(executor, all.options);
  if (!on) {
    std::fprintf(stderr, "floor: %s\n", on.error().message.c_str());
    ++all.failed;
    co_return;
  }
  while (all.next < all.lines.size()) {
    const auto& line = all.lines[all.next++];
    bool good = false;
    if (all.how == "list")
      good = co_await list(all, **on, line);
    else
      good = co_await write(all, **on, line);
    ++(good ? all.done : all.failed);
  }
}

std::string contents(const char* file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fputs("usage: floor SERVER CA_FILE TOKEN_FILE CONNECTIONS post|patch|list FILE\n", stderr);
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
  std::ifstream in(argv[6]);
  for (std::string line; std::getline(in, line);) all.lines.push_back(line);

  asio::io_context io{1};
  const auto began = steady_clock::now();
  const auto cpu = std::clock();
  for (int i = 0, connections = std::atoi(argv[4]); i < connections; ++i)
    asio::co_spawn(io, serve_one_connection(all, io.get_executor()), asio::detached);
  io.run();
  const auto took = std::chrono::duration<double>(all.last_answer - began).count();
  const auto used = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  std::printf(R"({"seconds": %.4f, "cpu_seconds": %.4f, "done": %zu, "failed": %zu, "answers": %zu})"
              "\n",
              took, used, all.done, all.failed, all.answers);
  return all.failed == 0 && all.done == all.lines.size() ? 0 : 1;
}
