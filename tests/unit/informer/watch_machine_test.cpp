#include "actors/informer/watch_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/informer/objects.hpp"

namespace egress::informer {
namespace {

using kube::api_errc;
using kube::event_type;
using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::service;

kube::api_error error_of(api_errc code) {
  return {.code = code, .status = 0, .reason = "Reason", .message = "because", .retry_after = {}};
}

kube::watch_event added(const std::string& name, const std::string& version) {
  return {event_type::added, service(name, "u-" + name, version), version, false};
}
kube::watch_event bookmark(const std::string& version, bool end = false) {
  return {event_type::bookmark, nullptr, version, end};
}

// The machine, its clock, and its latest outcome.
class WatchMachine : public ::testing::Test {
 protected:
  void begin(bool streaming, kube::kind of = kube::kind::service) {
    machine.emplace(scope{of, "ns", "app=egress-gateway", streaming});
    last = machine->start();
    if (streaming) there_are(few);
  }
  // The server says how many more there are than the one that was asked for.
  void there_are(std::uint64_t others) {
    EXPECT_EQ(machine->state(), watch_state::sizing);
    EXPECT_EQ(the<list_command>().what.limit, 1);
    EXPECT_EQ(the<list_command>().what.label_selector, "") << "the server does not count what it selects";
    last = machine->listed(the<list_command>().id,
                           kube::list_page{{service("a", "u-a", "1")}, "9", "more", others}, at());
  }
  moment at() const { return {now, 0.5}; }

  template <class Command>
  const Command* find() const {
    for (const auto& one : last.commands)
      if (const auto* found = std::get_if<Command>(&one)) return found;
    return nullptr;
  }
  template <class Command>
  const Command& the() const {
    const auto* found = find<Command>();
    EXPECT_NE(found, nullptr) << "no such command in the outcome";
    static const Command none{};
    return found ? *found : none;
  }

  void page(std::vector<kube::object_ptr> items, const std::string& version, const std::string& more = "") {
    last = machine->listed(the<list_command>().id, kube::list_page{std::move(items), version, more}, at());
  }
  void list_fails(api_errc code) {
    last = machine->listed(the<list_command>().id, std::unexpected(error_of(code)), at());
  }
  ticket stream() const {
    if (const auto* opened = find<open_watch_command>()) return opened->id;
    return the<next_chunk_command>().id;
  }
  void events(std::vector<kube::watch_event> all) {
    last = machine->chunk(stream(), {std::move(all), false, {}}, at());
  }
  void ends(std::optional<kube::api_error> why = {}, std::vector<kube::watch_event> all = {}) {
    last = machine->chunk(stream(), {std::move(all), true, std::move(why)}, at());
  }
  // The server says where it stands, which is asked after a lost connection.
  void stands_at(const std::string& version) {
    EXPECT_EQ(machine->state(), watch_state::checking);
    EXPECT_EQ(the<list_command>().what.limit, 1);
    page({service("any", "u", "1")}, version, "more");
  }
  void wait_over() {
    now += the<wait_command>().duration;
    last = machine->timer(the<wait_command>().id, at());
  }
  // Up to an open watch that began at version 10.
  void watching() {
    begin(false);
    page({service("a", "u-a", "5")}, "10");
  }
  bool listing_anew() const {
    return find<list_command>() && find<list_command>()->what.continue_token.empty();
  }

  static constexpr std::uint64_t few = 998, many = 999;
  steady_time now{std::chrono::hours(10)};
  std::optional<watch_machine> machine;
  outcome last;
};

// ---- lists

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

// ---- how long a list is

TEST_F(WatchMachine, ListsPageByPageWhatIsLong) {
  machine.emplace(scope{kube::kind::service, "ns", "app=egress-gateway"});
  last = machine->start();
  there_are(many);
  EXPECT_EQ(machine->state(), watch_state::listing);
  EXPECT_EQ(the<list_command>().what.limit, 500);
  EXPECT_EQ(the<list_command>().what.label_selector, "app=egress-gateway");
  EXPECT_EQ(the<list_command>().what.continue_token, "") << "the one that was asked for is not selected";
  page({service("b", "u-b", "2")}, "10");
  EXPECT_THAT(last.published->names, ElementsAre("b"));
}

TEST_F(WatchMachine, StreamsAgainWhenAListHasBecomeShort) {
  machine.emplace(scope{kube::kind::service, "ns", "app=egress-gateway"});
  last = machine->start();
  there_are(many);
  page({service("b", "u-b", "2")}, "10");
  last = machine->list_anew();
  there_are(few);
  EXPECT_EQ(machine->state(), watch_state::streaming);
}

TEST_F(WatchMachine, AServerThatCannotBeAskedForTheSizeIsAskedAgainAfterAPause) {
  machine.emplace(scope{kube::kind::service, "ns", "app=egress-gateway"});
  last = machine->start();
  list_fails(api_errc::transport);
  EXPECT_EQ(machine->state(), watch_state::waiting);
  EXPECT_THAT(machine->unready_reason(), HasSubstr("because"));
  wait_over();
  there_are(few);
  EXPECT_EQ(machine->state(), watch_state::streaming);
}

TEST_F(WatchMachine, AServerThatDoesNotLikeTheQuestionOrAnswersSomethingElseIsAskedForAStream) {
  for (const auto code : {api_errc::forbidden, api_errc::bad_request, api_errc::invalid, api_errc::malformed,
                          api_errc::too_large}) {
    machine.emplace(scope{kube::kind::service, "ns", "app=egress-gateway"});
    last = machine->start();
    list_fails(code);
    EXPECT_EQ(machine->state(), watch_state::streaming);
  }
  machine.emplace(scope{kube::kind::service, "ns", "app=egress-gateway"});
  last = machine->start();
  last = machine->listed(the<list_command>().id, kube::document{"{}", nullptr}, at());
  EXPECT_EQ(machine->state(), watch_state::streaming);
}

TEST_F(WatchMachine, ALateAnswerToTheSizeOfAnEarlierListIsIgnored) {
  machine.emplace(scope{kube::kind::service, "ns", "app=egress-gateway"});
  last = machine->start();
  const auto late = the<list_command>().id;
  last = machine->list_anew();
  EXPECT_FALSE(find<close_watch_command>()) << "none was opened";
  const auto asked = last;
  EXPECT_TRUE(machine->listed(late, kube::list_page{{}, "9", "more", many}, at()).commands.empty());
  EXPECT_TRUE(machine->timer(late, at()).commands.empty());
  last = asked;
  there_are(few);
  EXPECT_EQ(machine->state(), watch_state::streaming);
}

TEST_F(WatchMachine, AServerThatIsBusyIsAskedForTheSizeAgainWhenItLikes) {
  machine.emplace(scope{kube::kind::service, "ns", "app=egress-gateway"});
  last = machine->start();
  auto busy = error_of(api_errc::too_many_requests);
  busy.retry_after = seconds{40};
  last = machine->listed(the<list_command>().id, std::unexpected(busy), at());
  EXPECT_GE(the<wait_command>().duration, seconds{40});
  wait_over();
  EXPECT_EQ(machine->state(), watch_state::sizing);
}

TEST_F(WatchMachine, WaitsForADefinitionThatHasNoSizeYet) {
  machine.emplace(scope{kube::kind::external_service, "", ""});
  last = machine->start();
  list_fails(api_errc::not_found);
  EXPECT_THAT(machine->unready_reason(), HasSubstr("install its definition"));
  wait_over();
  there_are(few);
  EXPECT_EQ(machine->state(), watch_state::streaming);
}

// ---- streaming lists

TEST_F(WatchMachine, AStreamingListIsCompleteAtItsBookmark) {
  begin(true);
  EXPECT_TRUE(the<open_watch_command>().what.send_initial_events);
  EXPECT_EQ(the<open_watch_command>().what.resource_version, "");
  events({added("a", "3")});
  EXPECT_FALSE(last.published);
  events({added("b", "4"),
          {event_type::deleted, service("a", "u-a", "5"), "5", false},
          bookmark("9", true),
          added("c", "10")});
  ASSERT_TRUE(last.published);
  EXPECT_TRUE(last.published->initial);
  EXPECT_THAT(last.published->names, ElementsAre("b", "c"));
  EXPECT_EQ(machine->current().objects.size(), 2u);
  ends(error_of(api_errc::transport));
  stands_at("10");
  EXPECT_EQ(the<open_watch_command>().what.resource_version, "10");
  EXPECT_FALSE(the<open_watch_command>().what.send_initial_events);
}

TEST_F(WatchMachine, AServerThatRefusesStreamingListsIsListedPageByPageForGood) {
  for (const auto code : {api_errc::bad_request, api_errc::invalid}) {
    begin(true);
    ends(error_of(code));
    ASSERT_TRUE(listing_anew());
    page({}, "7");
    ends(error_of(api_errc::gone));
    EXPECT_TRUE(listing_anew());
  }
}

TEST_F(WatchMachine, AStreamingListThatIsCutIsForgottenAndTriedAgain) {
  begin(true);
  events({added("a", "3")});
  ends();
  wait_over();
  there_are(few);
  events({added("b", "4"), bookmark("9", true)});
  EXPECT_THAT(last.published->names, ElementsAre("b"));
}

TEST_F(WatchMachine, AStreamingListThatIsAlwaysCutIsReplacedForOnce) {
  begin(true);
  for (int i = 0; i < 3; ++i) {
    ends(error_of(api_errc::transport));
    wait_over();
    if (i < 2) there_are(few);
  }
  ASSERT_TRUE(listing_anew());
  EXPECT_EQ(machine->state(), watch_state::listing);
  page({}, "7");
  ends(error_of(api_errc::gone));
  wait_over();
  there_are(few);
  EXPECT_TRUE(the<open_watch_command>().what.send_initial_events);
}

TEST_F(WatchMachine, AServerThatIgnoresTheWishIsNoticed) {
  begin(true);
  const auto patience = the<wait_command>();
  const auto id = stream();
  last = machine->chunk(id, {{added("a", "3")}, false, {}}, at());
  last = machine->timer(patience.id, at());
  EXPECT_NE(find<wait_command>(), nullptr) << "it was heard: more patience";
  last = machine->timer(patience.id, at());
  EXPECT_EQ(the<close_watch_command>().id, id);
  EXPECT_TRUE(listing_anew());
}

TEST_F(WatchMachine, TheDefinitionMayBeMissingForAStreamToo) {
  begin(true, kube::kind::external_service);
  ends(error_of(api_errc::not_found));
  EXPECT_NE(machine->unready_reason(), "");
  wait_over();
  there_are(few);
  EXPECT_TRUE(the<open_watch_command>().what.send_initial_events);
  EXPECT_NE(machine->unready_reason(), "");
  events({bookmark("4", true)});
  EXPECT_EQ(machine->unready_reason(), "");
}

}  // namespace
}  // namespace egress::informer
