#include "actors/dns/wire.hpp"

// ldns defines `true` itself unless this comes first.
#include <ldns/ldns.h>
#include <stdbool.h>

#include <algorithm>
#include <memory>

#include "actors/dns/record_walk.hpp"

namespace egress::dns {
namespace {

using packet_ptr = std::unique_ptr<ldns_pkt, decltype(&ldns_pkt_free)>;

packet_ptr parse(bytes message) {
  ldns_pkt* parsed = nullptr;
  const bool ok = ldns_wire2pkt(&parsed, message.data(), message.size()) == LDNS_STATUS_OK;
  return {ok ? parsed : nullptr, &ldns_pkt_free};
}

// There may be one OPT and one TSIG (RFC 6891, 6.1.1; RFC 8945, 5.2). ldns reads more, and loses the memory
// of all but the last: an upstream's reply could take 64 KiB each time.
bool repeats_a_meta_record(bytes message) {
  if (message.size() < header_size) return false;
  std::size_t at = header_size, opts = 0, tsigs = 0;
  for (std::size_t left = load16(&message[4]); left > 0; --left) {
    const auto end = skip_name(message, at);
    if (!end || message.size() - *end < 4) return false;
    at = *end + 4;
  }
  const std::size_t records =
      load16(&message[6]) + std::size_t{load16(&message[8])} + std::size_t{load16(&message[10])};
  for (std::size_t i = 0; i < records; ++i) {
    const auto next = next_record(message, at);
    if (!next) return false;
    opts += next->type == rr::opt ? 1 : 0;
    tsigs += next->type == rr::tsig ? 1 : 0;
  }
  return opts > 1 || tsigs > 1;
}

packet_ptr parse_reply(bytes message) {
  if (repeats_a_meta_record(message)) return {nullptr, &ldns_pkt_free};
  return parse(message);
}

std::optional<std::vector<std::uint8_t>> to_wire(const ldns_pkt& packet) {
  std::uint8_t* data = nullptr;
  std::size_t size = 0;
  const bool ok = ldns_pkt2wire(&data, &packet, &size) == LDNS_STATUS_OK;
  const std::unique_ptr<std::uint8_t, decltype(&std::free)> owned(data, &std::free);
  if (!ok || !data) return std::nullopt;
  return std::vector<std::uint8_t>(data, data + size);
}

const ldns_rr* only_question(const ldns_pkt& packet) {
  const ldns_rr_list* questions = ldns_pkt_question(&packet);
  return questions && ldns_rr_list_rr_count(questions) == 1 ? ldns_rr_list_rr(questions, 0) : nullptr;
}

// A copy of each answer of the question's type, with the question's owner, into `to`.
void copy_answers(const ldns_pkt& from, const ldns_rr& question, ldns_pkt& to, re_owned_reply& result) {
  const ldns_rr_list* answers = ldns_pkt_answer(&from);
  for (std::size_t i = 0; answers && i < ldns_rr_list_rr_count(answers); ++i) {
    const ldns_rr* answer = ldns_rr_list_rr(answers, i);
    const bool is_alias_or_signature = ldns_rr_get_type(answer) != ldns_rr_get_type(&question);
    result.changed |=
        is_alias_or_signature || ldns_dname_compare(ldns_rr_owner(answer), ldns_rr_owner(&question)) != 0;
    if (is_alias_or_signature) continue;
    ldns_rr* mine = ldns_rr_clone(answer);
    if (!mine) continue;
    ldns_rdf_deep_free(ldns_rr_owner(mine));
    ldns_rr_set_owner(mine, ldns_rdf_clone(ldns_rr_owner(&question)));
    ldns_pkt_push_rr(&to, LDNS_SECTION_ANSWER, mine);
    ++result.answers;
  }
}

// Copies of the records that stay. False when there are not as many as said.
bool copy_kept(const ldns_rr_list* from, const std::vector<bool>& which, ldns_pkt& to,
               ldns_pkt_section into) {
  const std::size_t count = from ? ldns_rr_list_rr_count(from) : 0;
  if (count != which.size()) return false;
  for (std::size_t i = 0; i < count; ++i)
    if (which[i]) ldns_pkt_push_rr(&to, into, ldns_rr_clone(ldns_rr_list_rr(from, i)));
  return true;
}

}  // namespace

std::optional<re_owned_reply> re_own(bytes reply) {
  const auto parsed = parse_reply(reply);
  const ldns_rr* question = parsed ? only_question(*parsed) : nullptr;
  if (!question) return std::nullopt;
  const packet_ptr built(ldns_pkt_new(), &ldns_pkt_free);
  if (!built) return std::nullopt;
  ldns_pkt_set_id(built.get(), ldns_pkt_id(parsed.get()));
  ldns_pkt_set_qr(built.get(), true);
  ldns_pkt_set_tc(built.get(), ldns_pkt_tc(parsed.get()));
  ldns_pkt_push_rr(built.get(), LDNS_SECTION_QUESTION, ldns_rr_clone(question));
  re_owned_reply result;
  copy_answers(*parsed, *question, *built, result);
  auto message = to_wire(*built);
  if (!message) return std::nullopt;
  result.message = std::move(*message);
  return result;
}

std::optional<std::vector<std::uint8_t>> keep_records(bytes reply, const kept_records& which) {
  const auto parsed = parse_reply(reply);
  const ldns_rr* question = parsed ? only_question(*parsed) : nullptr;
  const packet_ptr built(ldns_pkt_new(), &ldns_pkt_free);
  if (!question || !built) return std::nullopt;
  ldns_pkt_push_rr(built.get(), LDNS_SECTION_QUESTION, ldns_rr_clone(question));
  const bool same =
      copy_kept(ldns_pkt_answer(parsed.get()), which.answer, *built, LDNS_SECTION_ANSWER) &&
      copy_kept(ldns_pkt_authority(parsed.get()), which.authority, *built, LDNS_SECTION_AUTHORITY) &&
      copy_kept(ldns_pkt_additional(parsed.get()), which.additional, *built, LDNS_SECTION_ADDITIONAL);
  auto message = same ? to_wire(*built) : std::nullopt;
  if (message) std::copy_n(reply.begin(), 4, message->begin());
  return message;
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
