#include "runtime/program/dev.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <future>

#include "runtime/devserver/dev_server.hpp"
#include "runtime/kube/manifest_files.hpp"
#include "runtime/net/unique_fd.hpp"
#include "runtime/program/dev_envoy.hpp"
#include "runtime/program/signals.hpp"

namespace egress {
namespace {

const char* environment(const char* name) {
  return std::getenv(name);
}

// A folder that nobody else can read and that goes away with its owner.
class scratch_folder {
 public:
  scratch_folder() = default;
  ~scratch_folder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  result<std::string> make() {
    std::error_code bad;
    const auto parent = std::filesystem::temp_directory_path(bad);
    if (bad) return fail("there is no folder for temporary files: {}", bad.message());
    auto name = (parent / "egress-operator-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
      return fail("no folder can be made in {}: {}", parent.string(), std::strerror(errno));
    path_ = name;
    return path_;
  }

 private:
  std::string path_;
};

// Mode 0600 also where the file was there before.
result<void> write_private(const std::string& path, std::string_view text) {
  const auto refused = [&path] { return fail("{}: it cannot be written: {}", path, std::strerror(errno)); };
  const unique_fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file || ::fchmod(file.get(), 0600) != 0) return refused();
  while (!text.empty()) {
    const auto count = ::write(file.get(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return refused();
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

// "A:PORT" as dig wants it; "" when the port is not known before the operator runs.
std::string dig_at(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || address.substr(colon + 1) == "0") return "";
  auto host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty() || host == "0.0.0.0" || host == "::") host = "127.0.0.1";
  return fmt::format("@{} -p {}", host, address.substr(colon + 1));
}

// A name to ask for that an ExternalService hijacks; "" when it hijacks none.
std::string hijacked_name(const json::object& manifest) {
  const auto* const spec = manifest.if_contains("spec");
  if (spec == nullptr || !spec->is_object()) return "";
  const auto* const name = spec->get_object().if_contains("dnsName");
  const auto* const hijack = spec->get_object().if_contains("hijackDns");
  if (name == nullptr || !name->is_string() || hijack == nullptr || *hijack != true) return "";
  std::string text(name->get_string());
  return text.starts_with("*.") ? "www" + text.substr(1) : text;
}

class running final : public dev_environment {
 public:
  explicit running(const dev_options& options) : options_(options) {}

  result<void> start();
  operator_setup operator_to_run() const override;
  int wait_for_signal() override;
  const caught_signals& caught() const override { return *caught_; }

 private:
  result<void> apply(const std::vector<kube::manifest>& manifests);
  result<void> write_kubeconfig();
  void print_what_to_try() const;

  dev_options options_;
  std::optional<caught_signals> caught_;
  scratch_folder scratch_;
  std::unique_ptr<dev::dev_server> server_;
  std::string kubeconfig_, gateways_in_, dns_name_;
};

result<void> running::start() {
  const auto manifests =
      options_.files.empty() ? std::vector<kube::manifest>{} : kube::read_manifests(options_.files);
  if (!manifests) return std::unexpected(manifests.error());
  caught_.emplace();
  dev::dev_server_options with;
  with.address = options_.api_address;
  with.cluster.cluster_ip_range = options_.service_range;
  if (auto set_up = set_up_envoy(options_, with); !set_up) return set_up;
  if (with.envoy) gateways_in_ = with.envoy->folder;
  auto started = dev::dev_server::start(with, environment);
  if (!started) return std::unexpected(started.error());
  server_ = *std::move(started);
  if (auto applied = apply(*manifests); !applied) return applied;
  if (auto written = write_kubeconfig(); !written) return written;
  print_what_to_try();
  return {};
}

result<void> running::apply(const std::vector<kube::manifest>& manifests) {
  for (const auto& one : manifests) {
    if (auto applied = server_->apply(one.object); !applied)
      return fail("{}:{}: {}", one.file, one.line, applied.error().message);
    if (dns_name_.empty()) dns_name_ = hijacked_name(one.object);
  }
  return {};
}

result<void> running::write_kubeconfig() {
  kubeconfig_ = options_.kubeconfig_out;
  if (kubeconfig_.empty()) {
    const auto folder = scratch_.make();
    if (!folder) return std::unexpected(folder.error());
    kubeconfig_ = *folder + "/kubeconfig";
  }
  return write_private(kubeconfig_, server_->kubeconfig_text());
}

void running::print_what_to_try() const {
  const auto kubectl = fmt::format("kubectl --kubeconfig {}", kubeconfig_);
  fmt::print("The embedded API server is at {}; its kubeconfig is {}\n", server_->url(), kubeconfig_);
  if (!gateways_in_.empty())
    fmt::print("Gateways are Envoy processes; the log and the configuration of each are in {}\n",
               gateways_in_);
  fmt::print("Try:\n");
  fmt::print("  {} get externalservices\n", kubectl);
  if (options_.api_only) {
    fmt::print("  egress-operator run --kubeconfig {}\n", kubeconfig_);
    if (gateways_in_.empty())
      fmt::print("Gateways are played: with configDelivery: Reload new ports wait for pods that nobody is\n");
  } else {
    fmt::print("  {} get services,deployments -n {}\n", kubectl, options_.run.gateways.name_space);
    if (const auto at = dig_at(options_.run.dns.address); !at.empty() && !dns_name_.empty())
      fmt::print("  dig {} {}\n", at, dns_name_);
  }
  std::fflush(stdout);
}

operator_setup running::operator_to_run() const {
  operator_setup made;
  made.options = options_.run;
  made.api.server = server_->url();
  made.api.default_namespace = "default";
  // Nobody resolves through us who would have to notice first.
  made.times.lame_duck = seconds{0};
  made.play_gateways = gateways_in_.empty();
  return made;
}

int running::wait_for_signal() {
  // Shared: a second signal may arrive when the first one has ended the wait.
  const auto arrived = std::make_shared<std::promise<void>>();
  auto over = arrived->get_future();
  const shutdown_signals signals(*caught_, [arrived, first = true]() mutable {
    if (std::exchange(first, false)) arrived->set_value();
  });
  over.wait();
  server_->stop();
  return 0;
}

}  // namespace

result<std::unique_ptr<dev_environment>> start_dev(const dev_options& options) {
  auto made = std::make_unique<running>(options);
  if (auto started = made->start(); !started) return std::unexpected(started.error());
  return made;
}

}  // namespace egress
