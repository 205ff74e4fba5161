// How long a list will be, and what comes of asking for it page by page.

#include "actors/informer/failures.hpp"
#include "actors/informer/watch_machine.hpp"
#include "runtime/base/give_back.hpp"

namespace egress::informer {
namespace {

// From here on pages are asked for: a streaming list is an event an object, which costs the server up to
// twice what pages cost it, and us a third more (docs/decisions/0016).
constexpr std::uint64_t long_list = 1'000;

}  // namespace

void watch_machine::ask_size(outcome& out) {
  auto what = list_request();
  // The server counts only what it need not select.
  what.label_selector.clear();
  what.limit = 1;
  ask_list(out, std::move(what), watch_state::sizing);
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
  auto what = list_request();
  what.continue_token = continue_token_;
  ask_list(out, std::move(what), watch_state::listing);
}

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
  // Who passes a token over (a proxy that caches) gives the first page for ever.
  if (!page.continue_token.empty() && page.continue_token == continue_token_)
    return list_failed(
        out, plainly(kube::api_errc::malformed, "a page whose continue token is that of the page before"),
        at);
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

}  // namespace egress::informer
