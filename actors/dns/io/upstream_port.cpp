#include "actors/dns/io/upstream_port.hpp"

#include <boost/asio/post.hpp>
#include <cerrno>

namespace egress::dns {

namespace asio = boost::asio;
using boost::system::error_code;

datagram_room::datagram_room() {
  for (std::size_t i = 0; i < in.size(); ++i) {
    in_parts[i] = {replies[i].data(), largest_reply};
    in[i].msg_hdr.msg_iov = &in_parts[i];
    in[i].msg_hdr.msg_iovlen = 1;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    out_parts[i].iov_base = questions[i].data();
    out[i].msg_hdr.msg_iov = &out_parts[i];
    out[i].msg_hdr.msg_iovlen = 1;
  }
}

bool upstream_port::open(const upstream_address& to) {
  error_code failed;
  socket_.open(to.protocol(), failed);
  // Connecting makes the kernel choose a random port, and let pass only what comes from this upstream.
  if (!failed) socket_.connect(to, failed);
  if (failed) return false;
  open_ = true;
  wait();
  return true;
}

std::size_t upstream_port::ask(port_question& who, random_words& random) {
  // What the loop has in hand may bring more questions: they leave together.
  if (sent_ == ledger_.used()) asio::post(context_, [self = shared_from_this()] { self->send(); });
  const auto place = ledger_.add(random);
  waiting_[place] = &who;
  return place;
}

void upstream_port::drop(std::size_t place) {
  ledger_.end(place);
  if (ledger_.open() == 0) close();
}

void upstream_port::wait() {
  socket_.async_wait(asio::ip::udp::socket::wait_read, [self = shared_from_this()](error_code failed) {
    if (failed || !self->open_) return;
    self->read();
    if (self->open_) self->wait();
  });
}

void upstream_port::read() {
  for (int got = datagram_room::batch; open_ && got == datagram_room::batch;) {
    got = ::recvmmsg(socket_.native_handle(), room_->in.data(), datagram_room::batch, MSG_DONTWAIT, nullptr);
    // An error tells of what was sent: nobody listens there.
    if (got < 0 && errno != EAGAIN && errno != EINTR) return end_all(&port_question::unreachable);
    for (int i = 0; i < got && open_; ++i) {
      const auto at = static_cast<std::size_t>(i);
      take(bytes(room_->replies[at]).first(room_->in[at].msg_len));
    }
  }
}

bool upstream_port::answers(bytes datagram, std::size_t place) const {
  const auto& asked = waiting_[place]->asked();
  const auto id = ledger_.id(place);
  return is_reply_to(datagram, asked, id) || is_bare_refusal(datagram, asked, id);
}

void upstream_port::take(bytes datagram) {
  if (datagram.size() >= header_size) {
    const auto place = ledger_.find(load16(datagram.data()));
    if (place && !ledger_.is_open(*place)) return;
    if (place && answers(datagram, *place)) return waiting_[*place]->replied(datagram);
  }
  // What answers nothing is somebody's guess: the wait goes on, but no new question joins it.
  if (ledger_.note_wrong()) end_all(&port_question::guessed_at);
}

void upstream_port::send() {
  const std::size_t count = write_questions();
  for (std::size_t done = 0; done < count && open_;) {
    const auto left = static_cast<unsigned>(count - done);
    const int took = ::sendmmsg(socket_.native_handle(), &room_->out[done], left, MSG_DONTWAIT);
    if (took > 0)
      done += static_cast<std::size_t>(took);
    else if (errno != EINTR)
      end_all(&port_question::unreachable);
  }
}

// Those that were not sent yet, and how many these are.
std::size_t upstream_port::write_questions() {
  std::size_t count = 0;
  for (; sent_ < ledger_.used(); ++sent_) {
    if (!ledger_.is_open(sent_)) continue;
    room_->out_parts[count].iov_len =
        write_upstream_query(waiting_[sent_]->asked(), ledger_.id(sent_), room_->questions[count]);
    ++count;
  }
  return count;
}

void upstream_port::end_all(void (port_question::*how)()) {
  // A question that is asked again meanwhile must not come back here.
  ledger_.retire();
  for (std::size_t place = 0; place < ledger_.used(); ++place)
    if (ledger_.is_open(place)) (waiting_[place]->*how)();
}

void upstream_port::close() {
  open_ = false;
  error_code ignored;
  socket_.close(ignored);
}

std::shared_ptr<upstream_port> source_ports::next(port_time now) {
  const bool one_of_its_own = own_.take(now);
  if (const auto last = last_.lock(); last && !one_of_its_own && last->takes_more(now)) return last;
  auto made = std::make_shared<upstream_port>(context_, room_, now);
  if (!made->open(to_)) return nullptr;
  last_ = made;
  return made;
}

}  // namespace egress::dns
