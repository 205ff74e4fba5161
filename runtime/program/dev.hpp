#pragma once
// The dev command: an embedded API server, the sample objects in it, and where the operator finds it.

#include <memory>

#include "runtime/base/options.hpp"
#include "runtime/program/operator.hpp"

namespace egress {

class caught_signals;

class dev_environment {
 public:
  virtual ~dev_environment() = default;

  // The operator that belongs to this server: the flags as given, the API server ours.
  virtual operator_setup operator_to_run() const = 0;
  // For --api-only: until SIGINT or SIGTERM; the exit code.
  virtual int wait_for_signal() = 0;
  // What came since there was something to take down. Valid as long as this.
  virtual const caught_signals& caught() const = 0;
};

// Reads the files, starts the server, applies them, and prints on stdout where the kubeconfig is and what to
// try. Until the files are read, which may come through a pipe that stays open, a signal ends the process;
// then it is caught.
result<std::unique_ptr<dev_environment>> start_dev(const dev_options& options);

}  // namespace egress
