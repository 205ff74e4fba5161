#pragma once
// Writes a message record by record. A name is shortened where it ends like the question's, which most do,
// and an owner where it is the last one that was written out: time and room grow with what is written. (ldns
// looks for each suffix of each name among all that were written before, and walks both for each comparison:
// a hundred names of a hundred labels took it seconds.) Internal to wire.cpp. Pure.

#include <bitset>
#include <optional>
#include <vector>

#include "actors/dns/message.hpp"
#include "actors/dns/name.hpp"

namespace egress::dns {

class message_writer {
 public:
  enum class section : std::uint8_t { answer, authority, additional };

  // `flags`: the second 16 bits of the header. The name is uncompressed, and valid.
  message_writer(std::uint16_t id, std::uint16_t flags, bytes name, std::uint16_t type,
                 std::uint16_t rr_class);

  // The sections in their order. The record's data is whatever is written until the next record.
  void begin_record(section in, bytes owner, std::uint16_t type, std::uint16_t rr_class, std::uint32_t ttl);
  void add_data(bytes data) { append(data); }
  // A name in the data, shortened where the type's may be (RFC 3597, section 4).
  void add_name(bytes name);

  // Nothing when it is longer than a message can be.
  std::optional<std::vector<std::uint8_t>> finish() &&;

 private:
  // What is longer than a message is not written to its end.
  void append(bytes what) {
    if (out_.size() <= max_message) out_.insert(out_.end(), what.begin(), what.end());
  }
  void append_owner(bytes name);
  void append16(std::uint16_t what);
  void append_shortened(bytes name);
  void end_record();

  std::vector<std::uint8_t> out_;
  std::vector<std::uint8_t> question_;     // its name
  std::bitset<max_name_size + 1> labels_;  // begin there, in question_
  std::size_t data_ = 0;                   // where that of the record begins; 0: there is none yet
  std::vector<std::uint8_t> last_owner_;   // that was written and not pointed at
  std::size_t last_owner_at_ = 0;
  bool may_shorten_ = false;  // names in it
};

}  // namespace egress::dns
