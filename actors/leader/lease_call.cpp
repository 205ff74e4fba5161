#include "actors/leader/lease_call.hpp"

namespace egress::leader {
namespace {

using asked_verb = lease_request::verb;

// The client gives up that long before the actor does: so its own words are what is logged.
constexpr int client_margin = 10;  // a tenth of the time-out

}  // namespace

kube::request request_of(const lease_request& what, const election_settings& settings) {
  kube::request made;
  made.what = what.what == asked_verb::get      ? kube::verb::get
              : what.what == asked_verb::create ? kube::verb::create
                                                : kube::verb::replace;
  made.of = kube::kind::lease;
  made.name_space = settings.name_space;
  if (what.what != asked_verb::create) made.name = settings.name;
  made.body = what.body;
  made.timeout = settings.request_timeout - settings.request_timeout / client_margin;
  return made;
}

lease_answer answer_of(asked_verb asked, const kube::reply& reply) {
  if (!reply) {
    using enum kube::api_errc;
    const auto& why = reply.error();
    // A create finds no Lease missing but its namespace.
    if (why.code == not_found && asked != asked_verb::create) return lease_missing{};
    if (why.code == conflict || why.code == already_exists) return lease_conflict{};
    return lease_failure{why.message};
  }
  const auto* document = std::get_if<kube::document>(&*reply);
  if (!document) return lease_failure{"the answer is no Lease"};
  auto lease = decode_lease(document->json);
  if (!lease) return lease_failure{lease.error().message};
  return std::move(*lease);
}

}  // namespace egress::leader
