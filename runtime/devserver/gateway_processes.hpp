#pragma once
// Runs what gateway_runs orders: Envoy processes, and looks at whether they are ready.

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/devserver/gateway_runs.hpp"

namespace egress::dev {

struct envoy_options {
  std::string program;
  // An existing folder. Of each gateway it gets NAME.NAMESPACE.log, to which Envoy's two outputs are
  // appended, and NAME.NAMESPACE.json, its configuration: or a folder NAME.NAMESPACE, where it follows its
  // files.
  std::string folder;
  milliseconds grace{3000};  // from SIGTERM to SIGKILL
};

// Lives on one thread; `runs` outlives it.
class gateway_processes {
 public:
  // `changed` is called after `runs` was told something.
  gateway_processes(boost::asio::io_context& on, envoy_options with, gateway_runs& runs,
                    std::function<void()> changed);
  // Kills what stop() has not ended.
  ~gateway_processes();
  gateway_processes(const gateway_processes&) = delete;
  gateway_processes& operator=(const gateway_processes&) = delete;

  void carry_out(std::vector<gateway_order> orders);
  // Ends all, as a kubelet does: SIGTERM, and SIGKILL for those that are still there after `grace`. The
  // context has work until the last has ended.
  void stop();

 private:
  class process;
  void start_one(gateway_order order);
  void over(const object_key& key, std::uint64_t number, const std::string& how);

  boost::asio::io_context& on_;
  envoy_options with_;
  gateway_runs& runs_;
  std::function<void()> changed_;
  std::map<std::uint64_t, std::shared_ptr<process>> all_;
  bool stopped_ = false;
};

}  // namespace egress::dev
