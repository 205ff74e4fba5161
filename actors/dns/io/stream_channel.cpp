#include "actors/dns/io/stream_channel.hpp"

namespace egress::dns {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

stream_channel::stream_channel(asio::io_context& context, asio::ip::tcp::endpoint to, make_stream make,
                               channel_limits limits)
    : context_(context), to_(std::move(to)), make_(std::move(make)), limits_(limits), timer_(context) {}

std::uint16_t stream_channel::ask(kept_query_ptr asked, done on_done) {
  constexpr int tries = 32;
  auto id = static_cast<std::uint16_t>(random_());
  for (int i = 0; i < tries && waiting_.contains(id); ++i) ++id;
  const bool first = waiting_.empty();
  const auto& one = waiting_[id] = {
      .asked = std::move(asked), .on_done = std::move(on_done), .asked_at = steady_clock::now()};
  if (!link_) {
    connect();
  } else if (link_->connected) {
    send(id, one.asked->get());
    write();
    if (first) rearm();
  }
  return id;
}

void stream_channel::close() {
  waiting_.clear();
  drop_link();
}

void stream_channel::connect() {
  link_ = std::make_shared<link>();
  link_->stream = make_();
  rearm();
  link_->stream->connect(to_, [weak = weak_from_this(), mine = link_](const std::string& problem) {
    const auto self = weak.lock();
    if (self && self->link_ == mine) self->connected(problem);
  });
}

void stream_channel::connected(const std::string& problem) {
  told_(problem);
  if (!problem.empty()) return broken();
  link_->connected = true;
  for (const auto& [id, one] : waiting_) send(id, one.asked->get());
  rearm();
  write();
  read();
}

void stream_channel::send(std::uint16_t id, const query& asked) {
  auto& out = link_->out;
  const std::size_t begin = out.size();
  out.resize(begin + 2 + answer_room);
  const auto size = write_upstream_query(asked, id, buffer(out).subspan(begin + 2));
  store16(&out[begin], size);
  out.resize(begin + 2 + size);
  awaits();
}

void stream_channel::awaits() {
  if (!link_->unanswered_since) link_->unanswered_since = steady_clock::now();
}

void stream_channel::write() {
  if (!link_->writing.empty() || link_->out.empty()) return;
  link_->writing.swap(link_->out);
  link_->stream->write(asio::buffer(link_->writing),
                       [self = shared_from_this(), mine = link_](error_code failed, std::size_t) {
                         mine->writing.clear();
                         if (self->link_ != mine) return;
                         failed ? self->broken() : self->write();
                       });
}

void stream_channel::read() {
  link_->stream->read_some(asio::buffer(link_->chunk),
                           [self = shared_from_this(), mine = link_](error_code failed, std::size_t got) {
                             if (self->link_ != mine) return;
                             if (failed) return self->broken();
                             mine->in.insert(mine->in.end(), mine->chunk.data(), mine->chunk.data() + got);
                             mine->unanswered_since.reset();
                             self->take_messages();
                             if (self->link_ != mine) return;
                             if (!self->waiting_.empty()) self->awaits();
                             self->rearm();
                             self->read();
                           });
}

void stream_channel::take_messages() {
  const auto mine = link_;
  while (link_ == mine && mine->in.size() >= 2) {
    const std::size_t size = load16(mine->in.data());
    if (mine->in.size() - 2 < size) return;
    const auto begin = mine->in.begin() + 2, end = begin + static_cast<std::ptrdiff_t>(size);
    const std::vector<std::uint8_t> message(begin, end);
    mine->in.erase(mine->in.begin(), end);
    // Whoever is told may close all this, or ask again.
    deliver(message);
  }
}

void stream_channel::deliver(bytes message) {
  if (message.size() < header_size) return;
  const auto id = load16(message.data());
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;
  const auto& asked = found->second.asked->get();
  if (!is_reply_to(message, asked, id) && !is_bare_refusal(message, asked, id)) return;
  link_->answered = true;
  const auto call = std::move(found->second.on_done);
  waiting_.erase(found);
  call(message);
}

// A connection that has answered before may have been closed while a question was on its way, and one that
// was silent to somebody else says nothing of a question that came later: those get a second one. All others
// have failed.
void stream_channel::broken() {
  const bool reused = link_->answered;
  const auto silent_since = link_->connected ? link_->unanswered_since : std::nullopt;
  drop_link();
  std::map<std::uint16_t, question> failed;
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    const auto one = next++;
    const bool innocent = reused || (silent_since && one->second.asked_at > *silent_since);
    if (innocent && !std::exchange(one->second.again, true)) continue;
    failed.insert(waiting_.extract(one));
  }
  if (!waiting_.empty()) connect();
  for (const auto& [id, one] : failed) one.on_done({});
}

void stream_channel::drop_link() {
  timer_.cancel();
  if (const auto mine = std::exchange(link_, nullptr)) mine->stream->close();
}

steady_clock::time_point stream_channel::given_up_at() const {
  if (!link_->connected) return steady_clock::now() + limits_.connect;
  if (link_->unanswered_since) return *link_->unanswered_since + limits_.stall;
  return steady_clock::now() + limits_.idle;
}

void stream_channel::rearm() {
  timer_.expires_at(given_up_at());
  timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    const bool moved = cancelled || !self || self->timer_.expiry() > steady_clock::now();
    if (!moved && self->link_) self->late();
  });
}

void stream_channel::late() {
  if (link_->connected && waiting_.empty()) return drop_link();
  if (!link_->connected) told_("no connection in time");
  broken();
}

}  // namespace egress::dns
