#pragma once
// The commands that work on files alone: render and validate.

#include <expected>
#include <string>

#include "actors/reconciler/render.hpp"
#include "runtime/base/options.hpp"

namespace egress {

struct file_failure {
  error why;
  int exit_code = 1;  // 2: the files cannot be read or are no manifests
};

// The children of the ExternalServices in options.files as a v1 List; other kinds in the files are refused.
std::expected<std::string, file_failure> render_files(const render_options& options);

std::expected<reconciler::report, file_failure> validate_files(const validate_options& options);

}  // namespace egress
