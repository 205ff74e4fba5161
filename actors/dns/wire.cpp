#include "actors/dns/wire.hpp"

// ldns defines `true` itself unless this comes first.
#include <ldns/ldns.h>
#include <stdbool.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>

#include "actors/dns/message_writer.hpp"
#include "actors/dns/record_walk.hpp"

namespace egress::dns {
namespace {

using packet_ptr = std::unique_ptr<ldns_pkt, decltype(&ldns_pkt_free)>;

packet_ptr parse(bytes message) {
  ldns_pkt* parsed = nullptr;
  const bool ok = ldns_wire2pkt(&parsed, message.data(), message.size()) == LDNS_STATUS_OK;
  return {ok ? parsed : nullptr, &ldns_pkt_free};
}

// What ldns sets aside for a record of fields that repeat: as much as all of them for each. Of other types
// the fields are few.
std::size_t set_aside_for(std::uint16_t type, bytes data) {
  constexpr std::uint16_t apl = 42, hip = 55, ninfo = 56, spf = 99, avc = 258;
  constexpr std::array<std::uint16_t, 4> lists_of_texts{rr::txt, ninfo, spf, avc};
  if (type == apl || type == hip) return data.size() / 2 * data.size();
  if (std::ranges::find(lists_of_texts, type) == lists_of_texts.end()) return 0;
  std::size_t texts = 0;
  for (std::size_t at = 0; at < data.size(); at += data[at] + std::size_t{1}) ++texts;
  return texts * data.size();
}

// There may be one OPT and one TSIG (RFC 6891, 6.1.1; RFC 8945, 5.2). ldns reads more, and loses the memory
// of all but the last: an upstream's reply could take 64 KiB each time. And a TXT record of 65,000 empty
// texts is 65,000 blocks of 65,000 bytes to it.
bool ldns_may_read(bytes message) {
  constexpr std::size_t most_set_aside = std::size_t{8} << 20U;  // 180 full texts have 46 KB, and take this
  if (message.size() < header_size) return true;
  std::size_t at = header_size, opts = 0, tsigs = 0, set_aside = 0;
  for (std::size_t left = load16(&message[4]); left > 0; --left) {
    const auto end = skip_name(message, at);
    if (!end || message.size() - *end < 4) return true;
    at = *end + 4;
  }
  const std::size_t records =
      load16(&message[6]) + std::size_t{load16(&message[8])} + std::size_t{load16(&message[10])};
  for (std::size_t i = 0; i < records; ++i) {
    const auto next = next_record(message, at);
    if (!next) return true;
    opts += next->type == rr::opt ? 1 : 0;
    tsigs += next->type == rr::tsig ? 1 : 0;
    set_aside += set_aside_for(next->type, message.subspan(next->data(), at - next->data()));
  }
  return opts <= 1 && tsigs <= 1 && set_aside <= most_set_aside;
}

packet_ptr parse_reply(bytes message) {
  if (!ldns_may_read(message)) return {nullptr, &ldns_pkt_free};
  return parse(message);
}

bytes view(const ldns_rdf& of) {
  return {ldns_rdf_data(&of), ldns_rdf_size(&of)};
}

message_writer begin_message(const ldns_rr& question, std::uint16_t id, std::uint16_t flags) {
  return {id, flags, view(*ldns_rr_owner(&question)), static_cast<std::uint16_t>(ldns_rr_get_type(&question)),
          static_cast<std::uint16_t>(ldns_rr_get_class(&question))};
}

void write(message_writer& to, message_writer::section in, const ldns_rr& record, const ldns_rdf& owner,
           std::uint32_t ttl) {
  to.begin_record(in, view(owner), static_cast<std::uint16_t>(ldns_rr_get_type(&record)),
                  static_cast<std::uint16_t>(ldns_rr_get_class(&record)), ttl);
  for (std::size_t i = 0; i < ldns_rr_rd_count(&record); ++i) {
    const ldns_rdf& field = *ldns_rr_rdf(&record, i);
    ldns_rdf_get_type(&field) == LDNS_RDF_TYPE_DNAME ? to.add_name(view(field)) : to.add_data(view(field));
  }
}

const ldns_rr* only_question(const ldns_pkt& packet) {
  const ldns_rr_list* questions = ldns_pkt_question(&packet);
  return questions && ldns_rr_list_rr_count(questions) == 1 ? ldns_rr_list_rr(questions, 0) : nullptr;
}

// (ldns's own comparison walks along both names again for each label.)
bool same_owner(const ldns_rr& a, const ldns_rr& b) {
  return std::ranges::equal(view(*ldns_rr_owner(&a)), view(*ldns_rr_owner(&b)), {}, to_lower, to_lower);
}

// The shortest life of the aliases in an answer: what they lead to is true of the question no longer.
std::uint32_t life_of_aliases(const ldns_rr_list* answers, std::uint32_t max_ttl) {
  std::uint32_t least = std::numeric_limits<std::uint32_t>::max();
  for (std::size_t i = 0; answers && i < ldns_rr_list_rr_count(answers); ++i) {
    const ldns_rr* one = ldns_rr_list_rr(answers, i);
    const auto type = static_cast<std::uint16_t>(ldns_rr_get_type(one));
    if (type == rr::cname || type == rr::dname)
      least = std::min({least, max_ttl, bounded_ttl(ldns_rr_ttl(one))});
  }
  return least;
}

// Each answer of the question's type, with the question's owner.
void write_answers(const ldns_pkt& from, const ldns_rr& question, message_writer& to, std::uint32_t max_ttl,
                   re_owned_reply& result) {
  const ldns_rr_list* answers = ldns_pkt_answer(&from);
  const auto most = life_of_aliases(answers, max_ttl);
  for (std::size_t i = 0; answers && i < ldns_rr_list_rr_count(answers); ++i) {
    const ldns_rr* answer = ldns_rr_list_rr(answers, i);
    const bool is_alias_or_signature = ldns_rr_get_type(answer) != ldns_rr_get_type(&question);
    result.changed |= is_alias_or_signature || !same_owner(*answer, question);
    if (is_alias_or_signature) continue;
    write(to, message_writer::section::answer, *answer, *ldns_rr_owner(&question),
          std::min(bounded_ttl(ldns_rr_ttl(answer)), most));
    ++result.answers;
  }
}

// The records that stay. False when there are not as many as said.
bool write_kept(const ldns_rr_list* from, const std::vector<bool>& which, message_writer& to,
                message_writer::section in) {
  const std::size_t count = from ? ldns_rr_list_rr_count(from) : 0;
  if (count != which.size()) return false;
  for (std::size_t i = 0; i < count; ++i)
    if (const ldns_rr* record = ldns_rr_list_rr(from, i); which[i])
      write(to, in, *record, *ldns_rr_owner(record), ldns_rr_ttl(record));
  return true;
}

}  // namespace

std::optional<re_owned_reply> re_own(bytes reply, std::uint32_t max_ttl) {
  const auto parsed = parse_reply(reply);
  const ldns_rr* question = parsed ? only_question(*parsed) : nullptr;
  if (!question) return std::nullopt;
  const auto flags = static_cast<std::uint16_t>(flag::qr | (ldns_pkt_tc(parsed.get()) ? flag::tc : 0));
  auto to = begin_message(*question, ldns_pkt_id(parsed.get()), flags);
  re_owned_reply result;
  write_answers(*parsed, *question, to, max_ttl, result);
  auto message = std::move(to).finish();
  if (!message) return std::nullopt;
  result.message = std::move(*message);
  return result;
}

std::optional<std::vector<std::uint8_t>> keep_records(bytes reply, const kept_records& which) {
  using enum message_writer::section;
  const auto parsed = parse_reply(reply);
  const ldns_rr* question = parsed ? only_question(*parsed) : nullptr;
  if (!question) return std::nullopt;
  auto to = begin_message(*question, load16(&reply[0]), load16(&reply[2]));
  const bool same = write_kept(ldns_pkt_answer(parsed.get()), which.answer, to, answer) &&
                    write_kept(ldns_pkt_authority(parsed.get()), which.authority, to, authority) &&
                    write_kept(ldns_pkt_additional(parsed.get()), which.additional, to, additional);
  return same ? std::move(to).finish() : std::nullopt;
}

std::optional<second_opinion> read_with_ldns(bytes message) {
  const auto parsed = parse(message);
  if (!parsed) return std::nullopt;
  second_opinion said;
  said.id = ldns_pkt_id(parsed.get());
  said.questions = static_cast<unsigned>(ldns_rr_list_rr_count(ldns_pkt_question(parsed.get())));
  said.has_edns = ldns_pkt_edns(parsed.get());
  said.udp_size = ldns_pkt_edns_udp_size(parsed.get());
  said.wants_dnssec = ldns_pkt_edns_do(parsed.get());
  if (const ldns_rr* question = only_question(*parsed)) {
    said.type = static_cast<std::uint16_t>(ldns_rr_get_type(question));
    said.rr_class = static_cast<std::uint16_t>(ldns_rr_get_class(question));
    const ldns_rdf* owner = ldns_rr_owner(question);
    said.name.assign(ldns_rdf_data(owner), ldns_rdf_data(owner) + ldns_rdf_size(owner));
  }
  return said;
}

}  // namespace egress::dns
