// What comes of a watch, with or without the initial events.

#include <algorithm>

#include "actors/informer/failures.hpp"
#include "actors/informer/watch_machine.hpp"

namespace egress::informer {
namespace {

constexpr unsigned cut_streams_allowed = 2;
constexpr unsigned deaf_watches_allowed = 4;

// A server ends a watch at its own count of timeoutSeconds, which began a little after ours.
bool at_its_timeout(std::chrono::nanoseconds lasted, std::chrono::seconds timeout) {
  return lasted >= timeout - std::chrono::seconds(5);
}

}  // namespace

outcome watch_machine::chunk(ticket id, const kube::watch_chunk& what, moment at) {
  outcome out;
  const bool wanted = state_ == watch_state::streaming || state_ == watch_state::watching;
  if (id != latest_ || !wanted) return out;
  heard_ = heard_ || !what.events.empty();
  heard_lately_ = heard_lately_ || !what.events.empty();
  stream_events(out, what.events);
  if (what.ended || what.failure)
    stream_over(out, what.failure, at);
  else
    out.commands.emplace_back(next_chunk_command{id});
  return out;
}

void watch_machine::stream_events(outcome& out, const std::vector<kube::watch_event>& events) {
  auto event = events.begin();
  for (; event != events.end() && state_ == watch_state::streaming; ++event) {
    if (event->initial_events_end) {
      complete(out, event->resource_version);
      state_ = watch_state::watching;
      heard_ = event + 1 != events.end();
    } else if (event->object && event->type == kube::event_type::deleted) {
      std::erase_if(items_, [&](const auto& item) { return item->meta.name == event->object->meta.name; });
    } else if (event->object) {
      items_.push_back(event->object);
    }
  }
  if (event == events.end()) return;
  const std::vector<kube::watch_event> rest(event, events.end());
  auto changed = store_.apply(rest);
  for (const auto& one : rest)
    if (!one.resource_version.empty() && !older(one.resource_version, resource_version_))
      resource_version_ = one.resource_version;
  if (changed.names.empty()) return;
  if (!out.published) {
    out.published = std::move(changed);
    return;
  }
  for (auto& name : changed.names)
    if (std::ranges::find(out.published->names, name) == out.published->names.end())
      out.published->names.push_back(std::move(name));
}

void watch_machine::stream_over(outcome& out, const std::optional<kube::api_error>& why, moment at) {
  if (state_ == watch_state::watching) return watch_over(out, why, at);
  initial_stream_over(
      out, why.value_or(plainly(kube::api_errc::transport, "the stream ended before the list did")), at);
}

void watch_machine::initial_stream_over(outcome& out, const kube::api_error& why, moment at) {
  items_.clear();
  if (why.code == kube::api_errc::not_found) return wait_for_definition(out, at);
  if (refuses(why.code)) {
    about_.streaming_lists = false;
    say(out, log_level::info, "no streaming lists here, listing page by page", &why);
    return begin_list(out, false);
  }
  // The other way to list, for once: now, where the same stream would end the same way; later, where streams
  // are cut again and again.
  if (calls_for_plain_list(why.code)) {
    say(out, log_level::info, "the streaming list failed, listing page by page", &why);
    return begin_list(out, false);
  }
  const bool plain = ++cut_streams_ > cut_streams_allowed;
  wait_then(out, at, plain ? then::plain_list : then::list, why);
}

void watch_machine::watch_over(outcome& out, const std::optional<kube::api_error>& why, moment at) {
  if (heard_) deaf_watches_ = 0;
  const auto lasted = at.now - asked_;
  // An end before its time is a server that shuts down.
  lost_ = why ? why->status == 0 : !at_its_timeout(lasted, asked_for_);
  if (why && !resumable(why->code)) return watch_failed(out, *why, at);
  // Not even a bookmark in all that time: the server may have lost the revisions that we wait for.
  if (!heard_ && at_its_timeout(lasted, asked_for_))
    return relist(out, at, then::list,
                  plainly(kube::api_errc::timed_out, "the watch was silent until its timeout"));
  if (!heard_ && why) return watch_failed(out, *why, at);
  if (!heard_ && lasted < std::chrono::seconds(1))
    return watch_failed(out, plainly(kube::api_errc::transport, "the watch ended at once, without events"),
                        at);
  say(out, log_level::debug, "watching again", why ? &*why : nullptr);
  resume_watch(out, at);
}

void watch_machine::watch_failed(outcome& out, const kube::api_error& why, moment at) {
  using enum kube::api_errc;
  switch (why.code) {
    case not_found:
      return wait_for_definition(out, at);
    case gone:
      return relist(out, at, then::list, why);
    case version_too_large:
      return relist(out, at, then::plain_list, why);
    case bad_request:
    case invalid:
    case malformed:
    case too_large:
      return wait_then(out, at, then::list, why);
    default:
      break;
  }
  // An ERROR event in the middle of a watch, or the same failure over and over: what we have may be wrong.
  const bool suspect = (heard_ && !resumable(why.code)) || ++deaf_watches_ > deaf_watches_allowed;
  if (suspect) deaf_watches_ = 0;
  wait_then(out, at, suspect ? then::list : then::watch, why);
}

}  // namespace egress::informer
