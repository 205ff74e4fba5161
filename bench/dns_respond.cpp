// The hot path without its sockets: a packet in, an answer out; with 100 to 100,000 hijacked names.
#include <benchmark/benchmark.h>

#include "actors/dns/respond.hpp"

namespace {

using namespace egress;

kube::object_ptr make(kube::kind of, int i) {
  auto made = std::make_shared<kube::object>();
  made->of = of;
  made->meta.name = fmt::format("s{}", i);
  if (of == kube::kind::service) {
    kube::child body;
    body.hijack_label = "true";
    body.dns_name = fmt::format("host-{}.example.com", i);
    body.cluster_ips = {fmt::format("10.{}.{}.{}", i >> 16 & 255, i >> 8 & 255, i & 255)};
    made->body = std::move(body);
  } else {
    kube::external_service body;
    body.spec.hijack_dns = true;
    body.spec.ports = {{443, "TCP"}};
    made->body = std::move(body);
  }
  return made;
}

struct names {
  explicit names(int count) {
    for (int i = 0; i < count; ++i) {
      services.put(make(kube::kind::service, i));
      external_services.put(make(kube::kind::external_service, i));
    }
  }
  kube::snapshot services, external_services;
};

std::vector<std::uint8_t> question(int i) {
  const auto name = dns::parse_name(fmt::format("host-{}.example.com", i)).value();
  std::vector<std::uint8_t> packet{0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1};
  packet.insert(packet.end(), name.view().begin(), name.view().end());
  for (const int byte : {0, 1, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0})
    packet.push_back(static_cast<std::uint8_t>(byte));
  return packet;
}

void respond_hijacked(benchmark::State& state) {
  const int count = static_cast<int>(state.range(0));
  const names all(count);
  const auto table = dns::build_hijack_table(all.services, all.external_services, nullptr, {}).table;
  std::vector<std::vector<std::uint8_t>> packets;
  for (int i = 0; i < 1024; ++i)
    packets.push_back(question(static_cast<int>(std::int64_t{i} * 7919 % count)));
  std::array<std::uint8_t, dns::answer_room> out;
  dns::query asked;
  std::size_t next = 0;
  for (auto _ : state) {
    const auto judged = dns::parse_query(packets[next++ % packets.size()], asked);
    benchmark::DoNotOptimize(dns::respond(asked, judged, true, table.get(), {}, out));
  }
}
BENCHMARK(respond_hijacked)->Arg(100)->Arg(10'000)->Arg(100'000);

void build_table(benchmark::State& state) {
  const names all(static_cast<int>(state.range(0)));
  const auto previous = dns::build_hijack_table(all.services, all.external_services, nullptr, {}).table;
  for (auto _ : state)
    benchmark::DoNotOptimize(
        dns::build_hijack_table(all.services, all.external_services, previous.get(), {}).table);
  state.counters["bytes_per_service"] =
      static_cast<double>(previous->memory()) / static_cast<double>(state.range(0));
}
BENCHMARK(build_table)->Arg(100)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
