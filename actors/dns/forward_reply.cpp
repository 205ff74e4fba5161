#include "actors/dns/forward_reply.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "actors/dns/opt_record.hpp"
#include "actors/dns/record_walk.hpp"
#include "actors/dns/wire.hpp"

namespace egress::dns {
namespace {

rcode code_of(bytes reply) {
  return static_cast<rcode>(load16(&reply[2]) & flag::rcode);
}

outcome settled(std::size_t size, rcode code, bool hijacked) {
  return {.what = action::answered, .size = size, .code = code, .hijacked = hijacked};
}

// Caps the TTLs of what leads to an address, and of denials: a cache in front would else keep it long after
// the name is hijacked. Cuts `message` before its OPT record (what follows it is additional, and
// can be done without). Where additional records begin; nothing when a record is malformed.
std::optional<std::size_t> tidy_records(std::vector<std::uint8_t>& message, std::size_t at,
                                        std::uint32_t max_ttl) {
  const std::size_t answers = load16(&message[6]) + std::size_t{load16(&message[8])};
  const std::size_t total = answers + load16(&message[10]);
  std::size_t additional = at;
  for (std::size_t i = 0; i < total; ++i) {
    if (i == answers) additional = at;
    const auto next = next_record(message, at);
    if (!next) return std::nullopt;
    if (next->type == rr::opt) {
      if (i < answers) return std::nullopt;
      at = next->begin;
      store16(&message[10], i - answers);
      break;
    }
    std::uint8_t* ttl = &message[next->ttl()];
    const auto most = rr::outlives_a_hijack(next->type) ? max_ttl : std::numeric_limits<std::uint32_t>::max();
    store32(ttl, std::min(read_ttl(ttl), most));
  }
  message.resize(at);
  return total > answers ? additional : at;
}

std::optional<walked_record> find_opt(bytes reply, std::size_t at) {
  const std::size_t total =
      load16(&reply[6]) + std::size_t{load16(&reply[8])} + std::size_t{load16(&reply[10])};
  for (std::size_t i = 0; i < total; ++i) {
    const auto next = next_record(reply, at);
    if (!next || next->type == rr::opt) return next;
  }
  return std::nullopt;
}

// The first extended error among the options of OPT.
explanation explained_in(bytes options) {
  while (options.size() >= option_head) {
    const std::size_t size = load16(&options[2]);
    if (options.size() - option_head < size) break;
    const bytes data = options.subspan(option_head, size);
    if (load16(&options[0]) == option::extended_error && size >= 2)
      return {static_cast<ede>(load16(&data[0])),
              {reinterpret_cast<const char*>(data.data()) + 2, data.size() - 2}};
    options = options.subspan(option_head + size);
  }
  return ede::none;
}

// Why the upstream's answer is as it is: what it says itself, else what is known of errors. Views the reply,
// whose records begin at `at`.
explanation explained_by(const query& asked, bytes reply, std::size_t at) {
  if (!asked.has_edns) return ede::none;
  if (const auto opt = find_opt(reply, at)) {
    const auto said = explained_in(reply.subspan(opt->data(), load16(&reply[opt->data() - 2])));
    if (said.code != ede::none) return said;
  }
  if (!is_answer(code_of(reply))) return {ede::no_reachable_authority, "the upstreams fail or refuse"};
  return ede::none;
}

// In a message of more than `limit` bytes already the record says nothing of `why`.
void append_opt(std::vector<std::uint8_t>& message, const query& asked, const explanation& why,
                std::size_t limit) {
  if (!asked.has_edns) return;
  const std::size_t begin = message.size();
  const std::size_t free = limit > begin ? limit - begin : 0;
  message.resize(begin + std::max(opt_size(asked), std::min(free, opt_size(asked) + 2 * most_explained)));
  const auto size = write_opt(asked, rcode::noerror, why, buffer(message).subspan(begin));
  message.resize(begin + size);
  store16(&message[10], load16(&message[10]) + 1u);
}

// An answer of respond's, in a vector.
template <class Respond>
outcome own_answer(std::vector<std::uint8_t>& out, Respond&& respond_into) {
  out.resize(answer_room);
  const outcome made = respond_into(buffer(out));
  out.resize(made.size);
  return made;
}

outcome failed(const query& asked, const explanation& why, std::vector<std::uint8_t>& out) {
  return own_answer(out, [&](buffer to) { return respond_error(asked, rcode::servfail, why, to); });
}

explanation malformed() {
  return {ede::network_error, "the upstream's answer is malformed"};
}

// The reply with everything that is the client's put in. Question and owner names keep their places, so the
// upstream's compression stays right.
outcome pass_on(const query& asked, bytes reply, const hijack_table* table, const forward_options& options,
                std::size_t limit, const explanation& note, std::vector<std::uint8_t>& out) {
  out.assign(reply.begin(), reply.end());
  const std::size_t records = header_size + asked.question_size;
  store16(&out[0], asked.id);
  store16(&out[2], client_flags(asked, load16(&reply[2])));
  std::ranges::copy(asked.question(), out.begin() + header_size);
  if (blames_query(code_of(reply))) return failed(asked, explained_by(asked, reply, records), out);
  const auto additional = tidy_records(out, records, options.max_ttl);
  if (!additional) return failed(asked, malformed(), out);
  // What is only added is no reason to cut an answer (RFC 2181, section 9).
  if (out.size() + opt_size(asked) > limit || (table && adds_hijacked_address(asked, out, *table))) {
    out.resize(*additional);
    store16(&out[10], 0);
  }
  append_opt(out, asked, note.code != ede::none ? note : explained_by(asked, reply, records), limit);
  const bool still_cut = (load16(&reply[2]) & flag::tc) != 0;
  if (out.size() > limit || still_cut) {
    out.resize(records);
    std::memset(&out[6], 0, 6);
    store16(&out[2], load16(&out[2]) | flag::tc);
    append_opt(out, asked, note, limit);
  }
  return settled(out.size(), code_of(reply), false);
}

// Another type of a hijacked name: its records without any alias, else NODATA. The records are not ours to
// vouch for, so there is no AA as there is on NODATA.
outcome pass_on_without_aliases(const query& asked, bytes reply, const explanation& forgery,
                                const forward_options& options, std::size_t limit, const explanation& note,
                                std::vector<std::uint8_t>& out) {
  const auto nodata = [&] {
    return own_answer(out, [&](buffer to) { return respond_nodata(asked, options.answers, forgery, to); });
  };
  if (code_of(reply) == rcode::nxdomain) return nodata();
  if (code_of(reply) != rcode::noerror)
    return failed(asked, explained_by(asked, reply, header_size + asked.question_size), out);
  const auto owned = re_own(reply, options.max_ttl);
  if (!owned) return failed(asked, malformed(), out);
  if (owned->answers == 0 && (load16(&reply[2]) & flag::tc) == 0) return nodata();
  auto why = note;
  if (owned->changed && forgery.code != ede::none) {
    why = forgery;
    why.besides = note.code;
  }
  auto made = pass_on(asked, owned->message, nullptr, options, limit, why, out);
  made.rewritten = owned->changed;
  return made;
}

}  // namespace

std::uint16_t client_flags(const query& asked, std::uint16_t upstream) {
  auto shown = static_cast<std::uint16_t>(flag::qr | flag::ra | (upstream & (flag::aa | flag::rcode)) |
                                          (asked.flags & (flag::rd | flag::cd)));
  if (asked.wants_dnssec || asked.has(flag::ad)) shown |= upstream & flag::ad;
  return shown;
}

std::size_t write_upstream_query(const query& asked, std::uint16_t id, buffer out) {
  store16(&out[0], id);
  store16(&out[2], flag::rd | flag::ad | (asked.flags & flag::cd));
  store16(&out[4], 1);
  std::memset(&out[6], 0, 4);
  store16(&out[10], asked.without_edns ? 0 : 1);
  std::memcpy(&out[header_size], asked.name.data.data(), asked.name.size);
  std::size_t at = header_size + asked.name.size;
  store16(&out[at], asked.type);
  store16(&out[at + 2], rr::class_in);
  at += 4;
  if (asked.without_edns) return at;
  out[at] = 0;
  store16(&out[at + 1], rr::opt);
  store16(&out[at + 3], edns_udp_size);
  store32(&out[at + 5], asked.wants_dnssec ? do_bit : 0);
  store16(&out[at + 9], 0);
  return at + 11;
}

bytes without_extended_rcode(const query& asked, bytes reply, std::vector<std::uint8_t>& room) {
  const std::size_t records = header_size + asked.name.size + 4u;
  const auto opt = find_opt(reply, records);
  if (!opt || reply[opt->ttl()] == 0) return reply;
  room.assign(reply.begin(), reply.begin() + static_cast<std::ptrdiff_t>(records));
  std::memset(&room[6], 0, 6);
  const auto flags = load16(&reply[2]) & ~std::size_t{flag::rcode | flag::ad};
  store16(&room[2], flags | static_cast<std::size_t>(rcode::servfail));
  return room;
}

bool adds_hijacked_address(const query& asked, bytes message, const hijack_table& table) {
  std::size_t at = header_size + asked.question_size;
  const std::size_t before = load16(&message[6]) + std::size_t{load16(&message[8])};
  const std::size_t total = before + load16(&message[10]);
  for (std::size_t i = 0; i < total; ++i) {
    const auto next = next_record(message, at);
    if (!next) return false;
    wire_name owner;
    if (i < before || (next->type != rr::a && next->type != rr::aaaa)) continue;
    if (!expand_name(message, next->begin, owner)) return false;
    const auto entry = table.find(owner);
    if (entry && entry->kind == entry_kind::hijacked && sees(asked, *entry)) return true;
  }
  return false;
}

bool denies_name(bytes reply) {
  return code_of(reply) == rcode::nxdomain && load16(&reply[6]) == 0;
}

bool may_not_know_edns(const query& asked, bytes reply) {
  if (asked.without_edns || !blames_query(code_of(reply))) return false;
  return reply.size() == header_size || !find_opt(reply, header_size + asked.name.size + 4u);
}

bool is_bare_refusal(bytes reply, const query& asked, std::uint16_t id) {
  return reply.size() == header_size && load16(&reply[0]) == id && load16(&reply[4]) == 0 &&
         (load16(&reply[2]) & (flag::qr | flag::opcode)) == flag::qr && may_not_know_edns(asked, reply);
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
                         const forward_options& options, std::size_t limit, std::vector<std::uint8_t>& out,
                         ede note) {
  if (how != forward_kind::root_probe) {
    const outcome now = own_answer(
        out, [&](buffer to) { return respond(asked, reaction::serve, true, table, options.answers, to); });
    if (now.what == action::answered) return now;
    how = now.how;
  }
  const bool gone = !reply.empty() && denies_name(reply);
  if (how == forward_kind::wildcard && !gone)
    return own_answer(out, [&](buffer to) { return respond_hijacked(asked, table, options.answers, to); });
  if (reply.empty()) return failed(asked, ede::no_reachable_authority, out);
  if (how == forward_kind::hijacked_other || (how == forward_kind::wildcard_other && !gone)) {
    const auto entry = table->find(asked.name);
    return pass_on_without_aliases(asked, reply, entry ? forged(asked, *entry) : explanation(ede::none),
                                   options, limit, note, out);
  }
  return pass_on(asked, reply, table, options, limit, note, out);
}

}  // namespace egress::dns
