#pragma once
// GET /listeners of a gateway's pods, all at once. No answer of theirs can hold it up or grow without bound.

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "actors/gateways/listeners.hpp"

namespace egress::gateways {

// `done` is called once, on the context's thread, with an answer for each address in their order: within 3 s.
// Callable from any thread.
void ask_pods(boost::asio::io_context& on, std::vector<std::string> addresses, std::uint16_t port,
              std::function<void(std::vector<pod_answer>)> done);

}  // namespace egress::gateways
