// What it costs to read what the API server sends: a page of a list, cut into its items and each decoded, the
// cutting alone, and the line of a watch. Objects are rendered ones with what a server adds, managedFields
// above all; ExternalServices are by far the smallest and are not among them.

#include "runtime/kube/decode.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "actors/reconciler/desired_children.hpp"
#include "bench/external_service.hpp"
#include "runtime/kube/json_text.hpp"
#include "runtime/kube/list_splitter.hpp"

namespace egress {
namespace {

using bench::external_service;

// As metadata.managedFields has it: the object once more, of names alone.
json::object fields_of(const json::object& from) {
  json::object fields;
  for (const auto& [name, inside] : from)
    fields["f:" + std::string(name)] = inside.is_object() ? fields_of(inside.as_object()) : json::object{};
  return fields;
}

std::string as_served(kube::kind of, std::uint64_t number) {
  const auto made = reconciler::desired_of(external_service(number), {}, false, {}, {});
  auto object = json::object(*made.children[kube::child_index(of)]->object);
  auto fields = fields_of(object);
  auto& metadata = object.at("metadata").as_object();
  metadata["resourceVersion"] = std::to_string(812345 + number);
  metadata["creationTimestamp"] = "2026-01-02T15:04:05Z";
  metadata["managedFields"] = json::array{json::object{{"manager", "egress-operator"},
                                                       {"operation", "Update"},
                                                       {"time", "2026-01-02T15:04:05Z"},
                                                       {"fieldsType", "FieldsV1"},
                                                       {"fieldsV1", std::move(fields)}}};
  return json::to_text(object);
}

// 500 of them, as the API server puts them into one answer.
std::string page_of(kube::kind of) {
  std::string page = R"({"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"812345"},"items":[)";
  for (std::uint64_t i = 0; i < 500; ++i) page += (i == 0 ? "" : ",") + as_served(of, i);
  return page + "]}";
}

// In pieces as a connection gives them.
template <class Take>
void read_page(benchmark::State& state, const std::string& page, Take&& take) {
  constexpr std::size_t piece = 16U << 10U;
  for (auto _ : state) {
    kube::list_splitter cut;
    for (std::string_view rest = page; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size())))
      if (!cut.feed(rest.substr(0, piece), take)) return state.SkipWithError("the page cannot be read");
    benchmark::DoNotOptimize(cut.finish());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(page.size()));
}

void list_cut(benchmark::State& state, kube::kind of) {
  read_page(state, page_of(of), [](std::string_view item) -> result<void> {
    benchmark::DoNotOptimize(item);
    return {};
  });
}

void list_decoded(benchmark::State& state, kube::kind of) {
  kube::decoder by({});
  read_page(state, page_of(of), [&](std::string_view item) -> result<void> {
    auto object = by.decode(of, item);
    if (!object) return std::unexpected(object.error());
    benchmark::DoNotOptimize(*object);
    return {};
  });
}

void watch_line(benchmark::State& state, kube::kind of) {
  kube::decoder by({});
  const auto line = R"({"type":"MODIFIED","object":)" + as_served(of, 1) + "}";
  for (auto _ : state) {
    auto event = by.decode_watch_line(of, line);
    if (!event) return state.SkipWithError("the line cannot be read");
    benchmark::DoNotOptimize(*event);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
}

#define EACH_KIND(what)                                        \
  BENCHMARK_CAPTURE(what, config_map, kube::kind::config_map); \
  BENCHMARK_CAPTURE(what, deployment, kube::kind::deployment); \
  BENCHMARK_CAPTURE(what, service, kube::kind::service)
EACH_KIND(list_cut);
EACH_KIND(list_decoded);
EACH_KIND(watch_line);

}  // namespace
}  // namespace egress

BENCHMARK_MAIN();
