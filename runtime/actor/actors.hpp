#pragma once
// Every actor of the program and every message it takes: the architecture in one header. Actors never include
// each other; they meet here. Payloads are immutable and shared (shared_ptr<const T>), defined in
// messages.hpp.
//
//   kube_api ◀── list, watch ── informers ── updates ──▶ dispatcher ── work ──▶ reconcilers ── writes ──▶
//   kube_api
//                                    └────── updates ──▶ dns ── table ──▶ dns workers
//                    reconcilers ── which listeners are there? ──▶ gateways ── GET ──▶ gateways' pods
//   supervisor ── directory ──▶ all of them      all of them ── health ──▶ metrics
//
// Two rules keep lost messages harmless. Handles come from the directory alone, which the supervisor sends to
// everyone after every restart; and whoever gets a directory subscribes to what is new in it of what it
// consumes, while a producer answers a subscription with its current state and remembers subscribers weakly.

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>
#include <cstdint>
#include <memory>
#include <string>

namespace egress {

namespace dns {
class hijack_table;
}

struct directory;
struct api_request;
struct api_reply;
struct watch_poll;
struct watch_news;
struct informer_update;
struct reconcile_work;
struct reconcile_result;
struct health_report;
struct delivery;
struct gateway_question;
struct gateway_answer;

template <class T>
using payload = std::shared_ptr<const T>;

using directory_ptr = payload<directory>;
using hijack_table_ptr = payload<dns::hijack_table>;

}  // namespace egress

CAF_BEGIN_TYPE_ID_BLOCK(egress, first_custom_type_id)
CAF_ADD_ATOM(egress, egress, close_watch_atom, "closewatch")
CAF_ADD_ATOM(egress, egress, start_atom, "start")
CAF_ADD_ATOM(egress, egress, restart_atom, "restart")
CAF_ADD_ATOM(egress, egress, shutdown_atom, "shutdown")
CAF_ADD_ATOM(egress, egress, grace_over_atom, "graceover")
CAF_ADD_ATOM(egress, egress, loop_failed_atom, "loopfailed")
CAF_ADD_ATOM(egress, egress, drain_atom, "drain")
CAF_ADD_ATOM(egress, egress, watchdog_atom, "watchdog")
CAF_ADD_ATOM(egress, egress, leading_atom, "leading")
CAF_ADD_ATOM(egress, egress, list_anew_atom, "listanew")
CAF_ADD_ATOM(egress, egress, release_atom, "release")
CAF_ADD_TYPE_ID(egress, (egress::payload<egress::directory>))
CAF_ADD_TYPE_ID(egress, (egress::payload<egress::api_request>))
CAF_ADD_TYPE_ID(egress, (egress::payload<egress::api_reply>))
CAF_ADD_TYPE_ID(egress, (egress::payload<egress::watch_poll>))
CAF_ADD_TYPE_ID(egress, (egress::payload<egress::watch_news>))
CAF_ADD_TYPE_ID(egress, (egress::payload<egress::informer_update>))
CAF_ADD_TYPE_ID(egress, (egress::payload<egress::reconcile_work>))
CAF_ADD_TYPE_ID(egress, (egress::payload<egress::reconcile_result>))
CAF_ADD_TYPE_ID(egress, (egress::payload<egress::health_report>))
CAF_ADD_TYPE_ID(egress, (egress::payload<egress::delivery>))
CAF_ADD_TYPE_ID(egress, (egress::payload<egress::dns::hijack_table>))
CAF_ADD_TYPE_ID(egress, (egress::payload<egress::gateway_question>))
CAF_ADD_TYPE_ID(egress, (egress::payload<egress::gateway_answer>))
CAF_END_TYPE_ID_BLOCK(egress)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(egress::payload<egress::directory>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(egress::payload<egress::api_request>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(egress::payload<egress::api_reply>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(egress::payload<egress::watch_poll>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(egress::payload<egress::watch_news>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(egress::payload<egress::informer_update>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(egress::payload<egress::reconcile_work>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(egress::payload<egress::reconcile_result>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(egress::payload<egress::health_report>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(egress::payload<egress::delivery>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(egress::payload<egress::dns::hijack_table>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(egress::payload<egress::gateway_question>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(egress::payload<egress::gateway_answer>)

namespace egress {

using caf::ok_atom;
using caf::subscribe_atom;
using caf::tick_atom;

// What every supervised actor takes: the handles of all the others, again after each restart.
using member_actor = caf::typed_actor<caf::reacts_to<directory_ptr>>;

// Takes an informer's updates; the reply is the credit for the next one.
using update_consumer = caf::typed_actor<caf::replies_to<payload<informer_update>>::with<ok_atom>>;

// The one way to the API server. In tests a scripted actor of this interface takes its place.
using kube_api_actor = member_actor::extend<
    // One request in, one result out. API errors are values in the reply, never actor errors.
    caf::replies_to<payload<api_request>>::with<payload<api_reply>>,
    // The next chunk of a watch; the first poll with a new stream id opens it. One chunk a poll: its credit.
    caf::replies_to<payload<watch_poll>>::with<payload<watch_news>>,
    // The stream of this id is not wanted any more.
    caf::reacts_to<close_watch_atom, std::uint64_t>,
    // From the I/O thread: the outcome of the request or poll with this ticket.
    caf::reacts_to<payload<delivery>>>;

// Lists and watches one kind; keeps and publishes its snapshot.
using informer_actor = member_actor::extend<
    // Answers at once with the current snapshot, then with every change.
    caf::reacts_to<subscribe_atom, update_consumer>,
    // What it has may be behind: lists anew. The reply comes when every subscriber has taken what that list
    // brought.
    caf::replies_to<list_anew_atom>::with<ok_atom>,
    // A wait of the watch machine is over; stale generations are ignored.
    caf::reacts_to<tick_atom, std::uint64_t>,
    // Time to see whether an answer to a poll is overdue.
    caf::reacts_to<watchdog_atom>>;

// Holds the work queue and all snapshots; spawns, feeds and stops the reconcilers.
using dispatcher_actor =
    member_actor::extend<  // A kind's snapshot and what changed in it; the reply asks for the next.
        caf::replies_to<payload<informer_update>>::with<ok_atom>,
        // A key is due, or might be; stale generations are ignored.
        caf::reacts_to<tick_atom, std::uint64_t>,
        // Time to have busy reconcilers look for answers that will not come any more.
        caf::reacts_to<watchdog_atom>,
        // A reconciler is done with its key.
        caf::reacts_to<payload<reconcile_result>>,
        // This replica may write from now on, in this term: reconcile
        // everything, as writes were held back until now.
        caf::reacts_to<leading_atom, std::uint64_t>,
        // Shutdown: start no reconcile any more; the reply comes when
        // the last one under way is done.
        caf::replies_to<drain_atom>::with<ok_atom>>;

// Brings the children and the status of one ExternalService to what it says.
using reconciler_actor = caf::typed_actor<  // One run; its reconcile_result goes back to the dispatcher.
    caf::reacts_to<payload<reconcile_work>>,
    // From time to time during a run: answers that are late will not
    // come any more.
    caf::reacts_to<tick_atom>>;

// Asks gateways' pods which listeners they have.
using gateways_actor = member_actor::extend<
    // An answer for each pod that was asked, within a few seconds, whatever they do.
    caf::replies_to<payload<gateway_question>>::with<payload<gateway_answer>>,
    // What the pods of the question with this ticket answered.
    caf::reacts_to<std::uint64_t, payload<gateway_answer>>>;

// Owns a packet loop on sockets that outlive it. A directory that lacks a sibling makes the first worker in
// it serve the sibling's sockets, too, until the sibling is back.
using dns_worker_actor = member_actor::extend<  // The table to answer from, from the next batch on.
    caf::reacts_to<hijack_table_ptr>,
    // From the packet loop: it failed, and why.
    caf::reacts_to<loop_failed_atom, std::string>>;

// Builds the hijack table of Services and ExternalServices, and publishes it to the workers.
using dns_actor =
    member_actor::extend<  // A kind's snapshot and what changed in it; the reply asks for the next.
        caf::replies_to<payload<informer_update>>::with<ok_atom>,
        // Answers with the table there is, then with every new one.
        caf::reacts_to<subscribe_atom, dns_worker_actor>,
        // The pause after a build is over.
        caf::reacts_to<tick_atom>>;

// Holds the Lease, or waits for it, and moves the deadline until which this replica may write. There is none
// without --enable-leader-election.
using leader_actor = member_actor::extend<
    // It is time to ask for the Lease again, or to renew it; stale generations are ignored.
    caf::reacts_to<tick_atom, std::uint64_t>,
    // Shutdown: nothing is written any more, and the next replica may take the Lease; the reply comes when
    // the API server has it.
    caf::replies_to<release_atom>::with<ok_atom>>;

// Serves /metrics, health and the status page; told by all others how they are.
using metrics_actor = member_actor::extend<  // How a part is: ready, or what it waits for.
    caf::reacts_to<payload<health_report>>>;

// Starts everyone, restarts who dies, ends everything in order.
using supervisor_actor = caf::typed_actor<  // From main, once: start everyone.
    caf::reacts_to<start_atom>,
    // The delay before a child's restart is over; stale generations are ignored.
    caf::reacts_to<restart_atom, std::string, std::uint64_t>,
    // Ordered shutdown: drain, release the Lease, lame duck, EXIT, grace, kill.
    caf::reacts_to<shutdown_atom>,
    // The present phase of that has had its time.
    caf::reacts_to<grace_over_atom, std::uint64_t>>;

}  // namespace egress
