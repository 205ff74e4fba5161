#include "actors/reconciler/child_task.hpp"

#include <fmt/format.h>

#include "runtime/kube/json_text.hpp"

namespace egress::reconciler {
namespace {

// Conflicts come from the Deployment controller's status writes: a few in a row are normal.
constexpr unsigned reads_allowed = 6;

const kube::document* document_of(const kube::reply& reply) {
  return reply ? std::get_if<kube::document>(&*reply) : nullptr;
}

json::object with_cluster_ip(json::object service, const std::string& address) {
  if (auto* spec = service.if_contains("spec"); spec && spec->is_object())
    spec->get_object()["clusterIP"] = address;
  return service;
}

kube::api_error no_object() {
  return {.code = kube::api_errc::malformed,
          .status = 0,
          .reason = {},
          .message = "the API server's answer is not the object that was asked for",
          .retry_after = {}};
}

}  // namespace

child_task::step child_task::start() {
  return act(judge(in_.live.get()), in_.live.get());
}

child_task::step child_task::next(const kube::reply& reply) {
  switch (doing_) {
    case doing::reading:
      return was_read(reply);
    case doing::creating:
      return created(reply);
    case doing::patching:
      return patched(reply);
    case doing::deleting:
      return deleted(reply);
    case doing::nothing:
      break;
  }
  return finish(child_state::in_order, "");
}

decision child_task::judge(const kube::object* live) const {
  return decide(*in_.external_service, in_.of, in_.wanted ? &*in_.wanted : nullptr, live, in_.known);
}

child_task::step child_task::act(const decision& what, const kube::object* live) {
  intent_ = what.what;
  switch (what.what) {
    case action::nothing:
      return finish(child_state::in_order, "");
    case action::create:
      return create();
    case action::repair:
    case action::adopt:
      // As a watch has just shown it; should it have changed since, the patch conflicts.
      if (const auto json = live->recent_json.lock(); json && reads_ == 0) return compare(*json, *live);
      return what.what == action::repair && may_edit(*live) ? edit(*live) : read();
    case action::replace:
    case action::remove:
      return remove(live->meta.uid);
    case action::replacing:
      return finish(child_state::replacing, what.why);
    case action::deleting:
      return finish(child_state::deleting, what.why);
    case action::blocked:
      return finish(child_state::name_taken, what.why);
  }
  return finish(child_state::in_order, "");
}

child_task child_task::knowing(ports reported) const {
  auto input = in_;
  input.reported = std::move(reported);
  return child_task(std::move(input));
}

// ---- requests

kube::request child_task::about(kube::verb what) const {
  kube::request out;
  out.what = what;
  out.of = in_.of;
  out.name_space = in_.name_space;
  if (what != kube::verb::create) out.name = in_.external_service->meta.name;
  return out;
}

child_task::step child_task::read() {
  if (++reads_ > reads_allowed)
    return finish(child_state::failed, fmt::format("{} {} changes faster than it can be repaired",
                                                   kube::info(in_.of).name, in_.external_service->meta.name));
  doing_ = doing::reading;
  return about(kube::verb::get);
}

child_task::step child_task::create() {
  doing_ = doing::creating;
  auto request = about(kube::verb::create);
  request.body = asks_for_cluster_ip()
                     ? json::to_text(with_cluster_ip(*in_.wanted->object, in_.previous_cluster_ip))
                     : json::to_text(*in_.wanted->object);
  // Of the rest of a Service's answer, its address is needed at once, for the status.
  request.metadata_only = in_.of != kube::kind::service;
  return request;
}

child_task::step child_task::remove(const kube::object_uid& uid) {
  doing_ = doing::deleting;
  auto request = about(kube::verb::remove);
  request.uid = uid.view();
  return request;
}

child_task::step child_task::compare(std::string_view live_json, const kube::object& live) {
  const auto tree = json::parse_object(live_json);
  if (!tree) return failed(no_object());
  auto now = wish_for(*tree);
  out_.ports_held = std::move(now.held);
  // The wish goes out whole: what others make of one field may depend on another.
  if (auto worth = differing_paths(*tree, leaving(now.object, *tree, in_.alone)); !worth.empty())
    return patch(merge_patch(*tree, now.object), std::move(worth), live);
  return nothing_to_write(live);
}

child_task::wish child_task::wish_for(const json::object& live) const {
  auto wanted = target(in_.of, *in_.wanted->object, live);
  if (!in_.reported) return {std::move(wanted), {}};
  auto now = hold_back(std::move(wanted), live, *in_.reported);
  return {std::move(now.service), std::move(now.held)};
}

child_task::step child_task::nothing_to_write(const kube::object& live) {
  // What is held back has to be looked at again.
  if (out_.ports_held.empty()) out_.compared = settled{live.as_child().projected, in_.wanted->projected};
  return finish(child_state::in_order, "");
}

// Not where parts of the live one decide what is written.
bool child_task::may_edit(const kube::object& live) const {
  return in_.made_as && reads_ == 0 && in_.alone.empty() && !in_.reported &&
         !live.meta.resource_version.empty();
}

// What differs is what differs between the two renderings: equal digests say that the live one is the first
// (one that we have just made and not seen yet is taken for that, too: the watch will tell), and the
// resourceVersion that it is so still.
child_task::step child_task::edit(const kube::object& live) {
  const auto wanted = target(in_.of, *in_.wanted->object, *in_.made_as);
  auto made = merge_patch(*in_.made_as, wanted);
  if (made.empty()) return read();
  auto& metadata = made["metadata"];
  if (!metadata.is_object()) metadata.emplace_object();
  metadata.get_object()["resourceVersion"] = live.meta.resource_version;
  edited_ = true;
  return patch(std::move(made), differing_paths(*in_.made_as, wanted), live);
}

child_task::step child_task::patch(const json::object& what, pointers repaired, const kube::object& live) {
  out_.repaired = std::move(repaired);
  patched_version_ = live.meta.resource_version;
  doing_ = doing::patching;
  auto request = about(kube::verb::patch);
  request.body = json::to_text(what);
  return request;
}

// ---- replies

child_task::step child_task::was_read(const kube::reply& reply) {
  if (const auto* live = document_of(reply); live && live->decoded) {
    out_.now = live->decoded;
    address_refusal_.reset();
    // Read because it had to be repaired, or because the name was taken: the rules decide again, on this
    // state.
    const auto again = judge(live->decoded.get());
    if (again.what != action::repair && again.what != action::adopt) return act(again, live->decoded.get());
    intent_ = again.what;
    return compare(live->json, *live->decoded);
  }
  if (reply) return failed(no_object());
  if (reply.error().code != kube::api_errc::not_found) return failed(reply.error());
  if (const auto refusal = std::exchange(address_refusal_, std::nullopt)) return address_taken(*refusal);
  return act(judge(nullptr), nullptr);
}

child_task::step child_task::created(const kube::reply& reply) {
  if (const auto* now = document_of(reply); now && now->decoded)
    return written(in_.of == kube::kind::service ? now->decoded : as_created(*now->decoded));
  if (reply) return failed(no_object());
  const auto& why = reply.error();
  if (why.code == kube::api_errc::already_exists) return read();
  if (why.code != kube::api_errc::invalid || !asks_for_cluster_ip()) return failed(why);
  // Somebody has the address. Often this very Service: a label edited away takes it out of the watch, which
  // looks like a deletion, and the API server checks the address before the name.
  address_refusal_ = why.message;
  return read();
}

child_task::step child_task::address_taken(const std::string& refusal) {
  // The server says so of spec.clusterIP or spec.clusterIPs; a policy may mean the address or anything else,
  // and is asked once more without.
  if (in_.insist_on_cluster_ip && refusal.contains("clusterIP")) {
    out_.cluster_ip_taken = true;
    return finish(child_state::failed, refusal);
  }
  without_cluster_ip_ = true;
  return create();
}

bool child_task::asks_for_cluster_ip() const {
  return in_.of == kube::kind::service && !in_.previous_cluster_ip.empty() && !without_cluster_ip_;
}

child_task::step child_task::patched(const kube::reply& reply) {
  if (const auto* now = document_of(reply); now && now->decoded) {
    if (now->decoded->meta.resource_version != patched_version_) return written(now->decoded);
    auto without_effect = std::exchange(out_.repaired, {});
    // It was not what it was made as.
    if (std::exchange(edited_, false)) return read();
    if (const auto tree = json::parse_object(now->json))
      out_.ineffective = unchanged(without_effect, wish_for(*tree).object, *tree);
    return nothing_to_write(*now->decoded);
  }
  if (reply) return failed(no_object());
  const auto& why = reply.error();
  out_.repaired.clear();
  if (why.code == kube::api_errc::conflict) return read();
  if (why.code == kube::api_errc::not_found) return act(judge(nullptr), nullptr);
  return failed(why);
}

child_task::step child_task::deleted(const kube::reply& reply) {
  if (!reply && reply.error().code == kube::api_errc::conflict) return read();  // another uid by now
  if (!reply && reply.error().code != kube::api_errc::not_found) return failed(reply.error());
  if (in_.wanted) return create();
  out_.did = action::remove;
  return finish(child_state::removed, "");
}

// What a watch will show, unless somebody on the way to it or since changed that: then it will show the
// difference, and that is repaired.
kube::object_ptr child_task::as_created(const kube::object& answer) const {
  auto out = std::make_shared<kube::object>(answer);
  std::get<kube::child>(out->body).projected = in_.wanted->projected;
  return out;
}

child_task::step child_task::written(kube::object_ptr now) {
  out_.did = intent_ == action::nothing ? action::repair : intent_;
  out_.now = std::move(now);
  return finish(child_state::written, "");
}

child_task::step child_task::failed(const kube::api_error& why) {
  using enum kube::api_errc;
  const auto message = fmt::format("{} {}: {}", kube::info(in_.of).name, in_.external_service->meta.name,
                                   why.message.empty() ? why.reason : why.message);
  switch (why.code) {
    case not_leader:
    case cancelled:
      return finish(child_state::held_back, message);
    case invalid:
    case bad_request:
    case too_large:
      return finish(child_state::rejected, message);
    case forbidden:
      return finish(child_state::forbidden, message);
    default:
      out_.asked_to_wait = kube::asked_to_wait(why);
      return finish(child_state::failed, message);
  }
}

child_task::step child_task::finish(child_state state, std::string message) {
  doing_ = doing::nothing;
  out_.state = state;
  out_.message = std::move(message);
  return std::move(out_);
}

}  // namespace egress::reconciler
