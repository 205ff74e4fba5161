#pragma once
// How a program ended, for people. Pure.

#include <string>
#include <string_view>

namespace egress::dev {

// The status as waitpid gives it. A program that failed has said why in the last line of its output.
std::string ended_how(int wait_status, std::string_view output);

}  // namespace egress::dev
