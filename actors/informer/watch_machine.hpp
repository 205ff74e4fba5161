#pragma once
// The list/watch protocol of one kind as one enum of states. Inputs come in as calls, each with the time and
// a random number; what is to be done comes out as commands. Pure: no I/O, no clock, no logging.
//
//   idle ─start─▶ sizing ──many──▶ listing     sizing: how long will the list be? (Left out where lists are
//                   │ few            │ ▲        not streamed: from idle or waiting to listing.)
//                   ▼                │ │ refused, silent, cut
//                 streaming ─────────┼─┘        streaming: a watch that begins with all objects
//                   │ complete       │ last page
//                   ▼                │
//                 watching ◀─────────┘          watching: resumes where it was when a stream ends
//                   │ 410, ERROR, silence
//                   ▼
//                 sizing or listing             waiting: back-off before any of them
//
// A list whose version is gone begins again. A watch whose connection broke comes back by way of
//
//   watching ──lost──▶ waiting ──▶ checking ──▶ watching      checking: where does the server stand? In an
//                                          └──▶ sizing, listing     earlier state, everything is listed anew.
//
// Every command carries a ticket. Its answer brings the ticket back, and the answer to anything but the
// latest ticket is ignored, so a late reply or timer can do no harm.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "actors/informer/backoff.hpp"
#include "actors/informer/store.hpp"
#include "runtime/base/options.hpp"
#include "runtime/kube/api.hpp"

namespace egress::informer {

using ticket = std::uint64_t;

// Send `what`; give the reply to listed().
struct list_command {
  kube::request what;
  ticket id = 0;
};
// Open a watch and read once from it; give what came to chunk(). A watch that cannot be opened gives a chunk
// that has ended, with the failure.
struct open_watch_command {
  kube::watch_request what;
  ticket id = 0;
};
// Read once more from the open watch; give what came to chunk().
struct next_chunk_command {
  ticket id = 0;
};
// The watch is not needed any more; nothing has to be answered.
struct close_watch_command {
  ticket id = 0;
};
// Call timer() after `duration`. The latest wait of a ticket replaces earlier ones.
struct wait_command {
  milliseconds duration{};
  ticket id = 0;
};
using command =
    std::variant<list_command, open_watch_command, next_chunk_command, close_watch_command, wait_command>;

// A line to log, with fields as (key, value).
struct log_line {
  log_level level = log_level::info;
  std::string message;
  std::vector<std::pair<std::string, std::string>> fields;
};

struct outcome {
  std::vector<command> commands;  // in this order
  std::vector<log_line> lines;
  std::optional<changes> published;  // set: publish machine.current(), and tell of these names (may be none)
};

// What an informer is about.
struct scope {
  kube::kind of = kube::kind::external_service;
  std::string name_space;                   // "" for a cluster-scoped kind
  std::string label_selector;               // "app=egress-gateway" for children
  bool streaming_lists = true;              // short lists as WatchList; falls back by itself
  std::chrono::seconds watch_timeout{300};  // of a watch at least; at most twice this
  std::uint64_t epochs_before = 0;          // no other life of the informer has had a later epoch
};

enum class watch_state : std::uint8_t { idle, sizing, listing, streaming, checking, watching, waiting };

class watch_machine {
 public:
  explicit watch_machine(scope about) : about_(std::move(about)), store_(about_.of, about_.epochs_before) {}

  outcome start();
  outcome listed(ticket id, const kube::reply& reply, moment at);
  outcome chunk(ticket id, const kube::watch_chunk& what, moment at);
  outcome timer(ticket id, moment at);
  // What it has may be behind (a watch that lags, a long wait): lists at once, whatever it was doing. The
  // next epoch of current() is that list.
  outcome list_anew();

  const kube::published& current() const { return store_.current(); }
  watch_state state() const { return state_; }

  // Why readiness must wait for this informer, in one line; "" when it need not.
  std::string unready_reason() const;

 private:
  enum class then : std::uint8_t { list, plain_list, next_page, watch };

  void begin_list(outcome& out, bool may_stream);
  kube::request list_request() const;
  void open_stream(outcome& out, moment at);
  void begin_watch(outcome& out, moment at);
  // What is asked for, and the state that waits for it.
  void ask_list(outcome& out, kube::request what, watch_state as);
  void ask_watch(outcome& out, moment at, watch_state as);
  void resume_watch(outcome& out, moment at);
  void version_arrived(outcome& out, const kube::reply& reply, moment at);
  void wait_then(outcome& out, moment at, then what, const kube::api_error& why);
  void wait(outcome& out, milliseconds delay, then what, const kube::api_error& why);
  void relist(outcome& out, moment at, then how, const kube::api_error& why);
  void wait_for_definition(outcome& out, moment at);
  void say(outcome& out, log_level level, std::string message, const kube::api_error* why = nullptr) const;
  // watch_machine_lists.cpp
  void ask_size(outcome& out);
  void ask_page(outcome& out);
  void sized(outcome& out, const kube::reply& reply, moment at);
  void page_arrived(outcome& out, const kube::list_page& page, moment at);
  void list_failed(outcome& out, const kube::api_error& why, moment at);
  void complete(outcome& out, std::string resource_version);
  // watch_machine_watches.cpp
  void stream_events(outcome& out, const std::vector<kube::watch_event>& events);
  void stream_over(outcome& out, const std::optional<kube::api_error>& why, moment at);
  void initial_stream_over(outcome& out, const kube::api_error& why, moment at);
  void watch_over(outcome& out, const std::optional<kube::api_error>& why, moment at);
  void watch_failed(outcome& out, const kube::api_error& why, moment at);

  scope about_;
  store store_;
  backoff backoff_;  // of what fails
  backoff relists_;  // of what the server answers by sending us to a list
  watch_state state_ = watch_state::idle;
  ticket latest_ = 0;
  then after_wait_ = then::list;

  std::vector<kube::object_ptr> items_;  // of a list that is not complete yet
  std::string continue_token_;
  std::string resource_version_;  // up to where we have seen everything

  steady_time asked_{};               // when the watch was asked for
  std::chrono::seconds asked_for_{};  // its timeoutSeconds
  bool heard_ = false;                // an event or a bookmark came
  bool heard_lately_ = false;         // streaming: since the last look
  unsigned deaf_watches_ = 0;         // watches that failed before anything was heard, in a row
  unsigned cut_streams_ = 0;          // streaming lists that ended too early, in a row
  bool began_again_ = false;          // this list did, as its pages' version was gone
  std::string last_failure_;          // what keeps the list from being complete; "" for nothing yet
  bool lost_ = false;                 // the connection broke: who answers next may be in an earlier state
  bool definition_missing_ = false;   // 404: there is no such kind (yet)
};

}  // namespace egress::informer
