#pragma once
// Exec credential plugins: a program that prints an ExecCredential (client.authentication.k8s.io).

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/kube/connection_config.hpp"

namespace egress::kube {

struct exec_credential {
  std::string token, certificate, key;
  std::optional<wall_time> ends;  // status.expirationTimestamp
};

// What the plugin printed. Pure. The API version must be the one that was asked for.
result<exec_credential> parse_exec_credential(std::string_view text, std::string_view api_version);

// Runs the plugin without a shell and without a terminal, in a process group of its own that is killed as a
// whole at `limit`, or when the coroutine ends early. An error ends with the first line of the plugin's
// stderr. Does not block the executor.
boost::asio::awaitable<result<exec_credential>> run_exec_plugin(boost::asio::any_io_executor on,
                                                                exec_plugin what,
                                                                milliseconds limit = seconds{30});

}  // namespace egress::kube
