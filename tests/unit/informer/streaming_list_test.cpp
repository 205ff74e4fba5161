// How a watch_machine lists where the server streams lists.

#include <gmock/gmock.h>

#include "tests/unit/informer/watch_machine_fixture.hpp"

namespace egress::informer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

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

TEST_F(WatchMachine, AStreamingListThatRepeatingWillNotMendIsReplacedAtOnce) {
  for (const auto code :
       {api_errc::gone, api_errc::version_too_large, api_errc::malformed, api_errc::too_large}) {
    begin(true);
    ends(error_of(code));
    ASSERT_TRUE(listing_anew());
    EXPECT_EQ(machine->state(), watch_state::listing);
    list_fails(api_errc::server_error);
    EXPECT_EQ(machine->state(), watch_state::waiting) << "the other way has failed, too";
    wait_over();
    page({}, "7");
    ends(error_of(api_errc::gone));
    there_are(few);
    EXPECT_TRUE(the<open_watch_command>().what.send_initial_events) << "for once";
  }
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
