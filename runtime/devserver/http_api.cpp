#include "runtime/devserver/http_api.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/base/log.hpp"

namespace egress::dev {

namespace asio = boost::asio;

namespace {

constexpr auto tuple_awaitable = asio::as_tuple(asio::use_awaitable);

wall_time wall_now() {
  return std::chrono::system_clock::now();
}

steady_time steady_now() {
  return std::chrono::steady_clock::now();
}

// It needs no credential, and may run programs: any page in the developer's browser could make objects, or
// have a name of its own lead to loopback and read them. Clients of APIs send no Origin, and have the
// kubeconfig's address.
bool is_of_a_web_page(const http::server_request& asked) {
  if (!asked.origin.empty()) return true;
  std::string_view host = asked.host;
  if (const auto colon = host.rfind(':'); colon != host.npos && !host.ends_with(']'))
    host = host.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  boost::system::error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  return !host.empty() && host != "localhost" && not_an_address;
}

http::server_response response_of(api_answer made) {
  return {static_cast<unsigned>(made.status), std::move(made.content_type), std::move(made.body),
          std::move(made.headers)};
}

api_answer answer_of(const fault& what) {
  auto refused = refusal_of(what.status, what.message);
  refused.retry_after = what.retry_after;
  return answer_of(refused);
}

}  // namespace

// A wait that changed() and stop() know of.
class http_api::sleeper {
 public:
  sleeper(http_api& of, steady_time until, bool for_changes)
      : of_(of), for_changes_(for_changes), timer_(of.on_, until) {
    of_.sleepers_.insert(this);
  }
  ~sleeper() { of_.sleepers_.erase(this); }
  sleeper(const sleeper&) = delete;
  sleeper& operator=(const sleeper&) = delete;

  void wake(bool by_change) {
    if (for_changes_ || !by_change) timer_.cancel();
  }
  asio::steady_timer& timer() { return timer_; }

 private:
  http_api& of_;
  bool for_changes_;
  asio::steady_timer timer_;
};

http_api::http_api(asio::io_context& on, std::unique_ptr<cluster> objects, milliseconds bookmark_every)
    : on_(on), objects_(std::move(objects)), bookmark_every_(bookmark_every), controllers_due_(on) {}

asio::awaitable<void> http_api::sleep(steady_time until, bool for_changes) {
  if (stopped_) co_return;
  sleeper mine(*this, until, for_changes);
  co_await mine.timer().async_wait(tuple_awaitable);
}

void http_api::changed() {
  if (stopped_ || std::exchange(wake_posted_, true)) return;
  asio::post(on_, [this] {
    wake_posted_ = false;
    run_controllers();
    for (auto* const one : sleepers_) one->wake(true);
  });
}

void http_api::run_controllers() {
  if (stopped_) return;
  const auto before = objects_->objects().version();
  const auto next = objects_->run_controllers(wall_now());
  // What one controller wrote may be another's business.
  if (objects_->objects().version() != before) changed();
  after_controllers_();
  if (!next) return;
  controllers_due_.expires_after(
      std::max<std::chrono::system_clock::duration>(*next - wall_now(), milliseconds{1}));
  controllers_due_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) changed();
  });
}

void http_api::stop() {
  stopped_ = true;
  controllers_due_.cancel();
  for (auto* const one : sleepers_) one->wake(false);
}

api_answer http_api::answer_now(const parsed_request& what) {
  try {
    return answer(*objects_, what, wall_now());
  } catch (const std::exception& e) {
    log::error("a request to the embedded API server failed",
               {{"target", what.from->target}, {"error", e.what()}});
    return answer_of(refusal_of(500, e.what()));
  }
}

// False: the request is answered or cut.
asio::awaitable<bool> http_api::suffer(fault what, http::responder& to) {
  if (what.delay.count() > 0) co_await sleep(steady_now() + what.delay, false);
  if (what.after || (!what.cut && what.status == 0)) co_return true;
  if (what.cut) {
    to.cut();
  } else {
    auto refused = response_of(answer_of(what));
    co_await to.answer(std::move(refused));
  }
  co_return false;
}

asio::awaitable<void> http_api::handle(http::server_request asked, http::responder& to) {
  if (is_of_a_web_page(asked)) {
    auto refused = response_of(answer_of(refusal_of(
        403, "the embedded API server takes no requests of web pages: ask for its address, without Origin")));
    co_await to.answer(std::move(refused));
    co_return;
  }
  const api_request from{std::move(asked.method), std::move(asked.target), std::move(asked.content_type),
                         std::move(asked.accept), std::move(asked.body)};
  const auto what = parse_request(from);
  faults_.count(what);
  const auto met = faults_.take(what);
  if (met) {
    const bool go_on = co_await suffer(*met, to);
    if (!go_on) co_return;
  }
  const auto before = objects_->objects().version();
  auto made = answer_now(what);
  if (objects_->objects().version() != before) changed();
  if (met && met->after && met->cut) {
    to.cut();
    co_return;
  }
  if (met && met->after && met->status != 0) made = answer_of(*met);
  if (made.watch) {
    co_await watch(*std::move(made.watch), to);
  } else {
    auto response = response_of(std::move(made));
    co_await to.answer(std::move(response));
  }
}

asio::awaitable<void> http_api::end_watch(watch_end how, watch_session& session, http::responder& to) {
  if (how == watch_end::cut) to.cut();
  if (how != watch_end::gone) co_return;
  const auto text = session.refuse(expired("The resourceVersion for the provided watch is too old."));
  co_await to.chunk(text);
}

// A client that does not read keeps no more than one turn's text waiting: until it is sent nothing is made,
// and the HTTP server cuts it when the write takes too long. What it missed meanwhile is in the history, or
// is a 410.
asio::awaitable<void> http_api::watch(watch_plan plan, http::responder& to) {
  const std::string plural{plan.of->plural};
  const auto began = faults_.last_order(plural).number;
  plan.bookmark_every = bookmark_every_;
  watch_session session(objects_->objects(), texts_, std::move(plan), steady_now());
  bool there = co_await to.begin(200, "application/json");
  while (there && !stopped_) {
    const auto order = faults_.last_order(plural);
    if (order.number != began) {
      co_await end_watch(order.how, session, to);
      co_return;
    }
    const auto faults = faults_.faults_of(plural);
    const auto text = session.next(steady_now(), wall_now(), faults);
    if (!text.empty()) {
      there = co_await to.chunk(text);
      if (session.finished()) co_return;
      continue;  // for what came while it was sent
    }
    if (session.finished()) co_return;
    const auto until = faults.stall ? steady_time::max() : session.wake_at();
    co_await sleep(until, true);
  }
}

}  // namespace egress::dev
