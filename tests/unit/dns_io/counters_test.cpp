#include "actors/dns/counters.hpp"

#include "tests/unit/dns/cache_support.hpp"
#include "tests/unit/dns_io/tcp_client.hpp"

namespace egress::dns::test {
namespace {

using std::chrono::steady_clock;

template <std::size_t Bounds>
std::uint64_t values_in(const histogram<Bounds>& all) {
  std::uint64_t values = 0;
  for (const auto& bucket : all.buckets) values += bucket.value();
  return values;
}

// Each value is above 0, and all of them were measured since then.
void expect_times(const histogram<duration_bounds.size()>& all, std::uint64_t values,
                  steady_clock::time_point since) {
  const std::chrono::nanoseconds passed = steady_clock::now() - since;
  EXPECT_EQ(values_in(all), values);
  EXPECT_GT(all.sum.value(), 0u);
  EXPECT_LT(all.sum.value(), values * static_cast<std::uint64_t>(passed.count()));
}

void expect_sizes(const histogram<size_bounds.size()>& all, std::uint64_t values, std::size_t sum) {
  EXPECT_EQ(values_in(all), values);
  EXPECT_EQ(all.sum.value(), sum);
}

// NXDOMAIN for names that begin with "gone": the whole of org says so.
std::vector<packet> known_or_gone(const packet& asked, transport) {
  if (!read_reply(asked).question.starts_with("gone")) return {answer_to(asked)};
  auto reply = answer_to(asked, 3, {});
  const auto owner = name_in_case("org"), soa = soa_data(300);
  reply.insert(reply.end(), owner.begin(), owner.end());
  for (const unsigned field : {unsigned{rr::soa}, 1u, 0u, 300u, static_cast<unsigned>(soa.size())})
    put16(reply, field);
  reply.insert(reply.end(), soa.begin(), soa.end());
  store16(&reply[8], 1);
  return {reply};
}

TEST(counters, sort_values_into_coredns_buckets) {
  EXPECT_EQ(duration_bounds.front(), 250'000u);
  EXPECT_EQ(duration_bounds.back(), 8'192'000'000u);
  histogram<size_bounds.size()> sizes;
  for (const std::uint64_t size : {0u, 1u, 100u, 101u, 64000u, 65000u}) sizes.add(size_bounds, size);
  EXPECT_EQ(sizes.buckets[0].value(), 1u);
  EXPECT_EQ(sizes.buckets[1].value(), 2u);
  EXPECT_EQ(sizes.buckets[2].value(), 1u);
  EXPECT_EQ(sizes.buckets[13].value(), 1u);
  EXPECT_EQ(sizes.buckets[14].value(), 1u);
  EXPECT_EQ(sizes.sum.value(), 129202u);
}

TEST(counters, name_the_types) {
  EXPECT_STREQ(counted_type_names[type_bucket(1)], "A");
  EXPECT_STREQ(counted_type_names[type_bucket(65)], "HTTPS");
  EXPECT_STREQ(counted_type_names[type_bucket(255)], "ANY");
  EXPECT_STREQ(counted_type_names[type_bucket(999)], "other");
}

TEST(counters, have_the_time_and_the_sizes_of_each_answer_of_our_own) {
  const auto began = steady_clock::now();
  served s;
  auto worker = s.make();
  const auto question = ask{}.make();
  std::size_t udp = 0, tcp = 0;
  {
    const udp_client client(s.port);
    const tcp_client other(s.port);
    for (int i = 0; i < 3; ++i) {
      client.send(question);
      udp += client.receive().size();
    }
    other.send(question);
    tcp += other.receive().size();
  }
  worker.reset();  // the last batch is over
  expect_times(s.counters->durations, 4, began);
  expect_sizes(s.counters->request_sizes[0], 3, 3 * question.size());
  expect_sizes(s.counters->request_sizes[1], 1, question.size());
  expect_sizes(s.counters->response_sizes[0], 3, udp);
  expect_sizes(s.counters->response_sizes[1], 1, tcp);
}

TEST(counters, have_the_time_the_code_and_the_size_of_each_forwarded_answer) {
  const auto began = steady_clock::now();
  scripted_upstream upstream(known_or_gone);
  served s({upstream.address()});
  s.be_patient();
  auto worker = s.make();
  const udp_client client(s.port);
  std::size_t answered = 0;
  for (const auto* name : {"a.org", "b.org", "gone.org"}) {
    client.send(ask{.name = name}.make());
    answered += client.receive().size();
  }
  worker.reset();
  const auto& all = *s.counters;
  expect_times(all.durations, 3, began);
  expect_times(all.forward_durations, 3, began);
  EXPECT_LE(all.forward_durations.sum.value(), all.durations.sum.value());
  expect_sizes(all.response_sizes[0], 3, answered);
  EXPECT_EQ(all.forward_responses[0].value(), 2u);
  EXPECT_EQ(all.forward_responses[3].value(), 1u);
  const auto upstreams = s.counters->upstreams.all();
  ASSERT_EQ(upstreams.size(), 1u);
  EXPECT_EQ(upstreams[0]->to, to_text(upstream.address()));
  expect_times(upstreams[0]->durations[0], 2, began);
  expect_times(upstreams[0]->durations[3], 1, began);
}

TEST(counters, have_what_a_full_cache_threw_away) {
  scripted_upstream upstream(known_or_gone);
  for (const auto kind : {cache_kind::success, cache_kind::denial}) {
    served s({upstream.address()});
    s.be_patient();
    s.config.cache.bytes = 16 << 10;
    auto worker = s.make();
    const udp_client client(s.port);
    const auto& thrown_away = s.counters->cache_evictions[static_cast<std::size_t>(kind)];
    constexpr unsigned names = 200;
    for (unsigned i = 0; i < names; ++i)
      client.ask_for({.name = fmt::format("{}{}.org", kind == cache_kind::denial ? "gone" : "known", i)});
    worker.reset();
    EXPECT_GT(thrown_away.value(), 0u);
    EXPECT_EQ(s.counters->cache_entries[static_cast<std::size_t>(kind)] + thrown_away.value(), names);
  }
}

}  // namespace
}  // namespace egress::dns::test
