#include "actors/informer/watch_machine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/informer/failures.hpp"

namespace egress::informer {
namespace {

constexpr int page_size = 500;
constexpr milliseconds definition_poll{2'000};
constexpr milliseconds streaming_patience{30'000};

// Random, so that the watches of many clients do not end together.
std::chrono::seconds watch_timeout(std::chrono::seconds least, double random) {
  return least + std::chrono::seconds(static_cast<int>(random * static_cast<double>(least.count())));
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

void watch_machine::ask_list(outcome& out, kube::request what, watch_state as) {
  state_ = as;
  out.commands.emplace_back(list_command{std::move(what), ++latest_});
}

void watch_machine::open_stream(outcome& out, moment at) {
  ask_watch(out, at, watch_state::streaming);
  heard_lately_ = true;
  // An old server might ignore the parameter, and the bookmark that ends the list would never come.
  out.commands.emplace_back(wait_command{streaming_patience, latest_});
}

void watch_machine::begin_watch(outcome& out, moment at) {
  ask_watch(out, at, watch_state::watching);
}

void watch_machine::ask_watch(outcome& out, moment at, watch_state as) {
  const bool streams = as == watch_state::streaming;
  state_ = as;
  asked_ = at.now;
  asked_for_ = watch_timeout(about_.watch_timeout, at.random);
  heard_ = false;
  kube::watch_request what{.of = about_.of,
                           .name_space = about_.name_space,
                           .label_selector = about_.label_selector,
                           .resource_version = streams ? "" : resource_version_,
                           .send_initial_events = streams,
                           .timeout = asked_for_};
  out.commands.emplace_back(open_watch_command{std::move(what), ++latest_});
}

// A server that was restored from a backup takes a watch from the future and stays silent until the watch's
// end. So after a lost connection it is asked first where it stands, by the smallest list there is.
void watch_machine::resume_watch(outcome& out, moment at) {
  if (!lost_) return begin_watch(out, at);
  auto what = list_request();
  what.limit = 1;
  ask_list(out, std::move(what), watch_state::checking);
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
  wait(out, std::max(backoff_.next(at), kube::asked_to_wait(why)), what, why);
}

void watch_machine::wait(outcome& out, milliseconds delay, then what, const kube::api_error& why) {
  state_ = watch_state::waiting;
  after_wait_ = what;
  last_failure_ = why.message;
  out.commands.emplace_back(wait_command{delay, ++latest_});
  say(out, log_level::warn, what == then::watch ? "watch failed" : "list failed", &why);
  out.lines.back().fields.emplace_back("retry_in_ms", std::to_string(delay.count()));
}

// At once when that has not happened lately; a server that sends us from list to watch and back is not
// hammered. How long it was out of reach before has no part in it: it answers.
void watch_machine::relist(outcome& out, moment at, then how, const kube::api_error& why) {
  const bool quiet = relists_.quiet(at.now);
  const auto delay = relists_.next(at), asked = kube::asked_to_wait(why);
  if (!quiet || asked > milliseconds(0)) return wait(out, quiet ? asked : std::max(delay, asked), how, why);
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

void watch_machine::say(outcome& out, log_level level, std::string message,
                        const kube::api_error* why) const {
  log_line line{.level = level, .message = std::move(message), .fields = {}};
  line.fields.emplace_back("kind", kube::info(about_.of).name);
  if (why) line.fields.emplace_back("error", why->message.empty() ? why->reason : why->message);
  out.lines.push_back(std::move(line));
}

}  // namespace egress::informer
