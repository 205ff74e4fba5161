#include "actors/dns/message_writer.hpp"

#include <algorithm>

namespace egress::dns {
namespace {

constexpr std::uint16_t pointer = 0xc000;

// How many bytes the two end in alike; a label's length is no letter.
std::size_t common_end(bytes a, bytes b) {
  const auto differ =
      std::ranges::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend(), {}, to_lower, to_lower);
  return static_cast<std::size_t>(differ.in1 - a.rbegin());
}

bool may_be_shortened(std::uint16_t type) {
  return type == rr::ns || type == rr::cname || type == rr::soa || type == rr::ptr || type == rr::mx;
}

}  // namespace

message_writer::message_writer(std::uint16_t id, std::uint16_t flags, bytes name, std::uint16_t type,
                               std::uint16_t rr_class)
    : out_(header_size), question_(name.begin(), name.end()) {
  store16(&out_[0], id);
  store16(&out_[2], flags);
  store16(&out_[4], 1);
  for (std::size_t at = 0; at + 1 < question_.size(); at += question_[at] + 1u) labels_.set(at);
  append(question_);
  append16(type);
  append16(rr_class);
}

void message_writer::begin_record(section in, bytes owner, std::uint16_t type, std::uint16_t rr_class,
                                  std::uint32_t ttl) {
  end_record();
  auto* const count = &out_[6 + 2 * static_cast<std::size_t>(in)];
  store16(count, static_cast<std::uint16_t>(load16(count) + 1u));
  append_owner(owner);
  append16(type);
  append16(rr_class);
  append16(static_cast<std::uint16_t>(ttl >> 16U));
  append16(static_cast<std::uint16_t>(ttl));
  append16(0);
  data_ = out_.size();
  may_shorten_ = may_be_shortened(type);
}

void message_writer::add_name(bytes name) {
  may_shorten_ ? append_shortened(name) : append(name);
}

std::optional<std::vector<std::uint8_t>> message_writer::finish() && {
  end_record();
  if (out_.size() > max_message) return std::nullopt;
  return std::move(out_);
}

void message_writer::append16(std::uint16_t what) {
  out_.push_back(static_cast<std::uint8_t>(what >> 8U));
  out_.push_back(static_cast<std::uint8_t>(what));
}

// The records of a set follow each other.
void message_writer::append_owner(bytes name) {
  constexpr std::size_t reach = 0x4000;  // of a pointer
  if (!last_owner_.empty() && std::ranges::equal(name, last_owner_, {}, to_lower, to_lower))
    return append16(static_cast<std::uint16_t>(pointer | last_owner_at_));
  const auto at = out_.size();
  append_shortened(name);
  if (out_.size() - at <= 2 || at >= reach) return;
  last_owner_.assign(name.begin(), name.end());
  last_owner_at_ = at;
}

void message_writer::append_shortened(bytes name) {
  const auto common = common_end(name, question_);
  for (std::size_t at = 0; at + 1 < name.size(); at += name[at] + 1u) {
    const auto left = name.size() - at;
    if (left > common || !labels_[question_.size() - left]) continue;
    append(name.first(at));
    return append16(static_cast<std::uint16_t>(pointer | (header_size + question_.size() - left)));
  }
  append(name);
}

// A record's data is at most what one message has, which is looked at when all is written.
void message_writer::end_record() {
  if (data_ != 0) store16(&out_[data_ - 2], static_cast<std::uint16_t>(out_.size() - data_));
}

}  // namespace egress::dns
