#include "runtime/actor/bridge.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <utility>

#include "runtime/actor/look_pace.hpp"
#include "runtime/actor/watch_reader.hpp"
#include "runtime/base/log.hpp"

namespace egress {

namespace asio = boost::asio;

namespace {
// Events of a watch that wait for a busy informer: what a streaming list brings while one batch is taken in.
constexpr std::size_t events_ahead = 64;
}  // namespace

// Lives on the I/O thread; shared with the coroutines under way.
struct kube_bridge::session : std::enable_shared_from_this<session> {
  session(asio::io_context& on, kube::connection_config where, kube::client_options options,
          deliver_function to)
      : context(on),
        client(on.get_executor(), std::move(where), std::move(options)),
        deliver(std::move(to)) {}

  struct watch {
    watch_reader reader;
    asio::cancellation_signal stop;
  };

  asio::awaitable<void> call(std::shared_ptr<session> keep, std::uint64_t ticket, payload<api_request> what);
  void request(std::uint64_t ticket, const payload<api_request>& what);
  std::chrono::microseconds rest();
  asio::awaitable<void> read(std::shared_ptr<session> keep, std::shared_ptr<watch> of,
                             payload<watch_poll> what);
  std::shared_ptr<watch> open(const payload<watch_poll>& what);
  void poll(std::uint64_t ticket, const payload<watch_poll>& what);
  void tell(std::uint64_t stream, read_ahead::answer what);
  void close(std::uint64_t stream);
  void close_all();

  asio::io_context& context;
  kube::client client;
  deliver_function deliver;
  std::map<std::uint64_t, asio::cancellation_signal> under_way;  // requests, by ticket
  std::map<std::uint64_t, std::shared_ptr<watch>> watches;       // by stream
  look_pace pace;
  bool closed = false;
};

void kube_bridge::session::request(std::uint64_t ticket, const payload<api_request>& what) {
  auto slot = under_way[ticket].slot();
  asio::co_spawn(
      context, call(shared_from_this(), ticket, what),
      asio::bind_cancellation_slot(slot, [self = shared_from_this(), ticket](std::exception_ptr e) {
        self->under_way.erase(ticket);
        if (!e || self->closed) return;
        // A delivery without an outcome: the actor answers its requester with an error.
        log::error("a request to the API server ended in an exception");
        auto nothing = std::make_shared<delivery>();
        nothing->ticket = ticket;
        self->deliver(std::move(nothing));
      }));
}

std::chrono::microseconds kube_bridge::session::rest() {
  return closed ? std::chrono::microseconds{0} : pace.next(client.load());
}

asio::awaitable<void> kube_bridge::session::call(std::shared_ptr<session> keep, std::uint64_t ticket,
                                                 payload<api_request> what) {
  std::shared_ptr<const kube::request> asked(what, &what->what);
  auto outcome = co_await client.call(std::move(asked));
  if (closed) co_return;
  auto news = std::make_shared<delivery>();
  news->ticket = ticket;
  news->reply = std::make_shared<api_reply>(api_reply{std::move(outcome)});
  deliver(std::move(news));
}

asio::awaitable<void> kube_bridge::session::read(std::shared_ptr<session> keep, std::shared_ptr<watch> of,
                                                 payload<watch_poll> what) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto stream = co_await client.watch(what->what);
  if (!stream) co_return of->reader.end(std::move(stream.error()));
  auto next = [&stream, quiet = what->quiet] { return stream->next(quiet); };
  co_await of->reader.read(std::move(next));
}

// The session owns its watches: what they tell it must not own the session.
std::shared_ptr<kube_bridge::session::watch> kube_bridge::session::open(const payload<watch_poll>& what) {
  auto tell = [weak = weak_from_this(), stream = what->stream](read_ahead::answer told) {
    if (const auto strong = weak.lock()) strong->tell(stream, std::move(told));
  };
  auto made = std::make_shared<watch>(
      watch_reader(context.get_executor(), events_ahead, what->quiet, std::move(tell)));
  const auto slot = made->stop.slot();
  asio::co_spawn(context, read(shared_from_this(), made, what),
                 asio::bind_cancellation_slot(slot, [made](std::exception_ptr e) {
                   if (!e) return;
                   log::error("a watch of the API server ended in an exception");
                   kube::api_error why;
                   why.message = "the reading of a watch ended in an exception";
                   made->reader.end(std::move(why));
                 }));
  return made;
}

void kube_bridge::session::poll(std::uint64_t ticket, const payload<watch_poll>& what) {
  const auto known = watches.find(what->stream);
  const auto of = known != watches.end() ? known->second : open(what);
  if (known == watches.end()) watches.emplace(what->stream, of);
  of->reader.ask(ticket);
}

void kube_bridge::session::tell(std::uint64_t stream, read_ahead::answer what) {
  if (closed) return;
  if (what.what.ended) watches.erase(stream);
  auto news = std::make_shared<delivery>();
  news->ticket = what.ticket;
  news->news = std::make_shared<watch_news>(watch_news{std::move(what.what)});
  deliver(std::move(news));
}

void kube_bridge::session::close(std::uint64_t stream) {
  const auto found = watches.find(stream);
  if (found == watches.end()) return;
  const auto mine = found->second;
  watches.erase(found);
  mine->stop.emit(asio::cancellation_type::terminal);
}

void kube_bridge::session::close_all() {
  closed = true;
  for (const auto& [stream, one] : std::exchange(watches, {}))
    one->stop.emit(asio::cancellation_type::terminal);
  // Emitting may end a coroutine and erase its entry at once: never iterate over the map meanwhile.
  std::vector<std::uint64_t> tickets;
  for (const auto& [ticket, signal] : under_way) tickets.push_back(ticket);
  for (const auto ticket : tickets)
    if (const auto found = under_way.find(ticket); found != under_way.end())
      found->second.emit(asio::cancellation_type::terminal);
}

kube_bridge::kube_bridge(io_thread& on, kube::connection_config where, kube::client_options options,
                         deliver_function deliver)
    : session_(
          std::make_shared<session>(on.context(), std::move(where), std::move(options), std::move(deliver))) {
  on.rest_by([weak = std::weak_ptr(session_)] {
    const auto strong = weak.lock();
    return strong ? strong->rest() : std::chrono::microseconds{0};
  });
}

kube_bridge::~kube_bridge() {
  asio::post(session_->context, [session = session_] { session->close_all(); });
}

void kube_bridge::request(std::uint64_t ticket, payload<api_request> what) {
  asio::dispatch(session_->context,
                 [s = session_, ticket, what = std::move(what)] { s->request(ticket, what); });
}

void kube_bridge::poll(std::uint64_t ticket, payload<watch_poll> what) {
  asio::dispatch(session_->context,
                 [s = session_, ticket, what = std::move(what)] { s->poll(ticket, what); });
}

void kube_bridge::close_watch(std::uint64_t stream) {
  asio::dispatch(session_->context, [s = session_, stream] { s->close(stream); });
}

}  // namespace egress
