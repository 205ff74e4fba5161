#include "runtime/devserver/gateway_processes.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <fstream>
#include <optional>

#include "runtime/base/log.hpp"
#include "runtime/devserver/child_process.hpp"
#include "runtime/devserver/config_volume.hpp"
#include "runtime/devserver/ended_how.hpp"
#include "runtime/http/connection.hpp"

namespace egress::dev {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr auto tuple_awaitable = asio::as_tuple(asio::use_awaitable);
constexpr seconds longest_look{1};
constexpr std::streamoff enough_output = 4096;

std::string end_of(const std::string& file, std::streamoff since) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::streamoff>(in.tellg());
  if (!in || size <= since) return "";
  in.seekg(std::max(since, size - enough_output));
  return {std::istreambuf_iterator<char>(in), {}};
}

std::streamoff size_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  return in ? static_cast<std::streamoff>(in.tellg()) : 0;
}

result<void> write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return fail("{}: it cannot be written", path);
  return {};
}

std::string text_of(const object_key& key) {
  return key.name_space + "/" + key.name;
}

asio::awaitable<bool> is_ready(asio::any_io_executor on, std::string address, std::uint16_t port,
                               std::string path) {
  http::connect_options to;
  to.where.host = std::move(address);
  to.where.port = std::to_string(port);
  to.connect_timeout = longest_look;
  auto opened = co_await http::connection::open(on, std::move(to));
  if (!opened) co_return false;
  http::client_request asked{"GET", path, {}, ""};
  const auto head = co_await (*opened)->send(std::move(asked), longest_look);
  co_return head && head->status >= 200 && head->status < 400;
}

}  // namespace

// One Envoy, from its start to its end. Its handlers keep it alive.
class gateway_processes::process : public std::enable_shared_from_this<process> {
 public:
  process(gateway_processes& of, gateway_order order)
      : of_(of), order_(std::move(order)), ended_(of.on_), patience_(of.on_), pause_(of.on_) {}

  result<void> start() {
    const auto stem = of_.with_.folder + "/" + order_.key.name + "." + order_.key.name_space;
    log_ = stem + ".log";
    log_began_ = size_of(log_);
    auto config = write_config(stem);
    if (!config) return std::unexpected(config.error());
    std::vector<std::string> arguments{of_.with_.program, "-c", *std::move(config)};
    arguments.insert(arguments.end(), order_.arguments.begin(), order_.arguments.end());
    auto child = start_child(arguments, log_);
    if (!child) return std::unexpected(child.error());
    pid_ = child->pid;
    log::info("a gateway's Envoy runs",
              {{"gateway", text_of(order_.key)}, {"pid", pid_}, {"address", order_.address}, {"log", log_}});
    ended_.assign(child->pidfd.release());
    wait_for_end();
    if (order_.ready_port != 0) asio::co_spawn(of_.on_, look_until_over(shared_from_this()), asio::detached);
    return {};
  }

  void deliver(config_files files) {
    if (!volume_) return;
    files["envoy.yaml"] = mounted_at(files["envoy.yaml"], volume_->folder());
    if (auto updated = volume_->update(files); !updated)
      log::warn("a gateway's files are not what they should be",
                {{"gateway", text_of(order_.key)}, {"why", updated.error().message}});
  }

  void end() {
    if (pid_ < 0) return;
    kill(-pid_, SIGTERM);
    patience_.expires_after(of_.with_.grace);
    patience_.async_wait([self = shared_from_this()](const error_code& cancelled) {
      if (!cancelled && self->pid_ > 0) kill(-self->pid_, SIGKILL);
    });
  }

  void kill_and_reap() {
    if (pid_ < 0) return;
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  // Where the configuration then is.
  result<std::string> write_config(const std::string& stem) {
    auto files = order_.files;
    if (files.size() == 1) {
      if (auto written = write_file(stem + ".json", files.begin()->second); !written)
        return std::unexpected(written.error());
      return stem + ".json";
    }
    volume_.emplace(stem);
    files["envoy.yaml"] = mounted_at(files["envoy.yaml"], volume_->folder());
    if (auto written = volume_->update(files); !written) return std::unexpected(written.error());
    return volume_->folder() + "/envoy.yaml";
  }

  static asio::awaitable<void> look_until_over(std::shared_ptr<process> self) {
    while (self->pid_ > 0) {
      const bool ready = co_await is_ready(self->of_.on_.get_executor(), self->order_.address,
                                           self->order_.ready_port, self->order_.ready_path);
      if (self->pid_ < 0) co_return;
      const auto seen = self->of_.runs_.probed(self->order_.key, self->order_.number, ready);
      if (seen.news) self->of_.changed_();
      self->pause_.expires_after(seen.next_in);
      co_await self->pause_.async_wait(tuple_awaitable);
    }
  }

  void wait_for_end() {
    ended_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [self = shared_from_this()](const error_code&) { self->reap(); });
  }

  // A wait that is over does not say so: a descriptor that we closed while a child was between fork and exec
  // stays in Asio's epoll set until then, and its events arrive where the next descriptor is. Waiting here
  // would stop the whole server.
  bool has_ended() const {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == pid_;
  }

  void reap() {
    int status = 0;
    if (pid_ < 0) return;
    if (!has_ended()) return wait_for_end();
    // What it may have started itself. Until it is reaped the group's id is not given to anyone else.
    kill(-pid_, SIGKILL);
    waitpid(pid_, &status, 0);
    pid_ = -1;
    patience_.cancel();
    pause_.cancel();
    error_code ignored;
    ended_.close(ignored);
    of_.over(order_.key, order_.number, ended_how(status, end_of(log_, log_began_)));
  }

  gateway_processes& of_;
  const gateway_order order_;
  std::optional<config_volume> volume_;  // where it follows its files
  std::string log_;
  std::streamoff log_began_ = 0;
  pid_t pid_ = -1;
  asio::posix::stream_descriptor ended_;
  asio::steady_timer patience_, pause_;
};

gateway_processes::gateway_processes(asio::io_context& on, envoy_options with, gateway_runs& runs,
                                     std::function<void()> changed)
    : on_(on), with_(std::move(with)), runs_(runs), changed_(std::move(changed)) {}

gateway_processes::~gateway_processes() {
  for (auto& [number, one] : all_) one->kill_and_reap();
}

void gateway_processes::carry_out(std::vector<gateway_order> orders) {
  using enum gateway_order::kind;
  for (auto& order : orders) {
    if (order.what == complain) {
      log::warn("a gateway cannot run", {{"gateway", text_of(order.key)}, {"why", order.why}});
    } else if (order.what == start) {
      start_one(std::move(order));
    } else if (const auto found = all_.find(order.number); found != all_.end()) {
      order.what == deliver ? found->second->deliver(std::move(order.files)) : found->second->end();
    }
  }
}

void gateway_processes::start_one(gateway_order order) {
  if (stopped_) return;
  const auto key = order.key;
  const auto number = order.number;
  auto made = std::make_shared<process>(*this, std::move(order));
  if (auto started = made->start(); !started) return over(key, number, started.error().message);
  all_.emplace(number, std::move(made));
}

void gateway_processes::over(const object_key& key, std::uint64_t number, const std::string& how) {
  all_.erase(number);
  if (stopped_) return;
  const auto again_in = runs_.ended(key, number, std::chrono::system_clock::now());
  if (again_in)
    log::warn("a gateway's Envoy has ended",
              {{"gateway", text_of(key)}, {"how", how}, {"again_in_ms", again_in->count()}});
  else
    log::info("a gateway's Envoy was ended", {{"gateway", text_of(key)}});
  changed_();
}

void gateway_processes::stop() {
  stopped_ = true;
  for (auto& [number, one] : all_) one->end();
}

}  // namespace egress::dev
