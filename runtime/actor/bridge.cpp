#include "runtime/actor/bridge.hpp"

#include <pthread.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <optional>

#include "runtime/base/log.hpp"

namespace egress {

namespace asio = boost::asio;

io_thread::io_thread(std::string name) : work_(context_.get_executor()) {
  thread_ = std::thread([this, name = std::move(name)] {
    pthread_setname_np(pthread_self(), name.c_str());
    for (;;) {
      try {
        context_.run();
        return;
      } catch (const std::exception& e) {
        log::error("an I/O handler threw", {{"thread", name}, {"error", e.what()}});
      }
    }
  });
}

io_thread::~io_thread() {
  work_.reset();
  context_.stop();
  thread_.join();
}

// Lives on the I/O thread; shared with the coroutines under way.
struct kube_bridge::session : std::enable_shared_from_this<session> {
  session(asio::io_context& on, kube::connection_config where, kube::client_options options,
          deliver_function to)
      : context(on),
        client(on.get_executor(), std::move(where), std::move(options)),
        deliver(std::move(to)) {}

  struct watch {
    std::uint64_t ticket = 0;  // of the poll under way
    std::optional<kube::watch_stream> stream;
  };

  asio::awaitable<void> call(std::shared_ptr<session> keep, std::uint64_t ticket, payload<api_request> what);
  asio::awaitable<void> next(std::shared_ptr<session> keep, std::uint64_t ticket, payload<watch_poll> what);
  template <class Coroutine>
  void spawn(std::uint64_t ticket, Coroutine coroutine);
  void close(std::uint64_t stream);
  void close_all();

  asio::io_context& context;
  kube::client client;
  deliver_function deliver;
  std::map<std::uint64_t, asio::cancellation_signal> under_way;  // by ticket
  std::map<std::uint64_t, std::shared_ptr<watch>> watches;       // by stream
  bool closed = false;
};

template <class Coroutine>
void kube_bridge::session::spawn(std::uint64_t ticket, Coroutine coroutine) {
  auto slot = under_way[ticket].slot();
  asio::co_spawn(
      context, std::move(coroutine),
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

asio::awaitable<void> kube_bridge::session::call(std::shared_ptr<session> keep, std::uint64_t ticket,
                                                 payload<api_request> what) {
  auto outcome = co_await client.call(what->what);
  if (closed) co_return;
  auto news = std::make_shared<delivery>();
  news->ticket = ticket;
  news->reply = std::make_shared<api_reply>(api_reply{std::move(outcome)});
  deliver(std::move(news));
}

asio::awaitable<void> kube_bridge::session::next(std::shared_ptr<session> keep, std::uint64_t ticket,
                                                 payload<watch_poll> what) {
  auto& slot = watches[what->stream];
  if (!slot) slot = std::make_shared<watch>();
  const auto mine = slot;
  mine->ticket = ticket;
  kube::watch_chunk chunk;
  if (!mine->stream) {
    auto opened = co_await client.watch(what->what);
    if (opened)
      mine->stream.emplace(std::move(*opened));
    else
      chunk = kube::watch_chunk{{}, true, std::move(opened.error())};
  }
  if (mine->stream && !closed) chunk = co_await mine->stream->next(what->quiet);
  mine->ticket = 0;
  if (chunk.ended) watches.erase(what->stream);
  if (closed) co_return;
  auto news = std::make_shared<delivery>();
  news->ticket = ticket;
  news->news = std::make_shared<watch_news>(watch_news{std::move(chunk)});
  deliver(std::move(news));
}

void kube_bridge::session::close(std::uint64_t stream) {
  const auto found = watches.find(stream);
  if (found == watches.end()) return;
  const auto mine = found->second;
  watches.erase(found);
  if (const auto busy = under_way.find(mine->ticket); mine->ticket != 0 && busy != under_way.end())
    busy->second.emit(asio::cancellation_type::terminal);
}

void kube_bridge::session::close_all() {
  closed = true;
  watches.clear();
  // Emitting may end a coroutine and erase its entry at once: never iterate over the map meanwhile.
  std::vector<std::uint64_t> tickets;
  for (const auto& [ticket, signal] : under_way) tickets.push_back(ticket);
  for (const auto ticket : tickets)
    if (const auto found = under_way.find(ticket); found != under_way.end())
      found->second.emit(asio::cancellation_type::terminal);
}

kube_bridge::kube_bridge(io_thread& on, kube::connection_config where, kube::client_options options,
                         deliver_function deliver)
    : session_(std::make_shared<session>(on.context(), std::move(where), std::move(options),
                                         std::move(deliver))) {}

kube_bridge::~kube_bridge() {
  asio::post(session_->context, [session = session_] { session->close_all(); });
}

void kube_bridge::request(std::uint64_t ticket, payload<api_request> what) {
  asio::post(session_->context,
             [s = session_, ticket, what = std::move(what)] { s->spawn(ticket, s->call(s, ticket, what)); });
}

void kube_bridge::poll(std::uint64_t ticket, payload<watch_poll> what) {
  asio::post(session_->context,
             [s = session_, ticket, what = std::move(what)] { s->spawn(ticket, s->next(s, ticket, what)); });
}

void kube_bridge::close_watch(std::uint64_t stream) {
  asio::post(session_->context, [s = session_, stream] { s->close(stream); });
}

}  // namespace egress
