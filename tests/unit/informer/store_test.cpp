#include "actors/informer/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/informer/objects.hpp"

namespace egress::informer {
namespace {

using kube::event_type;
using testing::contents;
using testing::contents_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::service;
using ::testing::UnorderedElementsAre;

kube::watch_event event(event_type type, const kube::object_ptr& object) {
  return {type, object, object->meta.resource_version, false};
}

class Store : public ::testing::Test {
 protected:
  Store() { all.replace({service("a", "1", "10"), service("b", "2", "11")}); }
  store all{kube::kind::service};
};

TEST(EmptyStore, IsNotSyncedBeforeItsFirstList) {
  store all{kube::kind::service};
  EXPECT_FALSE(all.current().synced);
  EXPECT_EQ(all.current().epoch, 0u);
  EXPECT_EQ(all.current().of, kube::kind::service);
}

TEST(EmptyStore, TheFirstListIsInitialAndLaterOnesAreChanges) {
  store all{kube::kind::service};
  const auto first = all.replace({service("a", "1", "1")});
  EXPECT_TRUE(first.initial);
  EXPECT_THAT(first.names, ElementsAre("a"));
  EXPECT_FALSE(all.replace({}).initial);
}

TEST_F(Store, AListSynthesisesDeletesAndNamesOnlyWhatDiffers) {
  const auto changed = all.replace({service("a", "1", "10"), service("c", "3", "15")});
  EXPECT_THAT(changed.names, UnorderedElementsAre("b", "c"));
  EXPECT_EQ(contents_of(all.current().objects), (contents{{"a", "1@10"}, {"c", "3@15"}}));
  EXPECT_EQ(all.current().epoch, 2u);
}

TEST(StoreOfExternalServices, AListSharesWithTheSnapshotWhatItShowsUnchanged) {
  const auto listed = [](const std::string& dns_name) {
    kube::external_service says;
    says.spec.dns_name = dns_name;
    auto made = std::make_shared<kube::object>();
    made->of = kube::kind::external_service;
    made->meta.name = "a";
    made->meta.uid = "1";
    made->meta.resource_version = "10";
    made->body = std::move(says);
    return made;
  };
  store all{kube::kind::external_service};
  const auto first = listed("a.example");
  all.replace({first});
  all.replace({listed("a.example")});
  EXPECT_EQ(all.current().objects.find("a"), first);
  // A restored etcd counts the same versions again.
  const auto other = listed("b.example");
  all.replace({other});
  EXPECT_EQ(all.current().objects.find("a"), other);
}

TEST_F(Store, AListReplacesAnObjectThatWasMadeAgain) {
  EXPECT_THAT(all.replace({service("a", "9", "20"), service("b", "2", "11")}).names, ElementsAre("a"));
}

TEST_F(Store, TheLaterOfTwoOfANameInAListCounts) {
  EXPECT_THAT(all.replace({service("a", "1", "20"), service("a", "1", "21"), service("b", "2", "11")}).names,
              ElementsAre("a"));
  EXPECT_EQ(all.current().objects.find("a")->meta.resource_version, "21");
}

TEST_F(Store, AListGoesBackInTimeAfterARestore) {
  all.replace({service("a", "1", "3")});
  EXPECT_EQ(contents_of(all.current().objects), (contents{{"a", "1@3"}}));
}

TEST_F(Store, EventsChangeTheSnapshotAndNameEachObjectOnce) {
  const auto changed = all.apply({event(event_type::modified, service("a", "1", "12")),
                                  event(event_type::added, service("c", "3", "13")),
                                  event(event_type::modified, service("a", "1", "14")),
                                  event(event_type::deleted, service("b", "2", "15")),
                                  {event_type::bookmark, nullptr, "16", false}});
  EXPECT_THAT(changed.names, UnorderedElementsAre("a", "b", "c"));
  EXPECT_FALSE(changed.initial);
  EXPECT_EQ(contents_of(all.current().objects), (contents{{"a", "1@14"}, {"c", "3@13"}}));
  EXPECT_EQ(all.current().epoch, 1u);
}

TEST_F(Store, SnapshotsThatWereHandedOutDoNotChange) {
  const auto before = all.current();
  all.apply({event(event_type::deleted, service("a", "1", "12"))});
  EXPECT_EQ(before.objects.size(), 2u);
  EXPECT_EQ(all.current().objects.size(), 1u);
}

TEST_F(Store, IgnoresWhatItHasSeen) {
  const std::vector<kube::watch_event> stale{
      event(event_type::modified, service("a", "1", "10")),  // the same
      event(event_type::modified, service("a", "1", "9")),   // older
      event(event_type::deleted, service("b", "2", "8")),    // an older b
      event(event_type::deleted, service("x", "7", "12")),   // never had it
  };
  for (const auto& one : stale) EXPECT_THAT(all.apply({one}).names, IsEmpty());
  EXPECT_EQ(all.current().objects.size(), 2u);
}

TEST_F(Store, ARepeatedEventDoesNotBringBackWhatWasDeleted) {
  all.apply({event(event_type::deleted, service("a", "1", "12"))});
  EXPECT_THAT(all.apply({event(event_type::modified, service("a", "1", "11"))}).names, IsEmpty());
  EXPECT_THAT(all.apply({event(event_type::added, service("a", "5", "13"))}).names, ElementsAre("a"));
}

TEST_F(Store, VersionsThatAreNoNumbersAreNeverOlder) {
  EXPECT_THAT(all.apply({event(event_type::modified, service("a", "1", "x9"))}).names, ElementsAre("a"));
  EXPECT_THAT(all.apply({event(event_type::modified, service("a", "1", "x9"))}).names, IsEmpty());
}

TEST_F(Store, RemembersOnlySoManyDeletions) {
  for (int i = 0; i < 300; ++i) {
    const auto version = std::to_string(100 + 2 * i);
    all.apply({event(event_type::added, service("t", "u" + version, version))});
    all.apply({event(event_type::deleted, service("t", "u" + version, std::to_string(101 + 2 * i)))});
  }
  EXPECT_THAT(all.apply({event(event_type::added, service("t", "z", "900"))}).names, ElementsAre("t"));
}

TEST(Older, ComparesNumbersByValue) {
  EXPECT_TRUE(older("9", "10"));
  EXPECT_FALSE(older("10", "9"));
  EXPECT_FALSE(older("10", "10"));
  EXPECT_FALSE(older("", "10"));
  EXPECT_FALSE(older("9a", "10"));
  EXPECT_FALSE(older("99999999999999999999", "100000000000000000000"));
}

}  // namespace
}  // namespace egress::informer
