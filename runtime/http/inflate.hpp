#pragma once
// Content-Encoding: gzip, undone piece by piece.

#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace egress::http {

class inflater {
 public:
  inflater();
  ~inflater();
  inflater(inflater&&) noexcept;
  inflater& operator=(inflater&&) noexcept;

  // Appends what `compressed` gives to `out`.
  result<void> feed(std::string_view compressed, std::string& out);

  // The body is complete: an error when its compressed form is not.
  result<void> finish() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace egress::http
