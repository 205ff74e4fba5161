#pragma once
// A program that runs beside this one until somebody ends it.

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/net/unique_fd.hpp"

namespace egress::dev {

struct child_process {
  pid_t pid = -1;
  unique_fd pidfd;  // readable when it has ended
};

// Starts `arguments` (the program's path first) without a shell, with an empty stdin, both outputs appended
// to the file, in a process group of its own, so that a terminal's Ctrl-C is not meant for it. The kernel
// kills it when the calling thread ends, however that happens; until it has become its program, when our
// process does. Does not wait for that: when it cannot be run the file says why, and the exit code is 127. An
// error is one line; the caller reaps by pid.
result<child_process> start_child(const std::vector<std::string>& arguments, const std::string& output_file);

}  // namespace egress::dev
