#include "runtime/devserver/watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ranges>

#include "runtime/devserver/tree.hpp"
#include "runtime/devserver/versions.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress::dev {
namespace {

// So much of the initial events is made at a time: others are served in between.
constexpr std::size_t initial_piece = 256 * 1024;
constexpr milliseconds default_timeout{45 * 60'000};  // the real server: 30 to 60 minutes, at random

milliseconds timeout_of(std::string_view text) {
  std::int64_t wanted = 0;
  std::from_chars(text.data(), text.data() + text.size(), wanted);
  if (wanted <= 0 || wanted > 24 * 3600) return default_timeout;
  return seconds{wanted};
}

bool is_true(std::string_view text) {
  return text == "true" || text == "1";
}

row_object include_of(std::string_view text) {
  if (text == "None") return row_object::none;
  return text == "Object" ? row_object::whole : row_object::metadata;
}

// Reverses the order of objects, but not that of one object's events: those a server never mixes up.
template <class Line>
void mix(std::vector<Line>& lines) {
  std::vector<object_key> order;
  for (const auto& one : lines)
    if (std::ranges::find(order, one.key) == order.end()) order.push_back(one.key);
  std::vector<Line> mixed;
  for (const auto& key : std::views::reverse(order))
    for (const auto& one : lines)
      if (one.key == key) mixed.push_back(one);
  lines = std::move(mixed);
}

}  // namespace

outcome<watch_plan> plan_watch(const store& objects, const parsed_request& what) {
  watch_plan plan;
  plan.of = what.of;
  auto chosen = selection_of(what);
  if (!chosen) return std::unexpected(chosen.error());
  plan.chosen = *std::move(chosen);
  const auto asked = parse_version(what.option("resourceVersion"));
  if (!asked) return std::unexpected(asked.error());
  if (*asked && **asked > objects.version()) return too_large_version(**asked, objects.version());
  const auto initial = what.option("sendInitialEvents");
  const auto match = what.option("resourceVersionMatch");
  if (!initial.empty() && match != "NotOlderThan")
    return invalid(*what.of, "",
                   {{"FieldValueForbidden",
                     "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
                     "resourceVersionMatch"}});
  plan.bookmarks = is_true(what.option("allowWatchBookmarks"));
  plan.marks_initial = is_true(initial);
  // Without a version a watch begins with what there is.
  plan.initial = plan.marks_initial || (initial.empty() && !*asked);
  plan.from = plan.initial || !*asked ? objects.version() : **asked;
  plan.as_table = what.asks_for_table();
  plan.include = include_of(what.option("includeObject"));
  plan.timeout = timeout_of(what.option("timeoutSeconds"));
  return plan;
}

const std::string& encoded_objects::text_of(const change& what) {
  auto& slot = latest_[what.version % latest_.size()];
  if (slot.version != what.version) slot = {what.version, json::to_text(*what.after)};
  return slot.text;
}

watch_session::watch_session(const store& objects, encoded_objects& texts, watch_plan plan, steady_time now)
    : objects_(objects),
      texts_(texts),
      plan_(std::move(plan)),
      cursor_(plan_.from),
      ends_(now + plan_.timeout),
      bookmark_due_(now + plan_.bookmark_every) {}

steady_time watch_session::wake_at() const {
  return plan_.bookmarks ? std::min(ends_, bookmark_due_) : ends_;
}

std::string watch_session::next(steady_time now, wall_time wall, const watch_faults& faults) {
  if (faults.stall || finished_) return {};
  if (!std::exchange(started_, true) && plan_.initial) begin_initial();
  auto out = initial_events(wall);
  if (initial_) return out;
  const auto changes = objects_.changes_after(cursor_, storage_of(*plan_.of));
  if (!changes)
    return out +
           refuse(expired(fmt::format("too old resource version: {} ({})", cursor_, objects_.compacted())));
  std::vector<line> lines;
  for (const auto& one : *changes) add_line(*one, wall, lines);
  cursor_ = objects_.version();
  if (faults.reorder) mix(lines);
  for (const auto& one : lines) out += faults.duplicate ? one.text + one.text : one.text;
  const bool over = now >= ends_;
  if (plan_.bookmarks && (now >= bookmark_due_ || over)) {
    bookmark_due_ = now + plan_.bookmark_every;
    if (!faults.drop_bookmarks) out += bookmark(false);
  }
  finished_ = over;
  return out;
}

void watch_session::begin_initial() {
  // Of the moment of the plan; what came since follows as changes.
  auto present = objects_.list_at(cursor_, storage_of(*plan_.of), plan_.chosen.name_space);
  if (!present) return;  // compacted since: next() says so
  std::erase_if(*present, [this](const stored& one) { return !plan_.chosen.matches(*one); });
  std::ranges::reverse(*present);
  initial_ = std::move(present);
}

std::string watch_session::initial_events(wall_time wall) {
  std::string out;
  if (!initial_) return out;
  for (; !initial_->empty() && out.size() < initial_piece; initial_->pop_back())
    out += event("ADDED", initial_->back(), "", wall);
  if (!initial_->empty()) return out;
  initial_.reset();
  if (plan_.marks_initial && plan_.bookmarks) out += bookmark(true);
  return out;
}

void watch_session::add_line(const change& what, wall_time wall, std::vector<line>& to) {
  if (!plan_.chosen.name_space.empty() && what.key.name_space != plan_.chosen.name_space) return;
  const bool before = what.before && plan_.chosen.matches(*what.before);
  const bool after = what.what != change_kind::deleted && plan_.chosen.matches(*what.after);
  if (!before && !after) return;
  // An object that a selector ceases to match is, to this watch, deleted.
  const std::string_view type = !after ? "DELETED" : before ? "MODIFIED" : "ADDED";
  const bool plain = !plan_.as_table && plan_.of->stored_version.empty();
  to.push_back({what.key, event(type, what.after, plain ? texts_.text_of(what) : "", wall)});
}

std::string watch_session::event(std::string_view type, const stored& object, const std::string& encoded,
                                 wall_time wall) {
  if (plan_.as_table) {
    const stored shown = in_version(*plan_.of, object);
    const table_options with{plan_.include, !std::exchange(columns_sent_, true), wall};
    const auto table = table_of(*plan_.of, {&shown, 1}, {{"resourceVersion", version_of(*object)}}, with);
    return fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, json::to_text(table));
  }
  if (!encoded.empty()) return fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, encoded);
  return fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type,
                     json::to_text(*in_version(*plan_.of, object)));
}

std::string watch_session::bookmark(bool initial_end) {
  json::object metadata{{"resourceVersion", std::to_string(cursor_)}, {"creationTimestamp", nullptr}};
  if (initial_end) metadata["annotations"] = json::object{{"k8s.io/initial-events-end", "true"}};
  json::object object{
      {"kind", plan_.of->kind}, {"apiVersion", plan_.of->api_version()}, {"metadata", metadata}};
  if (plan_.as_table) object = table_of(*plan_.of, {}, std::move(metadata), {row_object::none, false, {}});
  return fmt::format("{{\"type\":\"BOOKMARK\",\"object\":{}}}\n", json::to_text(object));
}

std::string watch_session::refuse(const refusal& what) {
  finished_ = true;
  return fmt::format("{{\"type\":\"ERROR\",\"object\":{}}}\n", json::to_text(status_of(what)));
}

}  // namespace egress::dev
