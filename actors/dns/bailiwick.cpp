#include "actors/dns/bailiwick.hpp"

#include <algorithm>

#include "actors/dns/record_walk.hpp"
#include "actors/dns/wire.hpp"

namespace egress::dns {
namespace {

struct placed_record {
  wire_name owner;
  std::uint16_t type = 0;
  std::size_t data = 0;  // where its data is
};
using section = std::vector<placed_record>;
using names = std::vector<wire_name>;

// The additional section as it came, with the only record of it that is passed on.
struct read_reply {
  section answers, authority;
  std::size_t additional = 0;  // where it begins
  bytes opt;
  bool has_more = false;  // than OPT
};

bool read_record(bytes message, std::size_t& at, placed_record& into) {
  if (!expand_name(message, at, into.owner)) return false;
  const auto next = next_record(message, at);
  if (!next) return false;
  into.type = next->type;
  into.data = next->data();
  return true;
}

bool read_section(bytes reply, std::size_t count, std::size_t& at, section& into) {
  for (; count > 0; --count) {
    placed_record next;
    if (!read_record(reply, at, next) || next.type == rr::opt || next.type == rr::tsig) return false;
    into.push_back(next);
  }
  return true;
}

bool read_additional(bytes reply, std::size_t count, std::size_t at, read_reply& into) {
  into.additional = at;
  for (; count > 0; --count) {
    const auto next = next_record(reply, at);
    if (!next) return false;
    const bool is_opt = next->type == rr::opt && reply[next->begin] == 0;
    if (is_opt && !into.opt.empty()) return false;  // RFC 6891, 6.1.1
    if (is_opt) into.opt = reply.subspan(next->begin, at - next->begin);
    into.has_more |= !is_opt;
  }
  return true;
}

std::optional<read_reply> read_sections(bytes reply, std::size_t at) {
  read_reply read;
  const bool whole = read_section(reply, load16(&reply[6]), at, read.answers) &&
                     read_section(reply, load16(&reply[8]), at, read.authority) &&
                     read_additional(reply, load16(&reply[10]), at, read);
  return whole ? std::optional(std::move(read)) : std::nullopt;
}

// The question's name and those its CNAMEs lead to, whatever the order they come in.
std::optional<names> chain_of(const query& asked, bytes reply, const section& answers) {
  names chain{asked.name};
  for (;;) {
    const auto next = std::ranges::find_if(answers, [&](const placed_record& one) {
      return one.type == rr::cname && same_name(one.owner, chain.back());
    });
    if (next == answers.end()) return chain;
    wire_name target;
    if (chain.size() > most_aliases || !expand_name(reply, next->data, target)) return std::nullopt;
    chain.push_back(target);
  }
}

bool is_above_any(const wire_name& owner, const names& chain) {
  return std::ranges::any_of(chain, [&](const wire_name& link) { return is_at_or_below(link, owner); });
}

bool is_any(const wire_name& owner, const names& of) {
  return std::ranges::any_of(of, [&](const wire_name& one) { return same_name(one, owner); });
}

bool answers_chain(const placed_record& one, const names& chain) {
  const bool may_be_above = one.type == rr::dname || one.type == rr::rrsig;
  return may_be_above ? is_above_any(one.owner, chain) : is_any(one.owner, chain);
}

bool speaks_for_chain(const placed_record& one, const names& chain, bool proofs_wanted) {
  if (one.type == rr::nsec || one.type == rr::nsec3 || one.type == rr::rrsig) return proofs_wanted;
  return (one.type == rr::soa || one.type == rr::ns || one.type == rr::ds) && is_above_any(one.owner, chain);
}

bool all_stay(const kept_records& which) {
  const auto every = [](const std::vector<bool>& marks) { return std::ranges::count(marks, false) == 0; };
  return every(which.answer) && every(which.authority);
}

// Whether all is of the question's own name, leads nowhere, and has nothing but OPT behind it: most replies
// are so, and need no copy of their names.
bool is_plain(const query& asked, bytes reply) {
  constexpr std::uint16_t question_s_name = 0xc000 | header_size;
  const std::size_t answers = load16(&reply[6]), additional = load16(&reply[10]);
  if (load16(&reply[8]) != 0) return false;
  std::size_t at = header_size + asked.name.size + 4u;
  for (std::size_t i = 0; i < answers + additional; ++i) {
    const auto next = next_record(reply, at);
    if (!next) return false;
    const bool of_question = load16(&reply[next->begin]) == question_s_name && next->type != rr::cname &&
                             next->type != rr::dname && next->type != rr::opt && next->type != rr::tsig;
    if (i < answers ? !of_question : next->type != rr::opt) return false;
  }
  return true;
}

// Nothing when there are too many aliases.
std::optional<kept_records> what_stays(const query& asked, bytes reply, const read_reply& read) {
  const auto chain = chain_of(asked, reply, read.answers);
  if (!chain) return std::nullopt;
  kept_records which;
  for (const auto& one : read.answers) which.answer.push_back(answers_chain(one, *chain));
  for (const auto& one : read.authority)
    which.authority.push_back(speaks_for_chain(one, *chain, asked.wants_dnssec));
  return which;
}

// Of a message as ldns wrote it. ldns reads on where the fields that it knows end, not where a record's
// length says: what it took for the next record may be anybody's.
bool all_belongs(const query& asked, bytes message) {
  const auto read = read_sections(message, header_size + asked.name.size + 4u);
  const auto which = read ? what_stays(asked, message, *read) : std::nullopt;
  return which && all_stay(*which);
}

}  // namespace

std::optional<bytes> in_bailiwick(const query& asked, bytes reply, std::vector<std::uint8_t>& room) {
  if (is_plain(asked, reply)) return reply;
  const auto read = read_sections(reply, header_size + asked.name.size + 4u);
  const auto which = read ? what_stays(asked, reply, *read) : std::nullopt;
  if (!which) return std::nullopt;
  if (all_stay(*which)) {
    if (!read->has_more) return reply;
    room.assign(reply.begin(), reply.begin() + static_cast<std::ptrdiff_t>(read->additional));
  } else {
    auto kept = keep_records(reply, *which);
    if (!kept || !all_belongs(asked, *kept)) return std::nullopt;
    room = std::move(*kept);
  }
  room.insert(room.end(), read->opt.begin(), read->opt.end());
  store16(&room[10], read->opt.empty() ? 0u : 1u);
  return room;
}

}  // namespace egress::dns
