#include <gtest/gtest.h>

#include <random>

#include "runtime/kube/decode.hpp"
#include "tests/unit/kube/support.hpp"

namespace egress::kube {
namespace {

// Bytes of golden objects changed, cut and doubled: any outcome is right but a crash (and what sanitizers
// see).
TEST(decode, no_mutation_of_an_object_crashes) {
  std::vector<std::pair<kind, std::string>> seeds;
  for (const auto of : child_kinds)
    seeds.emplace_back(
        of, json::to_text(test::as_served(test::golden("override").at(info(of).name).as_object())));
  seeds.emplace_back(kind::external_service,
                     R"({"metadata":{"name":"x","uid":"u"},"spec":{"dnsName":"a.b","ports":[{"port":443}],)"
                     R"("ipOverride":["1.2.3.4"],"resources":{"limits":{"cpu":1.5}},"tls":{"sni":"Off"}},)"
                     R"("status":{"conditions":[{"type":"Ready"}]}})");
  std::mt19937 random(11);
  decoder subject{projection_rules{}};
  constexpr std::string_view interesting = "{}[]\",:\\0-9eEntf\x80\xff\n ";
  int good = 0, bad = 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto& [of, seed] = seeds[static_cast<std::size_t>(i) % seeds.size()];
    auto text = seed;
    for (auto edits = 1 + random() % 3; edits > 0; --edits) {
      const auto at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[at] = interesting[random() % interesting.size()];
          break;
        case 1:
          text.erase(at, 1 + random() % 4);
          break;
        case 2:
          text.insert(at, text.substr(random() % text.size(), random() % 16));
          break;
        default:
          text[at] = static_cast<char>(random() & 0xFFU);
          break;
      }
      if (text.empty()) text = "{";
    }
    const bool ok =
        i % 3 == 0 ? subject.decode_watch_line(of, R"({"type":"ADDED","object":)" + text + "}").has_value()
                   : subject.decode(of, text).has_value();
    ++(ok ? good : bad);
  }
  EXPECT_GT(good, 1000);
  EXPECT_GT(bad, 1000);
}

}  // namespace
}  // namespace egress::kube
