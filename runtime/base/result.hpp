#pragma once
// Errors are values below the actors. An error's text is one line: what is wrong, where, and what to do.

#include <fmt/format.h>

#include <expected>
#include <string>
#include <utility>

namespace egress {

struct error {
  std::string message;
  friend bool operator==(const error&, const error&) = default;
};

template <class T>
using result = std::expected<T, error>;

// return fail("{}:{}: no such field", file, line);
template <class... Args>
std::unexpected<error> fail(fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(error{fmt::format(format, std::forward<Args>(args)...)});
}

}  // namespace egress
