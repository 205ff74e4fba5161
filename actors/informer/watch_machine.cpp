#include "actors/informer/watch_machine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/informer/failures.hpp"
#include "runtime/base/give_back.hpp"

namespace egress::informer {
namespace {

constexpr int page_size = 500;
// From here on pages are asked for: a streaming list is an event an object, which costs the server up to
// twice what pages cost it, and us a third more (docs/decisions/0016).
constexpr std::uint64_t long_list = 1'000;
constexpr milliseconds definition_poll{2'000};
constexpr milliseconds streaming_patience{30'000};
constexpr unsigned cut_streams_allowed = 2;
constexpr unsigned deaf_watches_allowed = 4;

// Random, so that the watches of many clients do not end together.
std::chrono::seconds watch_timeout(std::chrono::seconds least, double random) {
  return least + std::chrono::seconds(static_cast<int>(random * static_cast<double>(least.count())));
}

// A server ends a watch at its own count of timeoutSeconds, which began a little after ours.
bool at_its_timeout(std::chrono::nanoseconds lasted, std::chrono::seconds timeout) {
  return lasted >= timeout - std::chrono::seconds(5);
}

kube::api_error plainly(kube::api_errc code, std::string message) {
  return {.code = code, .status = 0, .reason = {}, .message = std::move(message), .retry_after = {}};
}

}  // namespace

outcome watch_machine::start() {
  outcome out;
  if (state_ == watch_state::idle) begin_list(out, about_.streaming_lists);
  return out;
}

outcome watch_machine::list_anew() {
  outcome out;
  if (state_ == watch_state::idle) return out;
  if (state_ == watch_state::streaming || state_ == watch_state::watching)
    out.commands.emplace_back(close_watch_command{latest_});
  begin_list(out, about_.streaming_lists);
  return out;
}

std::string watch_machine::unready_reason() const {
  const auto& kind = kube::info(about_.of);
  if (definition_missing_)
    return fmt::format("{}: the API server does not know {} of {}; install its definition", kind.name,
                       kind.plural, kind.api_version);
  if (store_.current().synced) return "";
  return fmt::format("{}: the first list is not complete{}{}", kind.name, last_failure_.empty() ? "" : ": ",
                     last_failure_);
}

// ---- beginning a list, a watch, a wait

void watch_machine::begin_list(outcome& out, bool may_stream) {
  items_.clear();
  continue_token_.clear();
  may_stream ? ask_size(out) : ask_page(out);
}

// No resourceVersion: the most recent state, so that a list never goes back in time, and works after an etcd
// restore has put the versions back.
kube::request watch_machine::list_request() const {
  kube::request what;
  what.what = kube::verb::list;
  what.of = about_.of;
  what.name_space = about_.name_space;
  what.label_selector = about_.label_selector;
  what.limit = page_size;
  return what;
}

void watch_machine::ask_size(outcome& out) {
  state_ = watch_state::sizing;
  auto what = list_request();
  // The server counts only what it need not select.
  what.label_selector.clear();
  what.limit = 1;
  out.commands.emplace_back(list_command{std::move(what), ++latest_});
}

// Where the server does not say how many there are, or does not like the question: as if there were few.
void watch_machine::sized(outcome& out, const kube::reply& reply, moment at) {
  if (!reply) {
    const auto& why = reply.error();
    if (why.code == kube::api_errc::not_found) return wait_for_definition(out, at);
    return concerns_the_question(why.code) ? open_stream(out, at) : wait_then(out, at, then::list, why);
  }
  const auto* page = std::get_if<kube::list_page>(&*reply);
  page != nullptr && page->items.size() + page->remaining >= long_list ? ask_page(out) : open_stream(out, at);
}

void watch_machine::ask_page(outcome& out) {
  state_ = watch_state::listing;
  auto what = list_request();
  what.continue_token = continue_token_;
  out.commands.emplace_back(list_command{std::move(what), ++latest_});
}

void watch_machine::open_stream(outcome& out, moment at) {
  begin_watch(out, at);
  state_ = watch_state::streaming;
  auto& request = std::get<open_watch_command>(out.commands.back()).what;
  request.resource_version.clear();
  request.send_initial_events = true;
  heard_lately_ = true;
  // An old server might ignore the parameter, and the bookmark that ends the list would never come.
  out.commands.emplace_back(wait_command{streaming_patience, latest_});
}

void watch_machine::begin_watch(outcome& out, moment at) {
  state_ = watch_state::watching;
  asked_ = at.now;
  asked_for_ = watch_timeout(about_.watch_timeout, at.random);
  heard_ = false;
  kube::watch_request what{.of = about_.of,
                           .name_space = about_.name_space,
                           .label_selector = about_.label_selector,
                           .resource_version = resource_version_,
                           .send_initial_events = false,
                           .timeout = asked_for_};
  out.commands.emplace_back(open_watch_command{std::move(what), ++latest_});
}

// A server that was restored from a backup takes a watch from the future and stays silent until the watch's
// end. So after a lost connection it is asked first where it stands, by the smallest list there is.
void watch_machine::resume_watch(outcome& out, moment at) {
  if (!lost_) return begin_watch(out, at);
  continue_token_.clear();
  ask_page(out);
  std::get<list_command>(out.commands.back()).what.limit = 1;
  state_ = watch_state::checking;
}

void watch_machine::version_arrived(outcome& out, const kube::reply& reply, moment at) {
  const auto* page = reply ? std::get_if<kube::list_page>(&*reply) : nullptr;
  if (!page) {
    const auto why =
        reply ? plainly(kube::api_errc::malformed, "the answer to a list is no list") : reply.error();
    return why.code == kube::api_errc::not_found ? wait_for_definition(out, at)
                                                 : wait_then(out, at, then::watch, why);
  }
  lost_ = false;
  if (page->resource_version.empty() || older(page->resource_version, resource_version_))
    return relist(out, at, then::list,
                  plainly(kube::api_errc::version_too_large, "the server is in an earlier state"));
  begin_watch(out, at);
}

void watch_machine::wait_then(outcome& out, moment at, then what, const kube::api_error& why) {
  const auto delay = std::max(backoff_.next(at), kube::asked_to_wait(why));
  state_ = watch_state::waiting;
  after_wait_ = what;
  last_failure_ = why.message;
  out.commands.emplace_back(wait_command{delay, ++latest_});
  say(out, log_level::warn, what == then::watch ? "watch failed" : "list failed", &why);
  out.lines.back().fields.emplace_back("retry_in_ms", std::to_string(delay.count()));
}

// At once when nothing has failed lately; a server that sends us from list to watch and back is not hammered.
void watch_machine::relist(outcome& out, moment at, then how, const kube::api_error& why) {
  if (!backoff_.quiet(at.now)) return wait_then(out, at, how, why);
  backoff_.next(at);
  say(out, log_level::info, "listing again", &why);
  begin_list(out, how == then::list && about_.streaming_lists);
}

void watch_machine::wait_for_definition(outcome& out, moment at) {
  if (!definition_missing_) {
    definition_missing_ = true;
    if (store_.current().synced) out.published = store_.undefine();
    say(out, log_level::warn, unready_reason());
  }
  state_ = watch_state::waiting;
  after_wait_ = then::list;
  const auto jitter =
      milliseconds(static_cast<long>(static_cast<double>(definition_poll.count()) * at.random));
  out.commands.emplace_back(wait_command{definition_poll + jitter, ++latest_});
}

outcome watch_machine::timer(ticket id, moment at) {
  outcome out;
  if (id != latest_) return out;
  if (state_ == watch_state::streaming) {
    if (!std::exchange(heard_lately_, false)) {
      out.commands.emplace_back(close_watch_command{latest_});
      cut_streams_ = 0;
      say(out, log_level::info, "the streaming list stays silent, listing page by page");
      begin_list(out, false);
    } else {
      out.commands.emplace_back(wait_command{streaming_patience, latest_});
    }
    return out;
  }
  if (state_ != watch_state::waiting) return out;
  switch (after_wait_) {
    case then::list:
      begin_list(out, about_.streaming_lists);
      break;
    case then::plain_list:
      begin_list(out, false);
      break;
    case then::next_page:
      ask_page(out);
      break;
    case then::watch:
      resume_watch(out, at);
      break;
  }
  return out;
}

// ---- a paged list

outcome watch_machine::listed(ticket id, const kube::reply& reply, moment at) {
  outcome out;
  if (id != latest_) return out;
  if (state_ == watch_state::checking)
    version_arrived(out, reply, at);
  else if (state_ == watch_state::sizing)
    sized(out, reply, at);
  else if (state_ != watch_state::listing)
    return out;
  else if (!reply)
    list_failed(out, reply.error(), at);
  else if (const auto* page = std::get_if<kube::list_page>(&*reply))
    page_arrived(out, *page, at);
  else
    list_failed(out, plainly(kube::api_errc::malformed, "the answer to a list is no list"), at);
  return out;
}

void watch_machine::page_arrived(outcome& out, const kube::list_page& page, moment at) {
  items_.insert(items_.end(), page.items.begin(), page.items.end());
  continue_token_ = page.continue_token;
  if (!continue_token_.empty()) return ask_page(out);
  if (page.resource_version.empty())
    return list_failed(out, plainly(kube::api_errc::malformed, "a list without resourceVersion"), at);
  complete(out, page.resource_version);
  begin_watch(out, at);
}

void watch_machine::list_failed(outcome& out, const kube::api_error& why, moment at) {
  using enum kube::api_errc;
  if (why.code == not_found) return wait_for_definition(out, at);
  // The version whose pages these are is gone: from the start, and at once unless it becomes a habit.
  if (why.code == gone && !continue_token_.empty() && !std::exchange(began_again_, true)) {
    say(out, log_level::info, "listing again", &why);
    return begin_list(out, false);
  }
  if (why.code == gone || why.code == version_too_large) return relist(out, at, then::plain_list, why);
  // What has come so far stays good until the server says otherwise (410).
  const bool keep = !continue_token_.empty() && why.code != bad_request && why.code != malformed;
  wait_then(out, at, keep ? then::next_page : then::plain_list, why);
}

void watch_machine::complete(outcome& out, std::string resource_version) {
  resource_version_ = std::move(resource_version);
  lost_ = false;
  out.published = store_.replace(items_);
  give_back(items_);
  continue_token_.clear();
  cut_streams_ = 0;
  began_again_ = false;
  last_failure_.clear();
  if (std::exchange(definition_missing_, false)) say(out, log_level::info, "the definition is there now");
}

// ---- a watch, with or without the initial events

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

void watch_machine::say(outcome& out, log_level level, std::string message,
                        const kube::api_error* why) const {
  log_line line{.level = level, .message = std::move(message), .fields = {}};
  line.fields.emplace_back("kind", kube::info(about_.of).name);
  if (why) line.fields.emplace_back("error", why->message.empty() ? why->reason : why->message);
  out.lines.push_back(std::move(line));
}

}  // namespace egress::informer
