#include "runtime/kube/exec_plugin.hpp"

#include <unistd.h>

#include <vector>

#include "runtime/kube/exec_process.hpp"
#include "runtime/kube/json_text.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): unistd.h declares it for GNU only

namespace egress::kube {

namespace asio = boost::asio;

namespace {

std::vector<std::string> environment_of(const exec_plugin& what) {
  std::vector<std::string> all;
  for (char** one = environ; *one; ++one) {
    const std::string_view entry{*one};
    const auto key = entry.substr(0, entry.find('='));
    if (!what.env.contains(std::string{key}) && key != "KUBERNETES_EXEC_INFO") all.emplace_back(entry);
  }
  for (const auto& [key, value] : what.env) all.push_back(key + "=" + value);
  all.push_back("KUBERNETES_EXEC_INFO=" +
                json::to_text(json::object{{"apiVersion", what.api_version},
                                           {"kind", "ExecCredential"},
                                           {"spec", json::object{{"interactive", false}}}}));
  return all;
}

}  // namespace

result<exec_credential> parse_exec_credential(std::string_view text, std::string_view api_version) {
  const auto whole = json::parse_object(text);
  if (!whole) return fail("its output is no JSON object: {}", whole.error().message);
  if (json::text_at(*whole, "kind") != "ExecCredential") return fail("its output is no ExecCredential");
  if (json::text_at(*whole, "apiVersion") != api_version)
    return fail("it answers with apiVersion {:?} where {:?} is configured",
                json::text_at(*whole, "apiVersion"), api_version);
  const auto* status = whole->if_contains("status");
  if (!status || !status->is_object()) return fail("its ExecCredential has no status");
  const auto& from = status->get_object();
  exec_credential made;
  made.token = json::text_at(from, "token");
  made.certificate = json::text_at(from, "clientCertificateData");
  made.key = json::text_at(from, "clientKeyData");
  if (made.token.empty() && made.certificate.empty())
    return fail("it gives neither a token nor a certificate");
  if (made.certificate.empty() != made.key.empty()) return fail("it gives only one of certificate and key");
  if (const auto ends = json::text_at(from, "expirationTimestamp"); !ends.empty()) {
    made.ends = from_rfc3339(ends);
    if (!made.ends) return fail("its expirationTimestamp {:?} is no RFC 3339 time", ends);
  }
  return made;
}

asio::awaitable<result<exec_credential>> run_exec_plugin(asio::any_io_executor on, exec_plugin what,
                                                         milliseconds limit) {
  std::vector<std::string> arguments{what.command};
  arguments.insert(arguments.end(), what.args.begin(), what.args.end());
  auto ended = co_await run_program(on, std::move(arguments), environment_of(what), limit);
  if (!ended)
    co_return fail("exec plugin {}: {}{}{}", what.command, ended.error().message,
                   ended.error().started || what.install_hint.empty() ? "" : "; ",
                   ended.error().started ? "" : what.install_hint);
  if (ended->status != 0)
    co_return fail("exec plugin {}: it failed with exit code {}{}{}", what.command, ended->status,
                   ended->complaint.empty() ? "" : ": ", ended->complaint);
  auto made = parse_exec_credential(ended->output, what.api_version);
  if (!made)
    co_return fail("exec plugin {}: {}{}{}", what.command, made.error().message,
                   ended->complaint.empty() ? "" : ": ", ended->complaint);
  co_return std::move(*made);
}

}  // namespace egress::kube
