#include "actors/informer/watch_machine.hpp"

#include <gmock/gmock.h>

#include "tests/unit/informer/watch_machine_fixture.hpp"

namespace egress::informer {
namespace {

using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// ---- lists

TEST_F(WatchMachine, APageThatComesAgainIsNoListAndIsAskedForAgainLater) {
  begin(false);
  page({service("a", "1", "1")}, "10", "more");
  page({service("a", "1", "1")}, "10", "more");
  EXPECT_FALSE(find<list_command>());
  EXPECT_FALSE(last.published);
  wait_over();
  EXPECT_EQ(the<list_command>().what.continue_token, "");
}

TEST_F(WatchMachine, ListsInPagesOf500AndPublishesTheWhole) {
  begin(false);
  EXPECT_EQ(the<list_command>().what.limit, 500);
  EXPECT_EQ(the<list_command>().what.resource_version, "");
  EXPECT_EQ(the<list_command>().what.label_selector, "app=egress-gateway");
  EXPECT_EQ(the<list_command>().what.name_space, "ns");
  page({service("a", "1", "1")}, "10", "more");
  EXPECT_FALSE(last.published);
  EXPECT_FALSE(machine->current().synced);
  EXPECT_EQ(the<list_command>().what.continue_token, "more");
  page({service("b", "2", "2")}, "10");
  ASSERT_TRUE(last.published);
  EXPECT_TRUE(last.published->initial);
  EXPECT_THAT(last.published->names, ElementsAre("a", "b"));
  EXPECT_EQ(the<open_watch_command>().what.resource_version, "10");
  EXPECT_EQ(machine->state(), watch_state::watching);
}

TEST_F(WatchMachine, AsksForAWatchOfFiveToTenMinutes) {
  watching();
  EXPECT_EQ(the<open_watch_command>().what.timeout, std::chrono::seconds(450));
  EXPECT_FALSE(the<open_watch_command>().what.send_initial_events);
}

TEST_F(WatchMachine, AWatchLastsUpToTwiceWhatIsAskedFor) {
  scope about{kube::kind::service, "ns", "app=egress-gateway", false};
  about.watch_timeout = std::chrono::seconds(10);
  machine.emplace(about);
  last = machine->start();
  page({}, "10");
  EXPECT_EQ(the<open_watch_command>().what.timeout, std::chrono::seconds(15));
}

TEST_F(WatchMachine, ListsAnewWhateverItWasDoing) {
  watching();
  const auto watch = stream();
  last = machine->list_anew();
  EXPECT_EQ(the<close_watch_command>().id, watch);
  EXPECT_TRUE(listing_anew());
  const auto superseded = the<list_command>().id;
  EXPECT_EQ(machine->current().objects.size(), 1u) << "what it has stays until it has something better";
  last = machine->list_anew();
  EXPECT_TRUE(machine->listed(superseded, kube::list_page{{}, "11", ""}, at()).commands.empty());
  list_fails(api_errc::server_error);
  EXPECT_EQ(machine->state(), watch_state::waiting);
  last = machine->list_anew();
  page({service("b", "u-b", "12")}, "12");
  EXPECT_THAT(last.published->names, ElementsAre("b", "a"));
  EXPECT_EQ(machine->current().epoch, 2u);
}

TEST_F(WatchMachine, ListsAnewAsAStreamWhereTheServerHasThem) {
  begin(true);
  const auto first = stream();
  last = machine->list_anew();
  EXPECT_EQ(the<close_watch_command>().id, first);
  there_are(few);
  EXPECT_TRUE(the<open_watch_command>().what.send_initial_events);
  EXPECT_TRUE(machine->chunk(first, {{bookmark("9", true)}, false, {}}, at()).commands.empty());
  events({bookmark("10", true)});
  EXPECT_EQ(machine->current().epoch, 1u);
}

TEST_F(WatchMachine, GoneInTheMiddleOfAListStartsItAgain) {
  begin(false);
  page({service("a", "1", "1")}, "10", "more");
  list_fails(api_errc::gone);
  EXPECT_TRUE(listing_anew());
  page({service("b", "2", "12")}, "12");
  EXPECT_THAT(last.published->names, ElementsAre("b"));
}

TEST_F(WatchMachine, GoneInTheMiddleOfAListStartsItAgainAtOnceAfterOtherFailuresToo) {
  watching();
  ends(error_of(api_errc::gone));
  for (int i = 0; i < 2; ++i) {
    page({service("a", "1", "1")}, "10", "more");
    list_fails(api_errc::gone);
    EXPECT_EQ(listing_anew(), i == 0) << "once for each list";
  }
  wait_over();
  page({service("b", "2", "12")}, "12");
  EXPECT_THAT(last.published->names, ::testing::UnorderedElementsAre("a", "b"));
  now += minutes(3);
  ends(error_of(api_errc::gone));
  page({service("a", "1", "1")}, "10", "more");
  list_fails(api_errc::gone);
  EXPECT_TRUE(listing_anew());
}

TEST_F(WatchMachine, GoneAgainAndAgainIsNotAskedWithoutPause) {
  begin(false);
  list_fails(api_errc::gone);
  list_fails(api_errc::gone);
  EXPECT_EQ(find<list_command>(), nullptr);
  EXPECT_EQ(machine->state(), watch_state::waiting);
}

TEST_F(WatchMachine, AFailedPageIsAskedForAgainAfterTheBackoff) {
  begin(false);
  page({service("a", "1", "1")}, "10", "more");
  list_fails(api_errc::transport);
  EXPECT_EQ(the<wait_command>().duration, milliseconds(1200));
  ASSERT_EQ(last.lines.size(), 1u);
  EXPECT_EQ(last.lines[0].level, log_level::warn);
  wait_over();
  EXPECT_EQ(the<list_command>().what.continue_token, "more");
}

TEST_F(WatchMachine, RetryAfterIsHonoured) {
  begin(false);
  auto why = error_of(api_errc::too_many_requests);
  why.retry_after = std::chrono::seconds(17);
  last = machine->listed(the<list_command>().id, std::unexpected(why), at());
  EXPECT_EQ(the<wait_command>().duration, milliseconds(17'000));
}

TEST_F(WatchMachine, AWaitOfAnHourThatSomebodyAsksForIsAMinute) {
  begin(false);
  auto why = error_of(api_errc::server_error);
  why.retry_after = std::chrono::seconds(3600);
  last = machine->listed(the<list_command>().id, std::unexpected(why), at());
  EXPECT_EQ(the<wait_command>().duration, milliseconds(60'000));
}

TEST_F(WatchMachine, AnAnswerThatIsNoListIsAFailure) {
  begin(false);
  last = machine->listed(the<list_command>().id, kube::reply{std::monostate{}}, at());
  EXPECT_EQ(machine->state(), watch_state::waiting);
  wait_over();
  page({}, "");
  EXPECT_EQ(machine->state(), watch_state::waiting);
  EXPECT_FALSE(machine->current().synced);
}

TEST_F(WatchMachine, LateAnswersAreIgnored) {
  begin(false);
  const auto old = the<list_command>().id;
  list_fails(api_errc::server_error);
  EXPECT_THAT(machine->listed(old, kube::list_page{{}, "1", ""}, at()).commands, IsEmpty());
  EXPECT_THAT(machine->timer(old, at()).commands, IsEmpty());
  EXPECT_THAT(machine->chunk(old, {{}, true, {}}, at()).commands, IsEmpty());
  EXPECT_THAT(machine->start().commands, IsEmpty());
  EXPECT_FALSE(machine->current().synced);
}

// ---- the definition

TEST_F(WatchMachine, WaitsForTheDefinitionWithOneLine) {
  begin(false, kube::kind::external_service);
  list_fails(api_errc::not_found);
  ASSERT_EQ(last.lines.size(), 1u);
  EXPECT_THAT(last.lines[0].message, HasSubstr("externalservices"));
  EXPECT_THAT(machine->unready_reason(), HasSubstr("install"));
  for (int i = 0; i < 5; ++i) {
    wait_over();
    list_fails(api_errc::not_found);
    EXPECT_THAT(last.lines, IsEmpty());
    EXPECT_LE(the<wait_command>().duration, milliseconds(4'000));
  }
  wait_over();
  page({}, "3");
  EXPECT_EQ(machine->unready_reason(), "");
  EXPECT_TRUE(machine->current().synced);
}

TEST_F(WatchMachine, ADefinitionThatGoesAwayLaterMakesUnreadyButKeepsWhatIsKnown) {
  watching();
  EXPECT_FALSE(machine->current().undefined);
  ends(error_of(api_errc::not_found));
  EXPECT_NE(machine->unready_reason(), "");
  EXPECT_EQ(machine->current().objects.size(), 1u);
  EXPECT_TRUE(machine->current().undefined);
  EXPECT_TRUE(last.published) << "who makes something for what is known has to hear of it";
  wait_over();
  page({}, "20");
  EXPECT_FALSE(machine->current().undefined);
}

TEST_F(WatchMachine, IsUnreadyUntilTheFirstListIsComplete) {
  begin(false);
  EXPECT_EQ(machine->unready_reason(), "Service: the first list is not complete");
  auto why = error_of(api_errc::forbidden);
  why.message = "services is forbidden";
  last = machine->listed(the<list_command>().id, std::unexpected(why), at());
  EXPECT_EQ(machine->unready_reason(), "Service: the first list is not complete: services is forbidden");
  wait_over();
  page({}, "1");
  EXPECT_EQ(machine->unready_reason(), "");
}

// ---- watches

TEST_F(WatchMachine, EventsArePublishedAndAskedForOneChunkAtATime) {
  watching();
  events({added("b", "11"), bookmark("12")});
  EXPECT_THAT(last.published->names, ElementsAre("b"));
  EXPECT_FALSE(last.published->initial);
  ASSERT_EQ(last.commands.size(), 1u);
  EXPECT_NE(find<next_chunk_command>(), nullptr);
}

TEST_F(WatchMachine, ABookmarkAloneIsNotPublished) {
  watching();
  events({bookmark("12")});
  EXPECT_FALSE(last.published);
}

TEST_F(WatchMachine, ResumesWhereItWasBookmarksIncluded) {
  watching();
  events({added("b", "11"), bookmark("15")});
  now += std::chrono::seconds(450);
  ends();
  EXPECT_EQ(the<open_watch_command>().what.resource_version, "15");
}

TEST_F(WatchMachine, AStreamThatWasCutAfterEventsIsResumedAtOnce) {
  watching();
  events({added("b", "11")});
  ends(error_of(api_errc::transport));
  stands_at("11");
  EXPECT_EQ(the<open_watch_command>().what.resource_version, "11");
}

TEST_F(WatchMachine, AServerInAnEarlierStateIsListed) {
  watching();
  events({added("b", "11")});
  ends(error_of(api_errc::transport));
  stands_at("9");
  EXPECT_TRUE(listing_anew());
  EXPECT_EQ(the<list_command>().what.limit, 500);
  page({}, "9");
  EXPECT_THAT(last.published->names, ::testing::UnorderedElementsAre("a", "b"));
  EXPECT_EQ(the<open_watch_command>().what.resource_version, "9");
}

TEST_F(WatchMachine, AnEndBeforeItsTimeIsAServerThatMayComeBackInAnEarlierState) {
  watching();
  events({added("b", "11")});
  now += minutes(1);
  ends();
  list_fails(api_errc::transport);
  wait_over();
  stands_at("12");
  EXPECT_EQ(the<open_watch_command>().what.resource_version, "11");
}

TEST_F(WatchMachine, AWatchThatEndsAtOnceWithoutEventsIsAFailure) {
  watching();
  now += milliseconds(900);
  ends();
  EXPECT_EQ(machine->state(), watch_state::waiting);
  wait_over();
  stands_at("10");
  EXPECT_EQ(the<open_watch_command>().what.resource_version, "10");
  now += milliseconds(1100);
  ends();
  stands_at("10");
  EXPECT_NE(find<open_watch_command>(), nullptr);
}

TEST_F(WatchMachine, AWatchThatIsSilentUntilItsTimeoutLeadsToAList) {
  watching();
  now += the<open_watch_command>().what.timeout;
  ends();
  EXPECT_TRUE(listing_anew());
}

TEST_F(WatchMachine, ADeadStreamAfterItsTimeoutLeadsToAListToo) {
  watching();
  now += the<open_watch_command>().what.timeout + std::chrono::seconds(30);
  ends(error_of(api_errc::timed_out));
  EXPECT_TRUE(listing_anew());
}

TEST_F(WatchMachine, OneBookmarkIsEnoughNotToListAgain) {
  watching();
  events({bookmark("10")});
  now += minutes(10);
  ends();
  EXPECT_EQ(the<open_watch_command>().what.resource_version, "10");
}

TEST_F(WatchMachine, GoneListsAgainAndSynthesisesDeletes) {
  watching();
  ends(error_of(api_errc::gone));
  ASSERT_TRUE(listing_anew());
  page({service("z", "9", "40")}, "41");
  EXPECT_THAT(last.published->names, ::testing::UnorderedElementsAre("a", "z"));
  EXPECT_FALSE(last.published->initial);
  EXPECT_EQ(machine->current().epoch, 2u);
}

TEST_F(WatchMachine, GoneIsListedAtOnceHoweverLongTheServerWasOutOfReach) {
  watching();
  for (int i = 0; i < 4; ++i) {
    ends(error_of(api_errc::transport));
    wait_over();
    stands_at("10");
  }
  ends(error_of(api_errc::gone));
  ASSERT_TRUE(listing_anew());
  page({service("a", "u-a", "5")}, "41");
  ends(error_of(api_errc::gone));
  EXPECT_EQ(the<wait_command>().duration, milliseconds(2400)) << "but not from list to watch and back";
}

TEST_F(WatchMachine, GoneIsListedWhenTheServerLikes) {
  watching();
  auto why = error_of(api_errc::gone);
  why.retry_after = std::chrono::seconds(7);
  ends(why);
  EXPECT_EQ(the<wait_command>().duration, std::chrono::seconds(7));
  wait_over();
  EXPECT_TRUE(listing_anew());
}

TEST_F(WatchMachine, AVersionOfTheFutureLeadsToAListWithoutVersion) {
  watching();
  ends(error_of(api_errc::version_too_large));
  EXPECT_EQ(the<list_command>().what.resource_version, "");
}

TEST_F(WatchMachine, AnErrorEventAfterOthersLeadsToAList) {
  watching();
  ends(error_of(api_errc::server_error), {added("b", "11")});
  EXPECT_THAT(last.published->names, ElementsAre("b"));
  wait_over();
  EXPECT_TRUE(listing_anew());
}

TEST_F(WatchMachine, AWatchThatCannotBeOpenedIsTriedAgainThenListed) {
  watching();
  unsigned tries = 0;
  for (; tries < 10; ++tries) {
    ends(error_of(api_errc::transport));
    wait_over();
    if (machine->state() != watch_state::checking) break;
    stands_at("10");
  }
  EXPECT_EQ(tries, 4u);
  EXPECT_TRUE(listing_anew());
}

TEST_F(WatchMachine, AWatchThatIsRefusedOrGarbledLeadsToAList) {
  for (const auto code :
       {api_errc::bad_request, api_errc::invalid, api_errc::malformed, api_errc::too_large}) {
    watching();
    ends(error_of(code));
    wait_over();
    EXPECT_TRUE(listing_anew());
  }
}

}  // namespace
}  // namespace egress::informer
