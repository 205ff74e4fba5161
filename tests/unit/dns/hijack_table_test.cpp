#include <gtest/gtest.h>

#include <chrono>

#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {
namespace {

TEST(hijack_table, has_labelled_services_whose_external_service_hijacks) {
  const auto built =
      build({service("a", "a.com", {"10.0.0.1"}), service("b", "b.com", {"10.0.0.2"}, "false"),
             service("c", "c.com", {"10.0.0.3"}), service("d", "d.com", {"10.0.0.4"}),
             service("e", "e.com", {"10.0.0.5"})},
            {external("a"), external("b"), external("c", false), external("d", true, 1, true)});
  EXPECT_TRUE(built.complaints.empty());
  EXPECT_EQ(built.table->size(), 1u);
  ASSERT_TRUE(find(*built.table, "A.com"));
  EXPECT_EQ(find(*built.table, "a.com")->owner, "a");
  for (const auto* none : {"b.com", "c.com", "d.com", "e.com", "www.a.com", "com"})
    EXPECT_FALSE(find(*built.table, none)) << none;
}

// Else the real address would leak while a Service is remade.
TEST(hijack_table, keeps_the_last_answer_while_the_service_is_missing_relabelled_or_without_address) {
  const auto before = build({service("a", "a.com", {"10.0.0.1"})}, {external("a")});
  const std::vector<std::vector<kube::object_ptr>> states{{},
                                                          {service("a", "a.com", {"10.0.0.1"}, "false")},
                                                          {service("a", "a.com", {"10.0.0.1"}, "")},
                                                          {service("a", "a.com", {})},
                                                          {service("a", "a.com", {"None"})},
                                                          {service("a", "not a name", {"10.0.0.1"})}};
  for (const auto& services : states) {
    const auto after = build(services, {external("a")}, before.table.get());
    ASSERT_TRUE(find(*after.table, "a.com"));
    EXPECT_EQ(find(*after.table, "a.com")->v4.at(0), (std::array<std::uint8_t, 4>{10, 0, 0, 1}));
    // And again from that table.
    EXPECT_TRUE(find(*build(services, {external("a")}, after.table.get()).table, "a.com"));
  }
}

// An operator that comes up where none left a table behind.
TEST(hijack_table, takes_the_last_answer_from_the_status_when_no_table_has_it) {
  const auto external_at = [](const char* hijacked, std::int64_t observed, const char* cluster_ip) {
    kube::external_service_spec spec;
    spec.dns_name = "a.com";
    auto made = std::make_shared<kube::object>(*external("a", true, 1, false, spec));
    made->meta.generation = 2;
    auto body = made->as_external_service();
    body.status.observed_generation = observed;
    body.status.cluster_ip = cluster_ip;
    body.status.conditions = {
        {"DNSHijacked", hijacked, "Reason", "message", "2026-01-01T00:00:00Z", observed}};
    made->body = std::move(body);
    return made;
  };
  const auto hijacked = external_at("True", 2, "10.0.0.1");
  for (const auto& services : {std::vector<kube::object_ptr>{},
                               {service("a", "a.com", {"10.0.0.1"}, "false")},
                               {service("a", "b.com", {"10.0.0.7"})}}) {
    const auto first = build(services, {hijacked});
    ASSERT_TRUE(find(*first.table, "a.com"));
    EXPECT_EQ(find(*first.table, "a.com")->v4.at(0), (std::array<std::uint8_t, 4>{10, 0, 0, 1}));
  }
  const auto made = build({service("a", "a.com", {"10.0.0.2"})}, {hijacked});
  EXPECT_EQ(find(*made.table, "a.com")->v4.at(0)[3], 2) << "what the Service says goes before it";
  for (const auto& none :
       {external_at("False", 2, "10.0.0.1"), external_at("True", 1, "10.0.0.1"), external_at("True", 2, "")})
    EXPECT_FALSE(find(*build({}, {none}).table, "a.com")) << "of another spec, or not hijacked";
}

TEST(hijack_table, lets_a_name_go_with_its_external_service) {
  const auto before = build({service("a", "a.com", {"10.0.0.1"})}, {external("a")});
  EXPECT_FALSE(find(*build({}, {}, before.table.get()).table, "a.com"));
  EXPECT_FALSE(find(*build({}, {external("a", false)}, before.table.get()).table, "a.com"));
  EXPECT_FALSE(find(*build({}, {external("a", true, 1, true)}, before.table.get()).table, "a.com"));
}

TEST(hijack_table, keeps_the_last_answer_of_an_external_service_it_cannot_read) {
  const auto before = build({service("a", "a.com", {"10.0.0.1"})}, {external("a")});
  auto broken = std::make_shared<kube::object>(*external("a", false));
  auto undecodable = broken->as_external_service();
  undecodable.undecodable = "spec.ports: a string where a list belongs";
  broken->body = std::move(undecodable);
  EXPECT_TRUE(
      find(*build({service("a", "a.com", {"10.0.0.1"})}, {broken}, before.table.get()).table, "a.com"));
}

TEST(hijack_table, follows_a_changed_address_and_a_changed_name) {
  const auto before = build({service("a", "a.com", {"10.0.0.1"})}, {external("a")});
  const auto after = build({service("a", "b.com", {"10.0.0.9"})}, {external("a")}, before.table.get());
  EXPECT_FALSE(find(*after.table, "a.com"));
  EXPECT_EQ(find(*after.table, "b.com")->v4.at(0)[3], 9);
}

TEST(hijack_table, gives_a_name_to_the_older_claimant_and_says_so) {
  for (const bool swapped : {false, true}) {
    const auto built =
        build({service("x", "Same.com.", {"10.0.0.1"}), service("y", "same.com", {"10.0.0.2"})},
              {external("x", true, swapped ? 1 : 5), external("y", true, swapped ? 5 : 1)});
    EXPECT_EQ(find(*built.table, "same.com")->owner, swapped ? "x" : "y");
    ASSERT_EQ(built.complaints.size(), 1u);
    EXPECT_NE(built.complaints[0].find("same.com"), std::string::npos);
  }
  const auto tie = build({service("x", "same.com", {"10.0.0.1"}), service("y", "same.com", {"10.0.0.2"})},
                         {external("x"), external("y")});
  EXPECT_EQ(find(*tie.table, "same.com")->owner, "x");
}

TEST(hijack_table, leaves_out_names_that_are_none_and_says_so) {
  for (const auto* name : {"", "*", "*.", "a..b", "a b", "*.*.com", "ex\xff"}) {
    const auto built = build({service("a", name, {"10.0.0.1"})}, {external("a")});
    EXPECT_EQ(built.table->size(), 0u) << name;
    EXPECT_EQ(built.complaints.size(), 1u) << name;
  }
}

TEST(hijack_table, finds_the_exact_name_then_the_longest_wildcard) {
  const auto built = build({service("w1", "*.com", {"10.0.0.1"}), service("w2", "*.a.com", {"10.0.0.2"}),
                            service("x", "b.a.com", {"10.0.0.3"})},
                           {external("w1"), external("w2"), external("x")});
  const auto owner = [&](const char* name) {
    const auto entry = find(*built.table, name);
    return entry ? entry->owner : "";
  };
  EXPECT_EQ(owner("b.a.com"), "x");
  EXPECT_EQ(owner("c.a.com"), "w2");
  EXPECT_EQ(owner("d.c.a.com"), "w2");
  EXPECT_EQ(owner("c.b.a.com"), "w2");
  EXPECT_EQ(owner("a.com"), "w1");
  EXPECT_EQ(owner("com"), "");
  EXPECT_EQ(owner("a.org"), "");
}

TEST(hijack_table, knows_the_names_of_the_services_themselves_and_their_addresses) {
  const auto table = build({service("gw", "a.com", {"10.0.0.1", "fd00::1"}, "false")}, {}).table;
  EXPECT_EQ(table->size(), 0u);
  const auto name = find(*table, "gw.egress-operator-system.svc.cluster.local");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->kind, entry_kind::in_cluster);
  const auto reverse = find(*table, "1.0.0.10.in-addr.arpa");
  ASSERT_TRUE(reverse);
  EXPECT_EQ(to_text(reverse->target()), "gw.egress-operator-system.svc.cluster.local");
  EXPECT_TRUE(find(*table, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa"));
}

TEST(hijack_table, finds_each_of_many_names_and_no_other) {
  std::vector<kube::object_ptr> services, externals;
  for (int i = 0; i < 10000; ++i) {
    const auto name = fmt::format("s{}", i);
    services.push_back(
        service(name, fmt::format("host-{}.example.com", i), {fmt::format("10.{}.{}.1", i / 256, i % 256)}));
    externals.push_back(external_with_ports(name, {{443, "TCP"}}));
  }
  const auto table = build(services, externals).table;
  EXPECT_EQ(table->size(), 10000u);
  for (int i = 0; i < 10000; ++i) {
    const auto entry = find(*table, fmt::format("host-{}.example.com", i));
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->owner, fmt::format("s{}", i));
    EXPECT_FALSE(find(*table, fmt::format("host-{}.example.org", i)));
  }
  EXPECT_LE(table->memory(), 10000u * 200);
}

// Whoever may write ExternalServices would have them for all pods.
TEST(hijack_table, hijacks_no_name_of_the_cluster) {
  const std::string own = "gw.egress-operator-system.svc.cluster.local", other = "api.ns.svc.cluster.local";
  const auto built =
      build({service("gw", own, {"10.0.0.1"}), service("b", other, {"10.0.0.2"}),
             service("c", "cluster.local", {"10.0.0.3"}), service("d", "mycluster.local", {"10.0.0.4"})},
            {external("gw"), external("b"), external("c"), external("d")});
  const auto mine = find(*built.table, own);
  ASSERT_TRUE(mine);
  EXPECT_EQ(mine->kind, entry_kind::in_cluster);
  EXPECT_FALSE(find(*built.table, other));
  EXPECT_FALSE(find(*built.table, "cluster.local"));
  EXPECT_TRUE(find(*built.table, "mycluster.local"));
  EXPECT_EQ(built.table->size(), 1u);
  EXPECT_EQ(to_text(find(*built.table, "1.0.0.10.in-addr.arpa")->target()), own);
}

TEST(hijack_table, has_no_wildcard_for_names_of_the_cluster) {
  const auto built = build({service("gw", "*.local", {"10.0.0.1"})}, {external("gw")});
  EXPECT_TRUE(find(*built.table, "printer.local"));
  EXPECT_TRUE(find(*built.table, "a.mycluster.local"));
  EXPECT_TRUE(find(*built.table, "gw.egress-operator-system.svc.cluster.local"));
  EXPECT_FALSE(find(*built.table, "kubernetes.default.svc.cluster.local"));
  EXPECT_FALSE(find(*built.table, "cluster.local"));
}

TEST(hijack_table, reads_the_rest_of_a_service_it_cannot_hijack) {
  const auto kept = build({service("a", "a.com", {"10.0.0.1"})}, {external("a")});
  const auto after = build(
      {service("a", "not a name", {"10.0.0.2", "None", "fd00::2"}), service("b", "b.com", {"10.0.0.3"})},
      {external("a")}, kept.table.get());
  EXPECT_EQ(after.complaints.size(), 1u);
  EXPECT_EQ(find(*after.table, "a.com")->v4.at(0)[3], 1);
  const auto ours = find(*after.table, "a.egress-operator-system.svc.cluster.local");
  ASSERT_TRUE(ours);
  EXPECT_EQ(ours->v4.at(0)[3], 2);
  ASSERT_EQ(ours->v6.size(), 1u);
  EXPECT_EQ(ours->v6.at(0)[15], 2);
  EXPECT_TRUE(find(*after.table, "b.egress-operator-system.svc.cluster.local"));
  EXPECT_EQ(after.table->entry_count(), 6u);
}

kube::object_ptr with_uid(const kube::object_ptr& object, const std::string& uid,
                          const std::string& dns_name) {
  auto made = std::make_shared<kube::object>(*object);
  made->meta.uid = uid;
  auto body = made->as_external_service();
  body.spec.dns_name = dns_name;
  made->body = std::move(body);
  return made;
}

kube::object_ptr controlled_by(const kube::object_ptr& object, const std::string& uid) {
  auto made = std::make_shared<kube::object>(*object);
  std::get<kube::child>(made->body).controller = kube::controller_ref{
      .api_version = "egress.monzo.com/v1", .kind = "ExternalService", .name = object->meta.name, .uid = uid};
  return made;
}

// Found by random runs on a real API server: it hijacked a name that no ExternalService had any more.
TEST(hijack_table, does_not_take_a_name_from_the_service_of_an_earlier_external_service) {
  const auto old = controlled_by(service("a", "old.example", {"10.0.0.1"}), "uid-1");
  const auto next = with_uid(external("a"), "uid-2", "new.example");
  const auto table = build({old}, {next}).table;
  EXPECT_FALSE(find(*table, "old.example"));
  EXPECT_TRUE(find(*table, "a.egress-operator-system.svc.cluster.local"));
  EXPECT_TRUE(find(*build({controlled_by(old, "uid-2")}, {next}).table, "old.example"))
      << "its own, not repaired yet";
}

TEST(hijack_table, keeps_the_last_answer_only_for_the_name_that_is_still_asked_for) {
  const auto own = controlled_by(service("a", "old.example", {"10.0.0.1"}), "uid-1");
  const auto before = build({own}, {with_uid(external("a"), "uid-1", "Old.example.")}).table;
  ASSERT_TRUE(find(*before, "old.example"));
  EXPECT_TRUE(
      find(*build({}, {with_uid(external("a"), "uid-2", "OLD.example")}, before.get()).table, "old.example"));
  EXPECT_FALSE(
      find(*build({}, {with_uid(external("a"), "uid-2", "new.example")}, before.get()).table, "old.example"));
  EXPECT_TRUE(
      find(*build({}, {with_uid(external("a"), "uid-1", "not a name")}, before.get()).table, "old.example"))
      << "refused: its children stay as they are";
}

// An edit that was taken back, and whose write to the Service came late; or a hand.
TEST(hijack_table, keeps_a_hijacked_name_that_is_asked_for_while_the_service_says_another) {
  const auto asks = with_uid(external("a"), "uid-1", "asked.example");
  auto table = build({controlled_by(service("a", "asked.example", {"10.0.0.1"}), "uid-1")}, {asks}).table;
  // Twice: the table before has both names then.
  for (int i = 0; i < 2; ++i) {
    const auto other = controlled_by(service("a", "other.example", {"10.0.0.1"}), "uid-1");
    table = build({other}, {asks}, table.get()).table;
    ASSERT_TRUE(find(*table, "asked.example"));
    EXPECT_EQ(find(*table, "asked.example")->v4.at(0)[3], 1);
    EXPECT_TRUE(find(*table, "other.example"));
  }
  const auto moved = with_uid(external("a"), "uid-1", "other.example");
  const auto other = controlled_by(service("a", "other.example", {"10.0.0.3"}), "uid-1");
  table = build({other}, {moved}, table.get()).table;
  EXPECT_FALSE(find(*table, "asked.example")) << "nobody asks for it any more";
  EXPECT_FALSE(find(*build({other}, {asks}, table.get()).table, "asked.example")) << "not hijacked yet";
}

// Found by a random run: an ExternalService was deleted, made again for another name, and then asked for the
// name of the first. Who heard of the first and the last only gave that name the gateway of the one in
// between.
TEST(hijack_table, gives_no_name_the_gateway_that_was_made_for_another) {
  const auto first = build({controlled_by(service("a", "asked.example", {"10.0.0.1"}), "uid-1")},
                           {with_uid(external("a"), "uid-1", "asked.example")});
  const auto between = controlled_by(service("a", "other.example", {"10.0.0.2"}), "uid-2");
  const auto table =
      build({between}, {with_uid(external("a"), "uid-2", "asked.example")}, first.table.get()).table;
  ASSERT_TRUE(find(*table, "asked.example"));
  EXPECT_EQ(find(*table, "asked.example")->v4.at(0)[3], 1) << "where it led";
  EXPECT_EQ(find(*table, "other.example")->v4.at(0)[3], 2);
}

TEST(hijack_table, keeps_no_name_that_an_older_one_hijacks_by_now) {
  const auto before = build({service("a", "asked.example", {"10.0.0.1"})}, {external("a", true, 5)}).table;
  const auto built = build(
      {service("a", "other.example", {"10.0.0.1"}), service("b", "asked.example", {"10.0.0.9"})},
      {with_uid(external("a", true, 5), "uid-1", "asked.example"), external("b", true, 1)}, before.get());
  EXPECT_EQ(find(*built.table, "asked.example")->owner, "b");
}

}  // namespace
}  // namespace egress::dns::test
