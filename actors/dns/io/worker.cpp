#include "actors/dns/io/worker.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <stdexcept>
#include <thread>

#include "actors/dns/io/tcp_listener.hpp"
#include "actors/dns/io/udp_listener.hpp"

namespace egress::dns {

namespace asio = boost::asio;

// Everything here belongs to the loop's thread once that runs; others only post to it. `context` comes first:
// it must outlive what uses it.
struct worker::loop {
  struct listeners {
    std::shared_ptr<udp_listener> udp;
    std::shared_ptr<tcp_listener> tcp;
  };

  loop(std::shared_ptr<const std::vector<worker_sockets>> all, std::size_t mine, worker_config given,
       std::shared_ptr<worker_counters> counts)
      : config(std::move(given)),
        counters(std::move(counts)),
        sockets(std::move(all)),
        index(mine),
        service(context, config, *counters) {
    listen_on(index);
  }

  void listen_on(std::size_t at) {
    auto copies = sockets->at(at).dup();
    if (!copies) throw std::runtime_error(copies.error().message);
    listeners next{
        std::make_shared<udp_listener>(context, std::move(copies->udp), service, *counters),
        std::make_shared<tcp_listener>(context, std::move(copies->tcp), service, config.tcp, *counters)};
    next.udp->start();
    next.tcp->start();
    serving.emplace(at, std::move(next));
  }

  void serve_also(std::set<std::size_t> siblings) {
    if (stopped) return;
    siblings.insert(index);
    for (auto next = serving.begin(); next != serving.end();) {
      if (siblings.contains(next->first)) {
        ++next;
        continue;
      }
      next->second.udp->stop();
      next->second.tcp->stop();
      // Forwarded answers of the sibling's clients may still be due: they find the listener by it.
      released.push_back(next->second.udp);
      next = serving.erase(next);
    }
    if (released.size() > 2 * sockets->size()) released.erase(released.begin());
    for (const std::size_t sibling : siblings)
      if (sibling < sockets->size() && !serving.contains(sibling)) listen_on(sibling);
  }

  // The order of a clean end: no new batch, an answer for all that wait, then the connections.
  void shut() {
    if (std::exchange(stopped, true)) return;
    for (auto& [at, pair] : serving) pair.udp->stop();
    service.fail_all();
    for (auto& [at, pair] : serving) pair.tcp->stop();
    context.stop();
  }

  void run(const std::function<void(std::string)>& on_failure) {
    // For top -H and perf; else it had the name of the thread that began it.
    pthread_setname_np(pthread_self(), fmt::format("dns/{}", index).c_str());
    std::string why;
    try {
      context.run();
      return;
    } catch (const std::exception& problem) {
      why = problem.what();
    } catch (...) {
      why = "an exception of unknown type";
    }
    shut();
    on_failure(std::move(why));
  }

  // Other threads only post(): descriptors need no locks (timers and the queue keep theirs).
  asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  asio::executor_work_guard<asio::io_context::executor_type> guard{context.get_executor()};
  worker_config config;
  std::shared_ptr<worker_counters> counters;
  std::shared_ptr<const std::vector<worker_sockets>> sockets;
  std::size_t index;
  query_service service;
  std::map<std::size_t, listeners> serving;
  std::vector<std::shared_ptr<udp_listener>> released;
  bool stopped = false;
  std::thread thread;
};

worker::worker(std::shared_ptr<const std::vector<worker_sockets>> sockets, std::size_t index,
               worker_config config, std::shared_ptr<worker_counters> counters)
    : loop_(std::make_unique<loop>(std::move(sockets), index, std::move(config), std::move(counters))) {}

worker::~worker() {
  if (!loop_->thread.joinable()) return;
  asio::post(loop_->context, [loop = loop_.get()] { loop->shut(); });
  loop_->thread.join();
}

void worker::start(std::function<void(std::string)> on_failure) {
  loop_->thread = std::thread([loop = loop_.get(), failed = std::move(on_failure)] { loop->run(failed); });
}

void worker::set_table(std::shared_ptr<const hijack_table> table) {
  asio::post(loop_->context, [loop = loop_.get(), next = std::move(table)]() mutable {
    loop->service.set_table(std::move(next));
  });
}

void worker::set_upstreams(std::shared_ptr<const upstream_list> servers) {
  asio::post(loop_->context,
             [loop = loop_.get(), next = std::move(servers)] { loop->service.set_upstreams(*next); });
}

void worker::serve_also(std::set<std::size_t> siblings) {
  asio::post(loop_->context, [loop = loop_.get(), wanted = std::move(siblings)]() mutable {
    loop->serve_also(std::move(wanted));
  });
}

void worker::inject_failure(std::string text) {
  asio::post(loop_->context, [why = std::move(text)] { throw std::runtime_error(why); });
}

}  // namespace egress::dns
