// How fast a server works off what waits for it, with no generator beside it: the server is stopped, its
// sockets are filled, it goes on, and we sleep until it is done. The kernel notes when each answer came.
// Prints one line of JSON. usage: drain PORT NAMES COUNT PID…

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "bench/dns/load.hpp"

namespace {

using namespace egress::bench;

// So many that SO_REUSEPORT gives each worker about the same.
constexpr std::size_t sockets = 128;
// Of the answers, for which the rate is told: behind that one worker may be done before another.
constexpr double told_share = 0.7;

int connect_to(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_DGRAM, 0), on = 1, much = 8 << 20;
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &much, sizeof much);
  ::setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0) return socket;
  std::perror("connect");
  std::exit(1);
}

// Ends us when the process has ended.
bool is_stopped(int process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  const char state = name_end != std::string::npos && line.size() > name_end + 2 ? line[name_end + 2] : 'Z';
  if (state == 'Z') std::exit(1);
  return state == 'T';
}

// Nanoseconds of the kernel's clock when the next answer came; 0 when there is none.
std::int64_t next_answer(int socket) {
  std::array<std::uint8_t, 1500> data;
  alignas(cmsghdr) std::array<std::uint8_t, 128> control;
  iovec part{data.data(), data.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  if (::recvmsg(socket, &header, MSG_DONTWAIT) < 12) return 0;
  if ((data[3] & 15) != 0 || data[7] == 0) std::fputs("drain: a wrong answer\n", stderr);
  for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec at{};
    std::memcpy(&at, CMSG_DATA(one), sizeof at);
    return at.tv_sec * 1'000'000'000 + at.tv_nsec;
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  if (count < 5) {
    std::fputs("usage: drain PORT NAMES COUNT PID…\n", stderr);
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::atoi(words[1]));
  questions from(static_cast<unsigned>(std::atoi(words[2])), "host-%.example.com");
  const int packets = std::atoi(words[3]);
  std::vector<int> processes;
  for (int i = 4; i < count; ++i) processes.push_back(std::atoi(words[i]));
  std::vector<int> clients;
  for (std::size_t i = 0; i < sockets; ++i) clients.push_back(connect_to(port));

  for (const int one : processes) ::kill(one, SIGSTOP);
  for (const int one : processes)
    while (!is_stopped(one)) std::this_thread::yield();
  for (int i = 0; i < packets; ++i) {
    const auto& packet = from.next();
    ::send(clients[static_cast<std::size_t>(i) % sockets], packet.data(), packet.size(), 0);
  }
  for (const int one : processes) ::kill(one, SIGCONT);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));

  std::vector<std::int64_t> came;
  for (const int client : clients)
    while (const auto at = next_answer(client)) came.push_back(at);
  std::ranges::sort(came);
  const auto told = static_cast<std::size_t>(static_cast<double>(came.size()) * told_share);
  const auto took = told > 0 ? came[told] - came[0] : 1;
  std::printf("{\"sent\": %d, \"answered\": %zu, \"qps\": %.0f}\n", packets, came.size(),
              1e9 * static_cast<double>(told) / static_cast<double>(took));
}
