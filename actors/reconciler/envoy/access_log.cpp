#include "actors/reconciler/envoy/access_log.hpp"

#include <array>

#include "actors/reconciler/envoy/parts.hpp"

namespace egress::envoy {
namespace {

json::object stdout_log(const json::storage_ptr& in, std::string_view kind, json::value format) {
  return extension(in, "envoy.stdout_access_log", "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
                   {{"logFormat",
                     {{"contentType", "application/json; charset=UTF-8"},
                      {kind, std::move(format)},
                      {"omitEmptyValues", true}}}});
}

}  // namespace

const std::string_view cluster_log_text =
    "[%START_TIME%] %BYTES_RECEIVED% %BYTES_SENT% %DURATION% \"%DOWNSTREAM_REMOTE_ADDRESS%\" "
    "\"%UPSTREAM_HOST%\" \"%UPSTREAM_CLUSTER%\"\n";

const std::string_view admin_log_text =
    "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% "
    "%RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    "\"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" "
    "\"%UPSTREAM_HOST%\"\n";

const std::string_view hardened_log_text =
    "[%START_TIME%] %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESPONSE_FLAGS% "
    "\"%DOWNSTREAM_REMOTE_ADDRESS%\" "
    "\"%UPSTREAM_REMOTE_ADDRESS%\" \"%UPSTREAM_CLUSTER%\" \"%REQUESTED_SERVER_NAME%\" "
    "\"%CONNECTION_TERMINATION_DETAILS%\" \"%UPSTREAM_TRANSPORT_FAILURE_REASON%\"\n";

std::span<const log_field> compatible_log_fields() {
  static constexpr std::array<log_field, 21> fields{{
      {"authority", "%REQ(:AUTHORITY)%"},
      {"bytes_received", "%BYTES_RECEIVED%"},
      {"bytes_sent", "%BYTES_SENT%"},
      {"connection_termination_details", "%CONNECTION_TERMINATION_DETAILS%"},
      {"downstream_local_address", "%DOWNSTREAM_LOCAL_ADDRESS%"},
      {"downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%"},
      {"duration", "%DURATION%"},
      {"method", "%REQ(:METHOD)%"},
      {"path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"},
      {"protocol", "%PROTOCOL%"},
      {"requested_server_name", "%REQUESTED_SERVER_NAME%"},
      {"response_code", "%RESPONSE_CODE%"},
      {"response_code_details", "%RESPONSE_CODE_DETAILS%"},
      {"response_flags", "%RESPONSE_FLAGS%"},
      {"start_time", "%START_TIME%"},
      {"upstream_cluster", "%UPSTREAM_CLUSTER%"},
      {"upstream_host", "%UPSTREAM_HOST%"},
      {"upstream_local_address", "%UPSTREAM_LOCAL_ADDRESS%"},
      {"upstream_service_time", "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"},
      {"upstream_transport_failure_reason", "%UPSTREAM_TRANSPORT_FAILURE_REASON%"},
      {"user_agent", "%REQ(USER-AGENT)%"},
  }};
  return fields;
}

std::span<const log_field> hardened_log_fields() {
  static constexpr std::array<log_field, 13> fields{{
      {"bytes_received", "%BYTES_RECEIVED%"},
      {"bytes_sent", "%BYTES_SENT%"},
      {"connection_termination_details", "%CONNECTION_TERMINATION_DETAILS%"},
      {"downstream_local_address", "%DOWNSTREAM_LOCAL_ADDRESS%"},
      {"downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%"},
      {"duration", "%DURATION%"},
      {"requested_server_name", "%REQUESTED_SERVER_NAME%"},
      {"response_flags", "%RESPONSE_FLAGS%"},
      {"start_time", "%START_TIME%"},
      {"upstream_cluster", "%UPSTREAM_CLUSTER%"},
      {"upstream_local_address", "%UPSTREAM_LOCAL_ADDRESS%"},
      {"upstream_remote_address", "%UPSTREAM_REMOTE_ADDRESS%"},
      {"upstream_transport_failure_reason", "%UPSTREAM_TRANSPORT_FAILURE_REASON%"},
  }};
  return fields;
}

json::object text_access_log(const json::storage_ptr& in, std::string_view format) {
  return stdout_log(in, "textFormatSource", json::object({{"inlineString", format}}, in));
}

json::object json_access_log(const json::storage_ptr& in, std::span<const log_field> fields) {
  json::object format(fields.size(), in);
  for (const auto& [key, operators] : fields) format[key] = operators;
  return stdout_log(in, "jsonFormat", std::move(format));
}

}  // namespace egress::envoy
