#include "runtime/devserver/dev_server.hpp"

#include <arpa/inet.h>
#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>

#include "runtime/base/log.hpp"
#include "runtime/devserver/apply.hpp"
#include "runtime/devserver/http_api.hpp"
#include "runtime/net/listen.hpp"

namespace egress::dev {

namespace asio = boost::asio;

namespace {

// Numbers only: a name could lead anywhere.
bool is_loopback(const std::string& address) {
  auto host = address.substr(0, address.rfind(':'));
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24U) == 127;
  return host == "[::1]";
}

}  // namespace

struct dev_server::parts {
  parts(std::unique_ptr<cluster> objects, net::listening_socket at, milliseconds bookmark_every)
      : api(context, std::move(objects), bookmark_every), socket(std::move(at)) {}

  void run_gateways(envoy_options with);

  result<void> serve();
  void run();

  asio::io_context context{1};
  http_api api;
  std::optional<gateway_processes> gateways;
  std::optional<http::server> server;
  net::listening_socket socket;
  std::thread thread;
};

void dev_server::parts::run_gateways(envoy_options with) {
  auto& runs = api.objects().controllers().gateways;
  if (!runs) return;
  gateways.emplace(context, std::move(with), *runs, [this] { api.changed(); });
  api.after_controllers([this, &runs] { gateways->carry_out(runs->take_orders()); });
}

result<void> dev_server::parts::serve() {
  server.emplace(context.get_executor(), [this](http::server_request asked, http::responder& to) {
    return api.handle(std::move(asked), to);
  });
  auto served = server->serve(socket.fd.release());
  if (!served) return served;
  api.changed();
  thread = std::thread([this] { run(); });
  return {};
}

// Ends when stop() has ended the last coroutine.
void dev_server::parts::run() {
  pthread_setname_np(pthread_self(), "api-server");
  for (;;) {
    try {
      context.run();
      return;
    } catch (const std::exception& e) {
      log::error("the embedded API server goes on after an exception", {{"error", e.what()}});
    }
  }
}

result<std::unique_ptr<dev_server>> dev_server::start(dev_server_options options,
                                                      environment_lookup environment) {
  if (environment("KUBERNETES_SERVICE_HOST") != nullptr)
    return fail("KUBERNETES_SERVICE_HOST is set: the embedded API server does not run inside a cluster");
  if (!is_loopback(options.address))
    return fail(
        "--api-addr: {:?} is not on loopback: the embedded API server lets everyone do everything, so write "
        "127.0.0.1:PORT "
        "or [::1]:PORT",
        options.address);
  auto socket = net::listen_tcp(options.address);
  if (!socket) return fail("--api-addr: {}", socket.error().message);
  auto objects = cluster::make(options.cluster, std::chrono::system_clock::now());
  if (!objects) return std::unexpected(objects.error());
  auto made = std::make_unique<parts>(*std::move(objects), *std::move(socket), options.bookmark_every);
  if (options.envoy) made->run_gateways(*std::move(options.envoy));
  if (auto served = made->serve(); !served) return std::unexpected(served.error());
  return std::unique_ptr<dev_server>(new dev_server(std::move(made)));
}

dev_server::dev_server(std::unique_ptr<parts> made) : parts_(std::move(made)) {}

dev_server::~dev_server() {
  stop();
}

std::uint16_t dev_server::port() const {
  return parts_->socket.port;
}

std::string dev_server::url() const {
  return "http://" + parts_->socket.address;
}

std::string dev_server::kubeconfig_text() const {
  return fmt::format(
      "apiVersion: v1\nkind: Config\ncurrent-context: egress-dev\n"
      "clusters:\n- name: egress-dev\n  cluster:\n    server: {}\n"
      "users:\n- name: egress-dev\n  user: {{}}\n"
      "contexts:\n- name: egress-dev\n  context:\n    cluster: egress-dev\n    user: egress-dev\n",
      url());
}

result<void> dev_server::apply(const json::object& manifest) {
  return run([&manifest](cluster& on, fault_table&) -> result<void> {
    const auto applied = dev::apply(on, manifest, std::chrono::system_clock::now());
    if (!applied) return fail("{}", applied.error().message);
    return {};
  });
}

void dev_server::call(const std::function<void(cluster&, fault_table&)>& what) {
  auto& api = parts_->api;
  const auto id = parts_->thread.get_id();
  if (id == std::thread::id{} || id == std::this_thread::get_id()) {
    what(api.objects(), api.faults());
    api.changed();
    return;
  }
  // Shared: we go on while the thread is still leaving it.
  const auto task = std::make_shared<std::packaged_task<void()>>([&] { what(api.objects(), api.faults()); });
  auto done = task->get_future();
  asio::post(parts_->context, [task, &api] {
    api.changed();
    (*task)();
  });
  done.get();
}

void dev_server::stop() {
  if (!parts_->thread.joinable()) return;
  parts_->server->stop();
  asio::post(parts_->context, [this] {
    parts_->api.stop();
    if (parts_->gateways) parts_->gateways->stop();
  });
  parts_->thread.join();
}

}  // namespace egress::dev
