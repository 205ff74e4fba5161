#pragma once
// The API over HTTP: requests and watches as coroutines on the server's thread, and the cluster's controllers
// after each change.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <set>

#include "runtime/devserver/api.hpp"
#include "runtime/devserver/faults.hpp"
#include "runtime/http/server.hpp"

namespace egress::dev {

// Lives on one thread, and outlives all coroutines of its context.
class http_api {
 public:
  http_api(boost::asio::io_context& on, std::unique_ptr<cluster> objects, milliseconds bookmark_every);

  // For http::server.
  boost::asio::awaitable<void> handle(http::server_request asked, http::responder& to);

  // After anything that may have changed the objects or the faults: wakes watches and controllers, once for
  // all changes of this turn of the thread.
  void changed();
  // Called after each turn of the controllers, until stop().
  void after_controllers(std::function<void()> what) { after_controllers_ = std::move(what); }
  // Ends whatever waits, at once and from now on.
  void stop();

  cluster& objects() { return *objects_; }
  fault_table& faults() { return faults_; }

 private:
  class sleeper;
  // Waits for the time, a change, or the end.
  boost::asio::awaitable<void> sleep(steady_time until, bool for_changes);
  boost::asio::awaitable<bool> suffer(fault what, http::responder& to);
  boost::asio::awaitable<void> watch(watch_plan plan, http::responder& to);
  boost::asio::awaitable<void> end_watch(watch_end how, watch_session& session, http::responder& to);
  api_answer answer_now(const parsed_request& what);
  void run_controllers();

  boost::asio::io_context& on_;
  std::unique_ptr<cluster> objects_;
  milliseconds bookmark_every_;
  fault_table faults_;
  encoded_objects texts_;
  std::set<sleeper*> sleepers_;
  boost::asio::steady_timer controllers_due_;
  std::function<void()> after_controllers_ = [] {};
  bool wake_posted_ = false, stopped_ = false;
};

}  // namespace egress::dev
