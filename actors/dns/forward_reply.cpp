#include "actors/dns/forward_reply.hpp"

#include <algorithm>
#include <cstring>

#include "actors/dns/bailiwick.hpp"
#include "actors/dns/wire.hpp"

namespace egress::dns {
namespace {

rcode code_of(bytes reply) {
  return static_cast<rcode>(load16(&reply[2]) & flag::rcode);
}

outcome settled(std::size_t size, rcode code, bool hijacked) {
  return {.what = action::answered, .size = size, .code = code, .hijacked = hijacked};
}

// One record at `at`, which moves behind it; nothing when it is cut.
struct record {
  std::size_t begin = 0, fixed = 0;  // the owner; type, class, TTL and length
  std::uint16_t type = 0;
};
std::optional<record> next_record(bytes message, std::size_t& at) {
  record next{.begin = at};
  const auto fixed = skip_name(message, at);
  if (!fixed || message.size() - *fixed < 10) return std::nullopt;
  next.fixed = *fixed;
  next.type = load16(&message[*fixed]);
  const std::size_t size = load16(&message[*fixed + 8]);
  if (message.size() - *fixed - 10 < size) return std::nullopt;
  at = *fixed + 10 + size;
  return next;
}

// Caps the TTLs of addresses, and cuts `message` before its OPT record (what follows it is additional, and
// can be done without). False when a record is malformed.
bool tidy_records(std::vector<std::uint8_t>& message, std::size_t at, std::uint32_t max_ttl) {
  const std::size_t answers = load16(&message[6]) + std::size_t{load16(&message[8])};
  const std::size_t total = answers + load16(&message[10]);
  for (std::size_t i = 0; i < total; ++i) {
    const auto next = next_record(message, at);
    if (!next) return false;
    if (next->type == rr::opt) {
      if (i < answers) return false;
      at = next->begin;
      store16(&message[10], i - answers);
      break;
    }
    std::uint8_t* ttl = &message[next->fixed + 4];
    if ((next->type == rr::a || next->type == rr::aaaa) && load32(ttl) > max_ttl) store32(ttl, max_ttl);
  }
  message.resize(at);
  return true;
}

void append_opt(std::vector<std::uint8_t>& message, const query& asked) {
  if (!asked.has_edns) return;
  const std::uint8_t opt[] = {0,
                              0,
                              rr::opt,
                              edns_udp_size >> 8,
                              edns_udp_size & 0xff,
                              0,
                              0,
                              asked.wants_dnssec ? std::uint8_t{0x80} : std::uint8_t{0},
                              0,
                              0,
                              0};
  message.insert(message.end(), std::begin(opt), std::end(opt));
  store16(&message[10], load16(&message[10]) + 1u);
}

// The upstream's flags that a client may see, with the client's own RD and CD.
std::uint16_t flags_for(const query& asked, std::uint16_t upstream) {
  auto shown = static_cast<std::uint16_t>(flag::qr | flag::ra | (upstream & (flag::aa | flag::rcode)) |
                                          (asked.flags & (flag::rd | flag::cd)));
  if (asked.wants_dnssec || asked.has(flag::ad)) shown |= upstream & flag::ad;
  return shown;
}

// An answer of respond's, in a vector.
template <class Respond>
outcome own_answer(std::vector<std::uint8_t>& out, Respond&& respond_into) {
  out.resize(answer_room);
  const outcome made = respond_into(buffer(out));
  out.resize(made.size);
  return made;
}

outcome failed(const query& asked, std::vector<std::uint8_t>& out) {
  return own_answer(
      out, [&](buffer to) { return respond_error(asked, rcode::servfail, ede::no_reachable_authority, to); });
}

// The reply with everything that is the client's put in. Question and owner names keep their places, so the
// upstream's compression stays right.
outcome pass_on(const query& asked, bytes reply, const forward_options& options, std::size_t limit,
                std::vector<std::uint8_t>& out) {
  out.assign(reply.begin(), reply.end());
  const std::size_t records = header_size + asked.question_size;
  store16(&out[0], asked.id);
  store16(&out[2], flags_for(asked, load16(&reply[2])));
  std::ranges::copy(asked.question(), out.begin() + header_size);
  if (!tidy_records(out, records, options.max_ttl)) return failed(asked, out);
  append_opt(out, asked);
  const bool still_cut = (load16(&reply[2]) & flag::tc) != 0;
  if (out.size() > limit || still_cut) {
    out.resize(records);
    std::memset(&out[6], 0, 6);
    store16(&out[2], load16(&out[2]) | flag::tc);
    append_opt(out, asked);
  }
  return settled(out.size(), code_of(reply), false);
}

// Another type of a hijacked name: its records without any alias, else NODATA.
outcome pass_on_without_aliases(const query& asked, bytes reply, const forward_options& options,
                                std::size_t limit, std::vector<std::uint8_t>& out) {
  const auto nodata = [&] {
    return own_answer(out, [&](buffer to) { return respond_nodata(asked, options.answers, to); });
  };
  if (code_of(reply) == rcode::nxdomain) return nodata();
  if (code_of(reply) != rcode::noerror) return failed(asked, out);
  const auto owned = re_own(reply);
  if (!owned) return failed(asked, out);
  if (owned->answers == 0 && (load16(&reply[2]) & flag::tc) == 0) return nodata();
  return pass_on(asked, owned->message, options, limit, out);
}

}  // namespace

std::string sharing_key(const query& asked) {
  std::string key(reinterpret_cast<const char*>(asked.name.data.data()), asked.name.size);
  key += static_cast<char>(asked.type >> 8);
  key += static_cast<char>(asked.type & 0xff);
  key += static_cast<char>((asked.wants_dnssec ? 1 : 0) | (asked.has(flag::cd) ? 2 : 0));
  return key;
}

std::size_t write_upstream_query(const query& asked, std::uint16_t id, buffer out) {
  store16(&out[0], id);
  store16(&out[2], flag::rd | (asked.flags & flag::cd));
  store16(&out[4], 1);
  std::memset(&out[6], 0, 4);
  store16(&out[10], 1);
  std::memcpy(&out[header_size], asked.name.data.data(), asked.name.size);
  std::size_t at = header_size + asked.name.size;
  store16(&out[at], asked.type);
  store16(&out[at + 2], rr::class_in);
  at += 4;
  out[at] = 0;
  store16(&out[at + 1], rr::opt);
  store16(&out[at + 3], edns_udp_size);
  store32(&out[at + 5], asked.wants_dnssec ? do_bit : 0);
  store16(&out[at + 9], 0);
  return at + 11;
}

bool is_reply_to(bytes reply, const query& asked, std::uint16_t id) {
  const std::size_t end = header_size + asked.name.size + 4u;
  if (reply.size() < end || load16(&reply[0]) != id) return false;
  const std::uint16_t flags = load16(&reply[2]);
  if ((flags & flag::qr) == 0 || (flags & flag::opcode) != 0 || load16(&reply[4]) != 1) return false;
  for (std::size_t i = 0; i < asked.name.size; ++i)
    if (to_lower(reply[header_size + i]) != asked.name.data[i]) return false;
  return load16(&reply[end - 4]) == asked.type && load16(&reply[end - 2]) == rr::class_in;
}

outcome finish_forwarded(const query& asked, forward_kind how, bytes reply, const hijack_table* table,
                         const forward_options& options, std::size_t limit, std::vector<std::uint8_t>& out) {
  if (how != forward_kind::root_probe) {
    const outcome now = own_answer(
        out, [&](buffer to) { return respond(asked, reaction::serve, true, table, options.answers, to); });
    if (now.what == action::answered) return now;
    how = now.how;
  }
  const bool gone = !reply.empty() && code_of(reply) == rcode::nxdomain;
  if (how == forward_kind::wildcard && !gone)
    return own_answer(out, [&](buffer to) { return respond_hijacked(asked, table, options.answers, to); });
  std::vector<std::uint8_t> room;
  const auto related = reply.empty() ? std::nullopt : in_bailiwick(asked, reply, room);
  if (!related) return failed(asked, out);
  reply = *related;
  if (how == forward_kind::hijacked_other || (how == forward_kind::wildcard_other && !gone))
    return pass_on_without_aliases(asked, reply, options, limit, out);
  return pass_on(asked, reply, options, limit, out);
}

}  // namespace egress::dns
