#pragma once
// What the election asks, as a request to the API server, and the server's answer, as the election takes it.
// Pure.

#include "actors/leader/election.hpp"
#include "runtime/kube/api.hpp"

namespace egress::leader {

kube::request request_of(const lease_request& what, const election_settings& settings);

// `asked` is the verb of the request that this is the reply to.
lease_answer answer_of(lease_request::verb asked, const kube::reply& reply);

}  // namespace egress::leader
