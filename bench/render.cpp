// What it costs to work out an ExternalService's children: the configuration of its Envoys alone, and all
// objects with their digests, as a reconcile does it.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "actors/reconciler/desired_children.hpp"
#include "actors/reconciler/envoy/configuration.hpp"
#include "bench/external_service.hpp"

namespace egress {
namespace {

using bench::external_service;

void configuration(benchmark::State& state) {
  std::uint64_t number = 0;
  for (auto _ : state) {
    const auto one = external_service(++number);
    benchmark::DoNotOptimize(envoy::configure(one.meta.name, one.as_external_service().spec,
                                              {.profile = static_cast<gateway_profile>(state.range(0))}));
  }
}

void all_children(benchmark::State& state) {
  gateway_settings settings;
  settings.profile = static_cast<gateway_profile>(state.range(0));
  const kube::projection_rules rules;
  std::uint64_t number = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(reconciler::desired_of(external_service(++number), {}, false, settings, rules));
}

constexpr auto profiles = {static_cast<std::int64_t>(gateway_profile::compatible),
                           static_cast<std::int64_t>(gateway_profile::hardened)};
BENCHMARK(configuration)->ArgsProduct({profiles})->Unit(benchmark::kMicrosecond);
BENCHMARK(all_children)->ArgsProduct({profiles})->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace egress

BENCHMARK_MAIN();
