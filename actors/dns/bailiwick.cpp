#include "actors/dns/bailiwick.hpp"

#include <algorithm>
#include <array>

#include "actors/dns/record_walk.hpp"
#include "actors/dns/wire.hpp"

namespace egress::dns {
namespace {

struct placed_record {
  wire_name owner;
  std::uint16_t type = 0;
  std::size_t data = 0;  // where its data is
  bytes content;
};
using section = std::vector<placed_record>;
using names = std::vector<wire_name>;

bool read_record(bytes message, std::size_t& at, placed_record& into) {
  if (!expand_name(message, at, into.owner)) return false;
  const std::size_t fixed = skip_name(message, at).value();
  if (message.size() - fixed < 10) return false;
  into.type = load16(&message[fixed]);
  into.data = fixed + 10;
  const std::size_t size = load16(&message[fixed + 8]);
  if (message.size() - into.data < size) return false;
  into.content = message.subspan(into.data, size);
  at = into.data + size;
  return true;
}

// Answer, authority, additional; without OPT and TSIG, which are of the hop.
std::optional<std::array<section, 3>> read_sections(bytes reply, std::size_t at) {
  std::array<section, 3> read;
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t left = load16(&reply[6 + 2 * i]); left > 0; --left) {
      placed_record next;
      if (!read_record(reply, at, next)) return std::nullopt;
      const bool of_hop = next.type == rr::opt || next.type == rr::tsig;
      if (of_hop && i < 2) return std::nullopt;
      if (!of_hop) read[i].push_back(next);
    }
  return read;
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

bool answers_chain(const placed_record& one, const names& chain, bool proofs_wanted) {
  if (one.type == rr::dname && !proofs_wanted) return is_any(one.owner, chain);
  const bool may_be_above = one.type == rr::dname || one.type == rr::rrsig;
  return may_be_above ? is_above_any(one.owner, chain) : is_any(one.owner, chain);
}

bool speaks_for_chain(const placed_record& one, const names& chain, bool proofs_wanted) {
  if (one.type == rr::nsec || one.type == rr::nsec3 || one.type == rr::rrsig) return proofs_wanted;
  return (one.type == rr::soa || one.type == rr::ns || one.type == rr::ds) && is_above_any(one.owner, chain);
}

// Where in its data a record names a host; nothing for the types that do not.
std::optional<std::size_t> place_of_host(std::uint16_t type) {
  if (type == rr::ns) return 0;
  if (type == rr::mx || type == rr::svcb || type == rr::https) return 2;
  if (type == rr::srv) return 6;
  return std::nullopt;
}

// Marks what stays of a section, and notes the hosts it names.
template <class Stays>
std::vector<bool> judge(bytes reply, const section& all, names& hosts, Stays&& stays) {
  std::vector<bool> marks;
  for (const auto& one : all) {
    marks.push_back(stays(one));
    const auto place = place_of_host(one.type);
    wire_name host;
    if (marks.back() && place && one.content.size() > *place && expand_name(reply, one.data + *place, host))
      hosts.push_back(host.is_root() ? one.owner : host);  // SVCB's "." is its owner (RFC 9460)
  }
  return marks;
}

bool all_stay(const kept_records& which) {
  const auto every = [](const std::vector<bool>& marks) { return std::ranges::count(marks, false) == 0; };
  return every(which.answer) && every(which.authority) && every(which.additional);
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

// Nothing when a record is malformed, or there are too many aliases.
std::optional<kept_records> what_stays(const query& asked, bytes reply) {
  const auto read = read_sections(reply, header_size + asked.name.size + 4u);
  if (!read) return std::nullopt;
  const auto& [answers, authority, additional] = *read;
  const auto chain = chain_of(asked, reply, answers);
  if (!chain) return std::nullopt;
  names hosts;
  kept_records which;
  which.answer =
      judge(reply, answers, hosts, [&](auto& one) { return answers_chain(one, *chain, asked.wants_dnssec); });
  which.authority = judge(reply, authority, hosts,
                          [&](auto& one) { return speaks_for_chain(one, *chain, asked.wants_dnssec); });
  // Each is looked for among all additional records.
  constexpr std::size_t most_hosts = 64;
  if (hosts.size() > most_hosts) hosts.erase(hosts.begin() + most_hosts, hosts.end());
  // Whoever asks again goes through all that was kept.
  constexpr std::size_t most_additional = 128;
  std::size_t added = 0;
  names none;
  which.additional = judge(reply, additional, none, [&](auto& one) {
    const bool fits =
        one.type == rr::a || one.type == rr::aaaa || (one.type == rr::rrsig && asked.wants_dnssec);
    return fits && added < most_additional && is_any(one.owner, hosts) && ++added > 0;
  });
  return which;
}

}  // namespace

std::optional<bytes> in_bailiwick(const query& asked, bytes reply, std::vector<std::uint8_t>& room) {
  if (is_plain(asked, reply)) return reply;
  const auto which = what_stays(asked, reply);
  if (!which) return std::nullopt;
  if (all_stay(*which)) return reply;
  auto kept = keep_records(reply, *which);
  if (!kept) return std::nullopt;
  // ldns reads on where the fields that it knows end, not where a record's length says: what it took for the
  // next record may be anybody's.
  const auto left = what_stays(asked, *kept);
  if (!left || !all_stay(*left)) return std::nullopt;
  room = std::move(*kept);
  return room;
}

}  // namespace egress::dns
