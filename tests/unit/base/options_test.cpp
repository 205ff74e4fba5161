#include "runtime/base/options.hpp"

#include "tests/unit/base/parse.hpp"

namespace egress::testing {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Options, NoWordsIsRunWithTheDefaults) {
  const auto run = parsed({});
  EXPECT_EQ(run.metrics_address, ":8080");
  EXPECT_EQ(run.dns.address, ":5353");
  EXPECT_EQ(run.dns.ttl, seconds{5});
  EXPECT_EQ(run.gateways.name_space, "egress-operator-system");
  EXPECT_EQ(run.gateways.profile, gateway_profile::hardened);
  EXPECT_EQ(run.max_concurrent_reconciles, 16U);
  EXPECT_FALSE(run.leader_election);
  EXPECT_EQ(run.log.format, log_format::json);
}

TEST(Options, TheFlagsOfTheProgramWeReplaceKeepWorking) {
  const auto run = parsed(
      {"-metrics-addr=127.0.0.1:9", "--enable-leader-election", "-enable-pod-disruption-budgets=true"});
  EXPECT_EQ(run.metrics_address, "127.0.0.1:9");
  EXPECT_TRUE(run.leader_election);
  EXPECT_TRUE(run.gateways.pod_disruption_budgets);
}

TEST(Options, AFlagHasGosFourForms) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"--namespace", "ns"}, {"--namespace=ns"}, {"-namespace", "ns"}, {"-namespace=ns"}})
    EXPECT_EQ(parsed(words).gateways.name_space, "ns");
}

TEST(Options, ABooleanIsBareOrHasAnyOfGosValues) {
  for (const auto* yes : {"", "=true", "=1", "=t", "=T", "=TRUE", "=True"})
    EXPECT_TRUE(parsed({std::string("--enable-leader-election") + yes}).leader_election) << yes;
  for (const auto* no : {"=false", "=0", "=f", "=F", "=FALSE", "=False"})
    EXPECT_FALSE(
        parsed({"--enable-leader-election", std::string("--enable-leader-election") + no}).leader_election)
        << no;
  EXPECT_EQ(refusal({"--enable-leader-election=maybe"}),
            "--enable-leader-election=maybe: must be true or false");
  EXPECT_EQ(refusal({"--enable-leader-election", "false"}),
            "unexpected word \"false\": a switch is written --enable-leader-election=false");
}

TEST(Options, AnEmptyValueIsAValue) {
  EXPECT_EQ(parsed({"--kubeconfig", "x", "--kubeconfig="}).kubeconfig, "");
  EXPECT_THAT(refusal({"--namespace="}), HasSubstr("--namespace=: must be a namespace's name"));
}

TEST(Options, FlagsOfRunStandBeforeAndBehindTheCommand) {
  const auto dev = parsed<dev_options>(
      {"--log-level", "debug", "dev", "--dns-addr=127.0.0.1:0", "-f", "a.yaml", "-filename=b"});
  EXPECT_EQ(dev.run.log.level, log_level::debug);
  EXPECT_EQ(dev.run.dns.address, "127.0.0.1:0");
  EXPECT_THAT(dev.files, ElementsAre("a.yaml", "b"));
}

TEST(Options, DevHasFlagsOfItsOwn) {
  const auto dev = parsed<dev_options>({"dev", "--api-only", "--api-addr", "[::1]:6443", "--kubeconfig-out",
                                        "k", "--envoy", "/usr/bin/envoy", "--envoy-logs", "l",
                                        "--service-cluster-ip-range", "127.1.0.0/16"});
  EXPECT_TRUE(dev.api_only);
  EXPECT_EQ(dev.api_address, "[::1]:6443");
  EXPECT_EQ(dev.kubeconfig_out, "k");
  EXPECT_EQ(dev.envoy, "/usr/bin/envoy");
  EXPECT_EQ(dev.envoy_logs, "l");
  EXPECT_EQ(dev.service_range, "127.1.0.0/16");
  EXPECT_EQ(refusal({"run", "--api-only"}), "--api-only does not go with `run`");
  EXPECT_EQ(refusal({"dev", "--kubeconfig", "k"}), "--kubeconfig does not go with `dev`");
  EXPECT_EQ(refusal({"dev", "--context=c"}), "--context does not go with `dev`");
}

TEST(Options, RenderTakesFilesAFormatAndTheProfile) {
  const auto render =
      parsed<render_options>({"render", "-f", "-", "-o", "json", "--gateway-profile=compatible"});
  EXPECT_THAT(render.files, ElementsAre("-"));
  EXPECT_TRUE(render.as_json);
  EXPECT_EQ(render.run.gateways.profile, gateway_profile::compatible);
  EXPECT_FALSE(parsed<render_options>({"render", "-f", "a", "--output=yaml"}).as_json);
  EXPECT_EQ(refusal({"render", "-f", "a", "-o", "toml"}), "-o=toml: must be yaml or json");
  EXPECT_EQ(refusal({"render"}), "`render` needs -f FILE: what to read (- is stdin)");
}

TEST(Options, MoreWordsBehindAFileAreFiles) {
  EXPECT_THAT(parsed<validate_options>({"validate", "-f", "a.yaml", "b.yaml", "c.yaml"}).files,
              ElementsAre("a.yaml", "b.yaml", "c.yaml"));
  EXPECT_EQ(refusal({"validate", "a.yaml"}), "unexpected word \"a.yaml\": files are given as -f a.yaml");
  EXPECT_EQ(refusal({"run", "a.yaml"}), "unexpected word \"a.yaml\" after `run`");
}

TEST(Options, VersionIsACommandAndAFlag) {
  parsed<version_options>({"version"});
  parsed<version_options>({"--version"});
}

TEST(Options, AMistypedNameIsAnsweredWithTheNearest) {
  EXPECT_EQ(refusal({"--metric-addr=:1"}), "unknown flag --metric-addr: did you mean --metrics-addr?");
  EXPECT_EQ(refusal({"--dns-upstreams=1.1.1.1"}),
            "unknown flag --dns-upstreams: did you mean --dns-upstream?");
  EXPECT_EQ(refusal({"--metric-addr", ":1"}), "unknown flag --metric-addr: did you mean --metrics-addr?");
  EXPECT_EQ(refusal({"--api-adr", ":6443", "dev"}), "unknown flag --api-adr: did you mean --api-addr?");
  EXPECT_EQ(refusal({"-f", "x.yaml", "--outptu", "yaml", "validate"}),
            "unknown flag --outptu: did you mean --output?");
  EXPECT_EQ(refusal({"--leader-election", "true"}),
            "unknown flag --leader-election: did you mean --enable-leader-election?");
  EXPECT_EQ(refusal({"--zzzzzz"}), "unknown flag --zzzzzz: `egress-operator run --help` lists them all");
  EXPECT_EQ(refusal({"rendr", "-f", "a"}), "unknown command \"rendr\": did you mean render?");
  EXPECT_EQ(refusal({"frobnicate"}), "unknown command \"frobnicate\": `egress-operator --help` lists them");
  EXPECT_EQ(refusal({"help", "validat"}), "unknown command \"validat\": did you mean validate?");
}

TEST(Options, AMissingValueNamesTheFlag) {
  EXPECT_EQ(refusal({"--dns-addr"}), "--dns-addr needs a value: --dns-addr ADDR");
  EXPECT_EQ(refusal({"--namespace", "--dns-addr=:1"}), "--namespace needs a value: --namespace NAME");
}

TEST(Options, UpstreamsRepeatAndMayBeAList) {
  const auto run = parsed({"--dns-upstream=9.9.9.9,[2620:fe::fe]:53", "--dns-upstream", "::1"});
  EXPECT_THAT(run.dns.upstreams, ElementsAre("9.9.9.9", "[2620:fe::fe]:53", "::1"));
  for (const auto* bad : {"dns.example", "1.1.1", "1.1.1.1:0", "1.1.1.1:65536", "[::1]", "1.1.1.1,", ",", ""})
    EXPECT_THAT(refusal({std::string("--dns-upstream=") + bad}), HasSubstr("must be an IP address")) << bad;
}

TEST(Options, UpstreamsMayBeOverTls) {
  EXPECT_THAT(parsed({"--dns-upstream=tls://9.9.9.9#dns.quad9.net,tls://[2620:fe::fe]:8853#dns.quad9.net"})
                  .dns.upstreams,
              ElementsAre("tls://9.9.9.9#dns.quad9.net", "tls://[2620:fe::fe]:8853#dns.quad9.net"));
  for (const auto* bad :
       {"tls://9.9.9.9", "tls://9.9.9.9#", "tls://#a", "tls://a#b", "tls://9.9.9.9#a b", "tls://"})
    EXPECT_THAT(refusal({std::string("--dns-upstream=") + bad}), HasSubstr("must be tls://IP#NAME")) << bad;
}

TEST(Options, DomainsHaveUpstreamsOfTheirOwn) {
  EXPECT_THAT(parsed({"--dns-forward=cluster.local=10.96.0.10,10.96.0.11:54", "--dns-forward",
                      "10.in-addr.arpa.=::1"})
                  .dns.forwards,
              ElementsAre("cluster.local=10.96.0.10,10.96.0.11:54", "10.in-addr.arpa.=::1"));
  for (const auto* bad :
       {"cluster.local", "=10.96.0.10", ".=10.96.0.10", "a..b=10.96.0.10", "a b=10.96.0.10", ""})
    EXPECT_THAT(refusal({std::string("--dns-forward=") + bad}),
                HasSubstr("must be a domain and its DNS servers"))
        << bad;
  EXPECT_THAT(refusal({"--dns-forward=a.b=c.d"}), HasSubstr("must be an IP address"));
}

TEST(Options, ThePolicyIsOneOfFour) {
  EXPECT_EQ(parsed({}).dns.policy, upstream_policy::least_outstanding);
  EXPECT_EQ(parsed({"--dns-policy=round_robin"}).dns.policy, upstream_policy::round_robin);
  EXPECT_THAT(refusal({"--dns-policy=fastest"}), HasSubstr("must be least_outstanding or round_robin"));
}

TEST(Options, ClientsAreAllowedByAddressRange) {
  EXPECT_THAT(parsed({"--dns-allow=10.0.0.0/8", "--dns-allow=fd00::/8"}).dns.allow,
              ElementsAre("10.0.0.0/8", "fd00::/8"));
  for (const auto* bad : {"10.0.0.0", "10.0.0.0/33", "fd00::/129", "10.0.0.0/", "x/8", "10.0.0.0/-1"})
    EXPECT_THAT(refusal({std::string("--dns-allow=") + bad}), HasSubstr("must be address ranges")) << bad;
}

TEST(Options, TheClustersOwnRangesAreAddressRanges) {
  EXPECT_THAT(parsed({}).gateways.private_ranges, ::testing::IsEmpty());
  EXPECT_THAT(parsed({"--private-range=100.128.0.0/10,2001:db8::/32", "--private-range", "192.0.2.1/32"})
                  .gateways.private_ranges,
              ElementsAre("100.128.0.0/10", "2001:db8::/32", "192.0.2.1/32"));
  for (const auto* bad : {"", "10.0.0.0", "10.0.0.0/33", "fd00::/129", "pods", "10.0.0.0/8,"})
    EXPECT_EQ(
        refusal({std::string("--private-range=") + bad}),
        std::string("--private-range=") + bad + ": must be address ranges such as 10.0.0.0/8 or fd00::/8");
}

TEST(Options, TheLeaseIsAtLeastThreeSecondsLong) {
  EXPECT_EQ(parsed({}).lease_duration, seconds{30});
  EXPECT_EQ(parsed({"--leader-elect-lease-duration=15s"}).lease_duration, seconds{15});
  for (const auto* bad : {"2s", "0", "2h", "500ms", "-3s", ""})
    EXPECT_THAT(refusal({std::string("--leader-elect-lease-duration=") + bad}),
                HasSubstr("must be whole seconds from 3s to 3600s"))
        << bad;
}

TEST(Options, ListsStreamUnlessAskedNotTo) {
  EXPECT_FALSE(parsed({}).paged_lists);
  EXPECT_TRUE(parsed({"--kube-paged-lists"}).paged_lists);
  EXPECT_FALSE(parsed({}).gzip_lists);
  EXPECT_TRUE(parsed({"--kube-gzip-lists"}).gzip_lists);
}

TEST(Options, AWatchLastsTenSecondsAtLeast) {
  EXPECT_EQ(parsed({}).watch_timeout, seconds{300});
  EXPECT_EQ(parsed({"--kube-watch-timeout=1m"}).watch_timeout, seconds{60});
  for (const auto* bad : {"9s", "0", "2h", "500ms", ""})
    EXPECT_THAT(refusal({std::string("--kube-watch-timeout=") + bad}),
                HasSubstr("must be whole seconds from 10s to 3600s"))
        << bad;
}

TEST(Options, DurationsAreSecondsOrHaveUnits) {
  EXPECT_EQ(parsed({"--dns-ttl=10"}).dns.ttl, seconds{10});
  EXPECT_EQ(parsed({"--dns-ttl=10s"}).dns.ttl, seconds{10});
  EXPECT_EQ(parsed({"--dns-max-ttl=1m30s"}).dns.max_ttl, seconds{90});
  EXPECT_EQ(parsed({"--dns-max-ttl=1h"}).dns.max_ttl, seconds{3600});
  for (const auto* bad : {"", "s", "5x", "-5s", "1.5s", "500ms", "5s5", "86401", "99999999999999999999s",
                          "4000000000h4000000000h"})
    EXPECT_EQ(refusal({std::string("--dns-max-ttl=") + bad}),
              fmt::format("--dns-max-ttl={}: must be whole seconds from 1s to 86400s, written 5s, 5 or 1m30s",
                          bad));
}

TEST(Options, SizesAreBytesOrHaveKubernetesSuffixes) {
  constexpr std::uint64_t mebibyte = 1 << 20;
  EXPECT_EQ(parsed({}).dns.cache_size, 64 * mebibyte);
  EXPECT_EQ(parsed({"--dns-cache-size=0"}).dns.cache_size, 0u);
  EXPECT_EQ(parsed({"--dns-cache-size=1048576"}).dns.cache_size, mebibyte);
  EXPECT_EQ(parsed({"--dns-cache-size=2048Ki"}).dns.cache_size, 2 * mebibyte);
  EXPECT_EQ(parsed({"--dns-cache-size", "100Mi"}).dns.cache_size, 100 * mebibyte);
  EXPECT_EQ(parsed({"--dns-cache-size=1Gi"}).dns.cache_size, 1024 * mebibyte);
  for (const auto* bad : {"", "Mi", "64M", "64MiB", "1.5Gi", "-1", "64 Mi", "64mi", "1MiKi", "1023Ki", "65Gi",
                          "18446744073709551615Gi", "99999999999999999999"})
    EXPECT_EQ(refusal({std::string("--dns-cache-size=") + bad}),
              fmt::format("--dns-cache-size={}: must be bytes from 1Mi to 64Gi, written 64Mi, 65536Ki, 1Gi "
                          "or 67108864; or 0",
                          bad));
}

TEST(Options, NumbersHaveRanges) {
  EXPECT_EQ(parsed({"--kube-api-qps=2.5"}).kube_api_qps, 2.5);
  EXPECT_EQ(refusal({"--max-concurrent-reconciles=0"}),
            "--max-concurrent-reconciles=0: must be a whole number from 1 to 1000");
  for (const auto* bad : {"-1", "x", "", "1.5", "4294967297", "0x10", " 1"})
    EXPECT_THAT(refusal({std::string("--dns-workers=") + bad}),
                HasSubstr("must be a whole number from 0 to 256"))
        << bad;
  for (const auto* bad : {"nan", "inf", "-1", "1e9", ""})
    EXPECT_THAT(refusal({std::string("--kube-api-qps=") + bad}),
                HasSubstr("must be a number from 0 to 100000"))
        << bad;
}

TEST(Options, AddressesToListenOnHaveAPort) {
  for (const auto* good : {":0", "127.0.0.1:8080", "[::]:8080", "localhost:1"})
    EXPECT_EQ(parsed({std::string("--metrics-addr=") + good}).metrics_address, good);
  for (const auto* bad :
       {"", "0", "8080", "127.0.0.1", ":", ":x", ":65536", ":-1", "::1:80", "[::1", "[x]:80", "a b:80"})
    EXPECT_THAT(refusal({std::string("--metrics-addr=") + bad}),
                HasSubstr("must be :PORT, ADDRESS:PORT or [IPV6]:PORT"))
        << bad;
}

TEST(Options, NamespaceAndSelectorFollowTheRulesOfKubernetes) {
  for (const auto* bad : {"A", "-a", "a-", "a.b", "a_b"})
    EXPECT_THAT(refusal({"--namespace", std::string("x"), std::string("--namespace=") + bad}),
                HasSubstr("namespace's name"));
  EXPECT_THAT(refusal({"--namespace=" + std::string(64, 'a')}), HasSubstr("at most 63"));
  EXPECT_EQ(parsed({"--metrics-from=app.kubernetes.io/name=prometheus,tier="}).gateways.metrics_from,
            "app.kubernetes.io/name=prometheus,tier=");
  for (const auto* bad : {"", "prometheus", "=x", "a=b,", "a in (b)", "a!=b", "a==b"})
    EXPECT_THAT(refusal({std::string("--metrics-from=") + bad}), HasSubstr("must be labels of pods")) << bad;
  EXPECT_EQ(parsed({}).gateways.drain_seconds, 25U);
  EXPECT_EQ(parsed({"--gateway-drain-seconds=0"}).gateways.drain_seconds, 0U);
  EXPECT_THAT(refusal({"--gateway-drain-seconds=3601"}), HasSubstr("from 0 to 3600"));
}

TEST(Options, TheClustersDomainLeavesRoomForTheNamesBelow) {
  EXPECT_EQ(parsed({}).gateways.cluster_domain, "cluster.local");
  EXPECT_EQ(parsed({"--cluster-domain=k8s.example.com"}).gateways.cluster_domain, "k8s.example.com");
  const std::string label(59, 'a');
  EXPECT_EQ(parsed({"--cluster-domain=" + label + "." + label}).gateways.cluster_domain.size(), 119U);
  for (const auto& bad :
       {std::string(), std::string("."), std::string("a."), std::string(".a"), std::string("a..b"),
        std::string("A.b"), std::string("a b"), label + "." + label + ".a"})
    EXPECT_THAT(refusal({"--cluster-domain=" + bad}), HasSubstr("must be a domain such as cluster.local"))
        << bad;
}

TEST(Options, TheQueryLogIsOffErrorsAllOrASample) {
  using queries = dns_log_options::queries;
  EXPECT_EQ(parsed({}).dns.log.which, queries::none);
  EXPECT_EQ(parsed({"--dns-log=errors"}).dns.log.which, queries::errors);
  EXPECT_EQ(parsed({"--dns-log=all"}).dns.log.one_in, 1U);
  EXPECT_EQ(parsed({"--dns-log=1/100"}).dns.log.which, queries::all);
  EXPECT_EQ(parsed({"--dns-log=1/100"}).dns.log.one_in, 100U);
  EXPECT_EQ(parsed({"--dns-log=1/100", "--dns-log=off"}).dns.log.which, queries::none);
  for (const auto* bad : {"", "on", "1/", "1/0", "2/3", "1/x", "1/1000001"})
    EXPECT_THAT(refusal({std::string("--dns-log=") + bad}), HasSubstr("must be off, errors, all, or 1/N"))
        << bad;
}

TEST(Options, TheEnvironmentIsReadAndAnErrorOfItIsOurs) {
  const auto made = parse_command_line({"run"}, [](const char* name) -> const char* {
    return std::string_view(name) == "ENVOY_IMAGE" ? "registry/envoy:1" : nullptr;
  });
  ASSERT_TRUE(made);
  EXPECT_EQ(std::get<run_options>(*made).gateways.image, "registry/envoy:1");
  const auto refused = parse_command_line({"dev"}, [](const char* name) -> const char* {
    return std::string_view(name) == "POD_TOPOLOGY_ZONE_MAX_SKEW" ? "two" : nullptr;
  });
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("POD_TOPOLOGY_ZONE_MAX_SKEW=two"));
}

}  // namespace
}  // namespace egress::testing
