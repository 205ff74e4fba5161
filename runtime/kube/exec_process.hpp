#pragma once
// A program run to its end beside the executor's other work. Internal to exec plugins.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <expected>
#include <string>
#include <vector>

#include "runtime/base/time.hpp"

namespace egress::kube {

struct program_outcome {
  int status = 0;         // the exit status; 128 and the signal's number when one ended it
  std::string output;     // stdout
  std::string complaint;  // the first line of stderr that is not empty, of at most 200 bytes
};

struct program_failure {
  bool started = false;
  std::string message;
};

// Runs `arguments` (the program, found by PATH, first) with no shell, no terminal and an empty stdin, in a
// process group of its own. The group is killed at `limit`, when more than 1 MiB is printed, and when the
// coroutine is cancelled or destroyed; all but the last are errors.
boost::asio::awaitable<std::expected<program_outcome, program_failure>> run_program(
    boost::asio::any_io_executor on, std::vector<std::string> arguments, std::vector<std::string> environment,
    milliseconds limit);

}  // namespace egress::kube
