#pragma once
// The body of an answer, read to its end: its content encoding undone, its size bounded, decoded while it
// comes. Internal to the client.

#include <boost/asio/awaitable.hpp>
#include <string>

#include "runtime/base/time.hpp"
#include "runtime/http/connection.hpp"
#include "runtime/kube/api.hpp"
#include "runtime/kube/decode.hpp"

namespace egress::kube {

api_error to_api_error(const http::failure& why);
api_error api_failure(api_errc code, std::string message);

// What is to be read, and until when.
struct answer_body {
  http::connection& from;
  bool gzip = false;
  steady_time deadline;
};

// A list, item by item: no list is ever held whole as text.
boost::asio::awaitable<reply> read_list(decoder& decode, answer_body body, kind of);

// One object, or whatever the server says to a deletion or a raw GET.
boost::asio::awaitable<reply> read_document(decoder& decode, answer_body body, const request& what);

// The rest of an error's body, at most 1 MiB of it: for the message. What cannot be read is left out.
boost::asio::awaitable<std::string> read_error_body(answer_body body);

// How long there is until `deadline`, at least a millisecond: I/O takes no shorter time-out.
milliseconds left_until(steady_time deadline);

}  // namespace egress::kube
