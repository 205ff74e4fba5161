#include "actors/dns/cached_answer.hpp"

#include <algorithm>
#include <cstring>

#include "actors/dns/opt_record.hpp"

namespace egress::dns {
namespace {

outcome settled(std::size_t size, rcode code, bool hijacked) {
  return {.what = action::answered, .size = size, .code = code, .hijacked = hijacked};
}

rcode code_of(const cache_entry& entry) {
  return static_cast<rcode>(load16(&entry.message()[2]) & flag::rcode);
}

// How an entry's TTLs are told now.
struct ageing {
  ageing(const cache_finding& found, cache_time now)
      : stale(found.state != cache_state::fresh), age(seconds_between(found.entry->stored, now)) {}

  // A batch's time may be a little before that of the reply it finds.
  static std::uint32_t seconds_between(cache_time then, cache_time now) {
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(now - then).count();
    return whole < 0 ? 0 : static_cast<std::uint32_t>(whole);
  }
  std::uint32_t ttl(std::uint32_t stored) const {
    if (stale) return stale_ttl;
    return stored > age ? stored - age : 0;
  }
  ede note(rcode code) const {
    if (!stale) return ede::none;
    return code == rcode::nxdomain ? ede::stale_nxdomain : ede::stale;
  }
  // Not from an authority any more, and no longer known to be authentic when it is stale.
  std::uint16_t flags(std::uint16_t upstream) const {
    const auto hidden = static_cast<std::uint16_t>(flag::aa | (stale ? flag::ad : 0));
    return static_cast<std::uint16_t>(upstream & ~hidden);
  }

  bool stale;
  std::uint32_t age;
};

// Puts the TTLs of now into a copy of the entry's message, or of as much of it.
void tell_ttls(const cache_entry& entry, const ageing& how, std::uint32_t max_ttl, buffer message) {
  const auto places = entry.ttls();
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] >= message.size()) continue;
    const auto ttl = how.ttl(load32(&message[places[i]]));
    store32(&message[places[i]], i < entry.capped_ttls ? std::min(ttl, max_ttl) : ttl);
  }
}

outcome copy_answer(const query& asked, const cache_entry& entry, const ageing& how, std::uint32_t max_ttl,
                    buffer out) {
  const bytes message = entry.message();
  const rcode code = code_of(entry);
  const ede note = how.note(code);
  const bool whole = message.size() + opt_size(asked) <= out.size();
  const std::size_t size = whole ? message.size() : header_size + asked.question_size;
  std::memcpy(out.data(), message.data(), size);
  std::uint16_t flags = client_flags(asked, how.flags(load16(&message[2])));
  if (whole) {
    tell_ttls(entry, how, max_ttl, out.first(size));
  } else {
    std::memset(&out[6], 0, 6);
    flags |= flag::tc;
  }
  store16(&out[0], asked.id);
  store16(&out[2], flags);
  std::memcpy(&out[header_size], asked.question().data(), asked.question_size);
  if (asked.has_edns) store16(&out[10], load16(&out[10]) + 1u);
  return settled(size + write_opt(asked, rcode::noerror, note, out.subspan(size)), code, false);
}

// For what finish_forwarded has rules of its own for: the upstream's reply as if it came now, or without its
// additional records.
outcome finish_aged(const query& asked, forward_kind kind, const cache_entry& entry, const ageing& how,
                    bool with_additional, const hijack_table* table, const forward_options& options,
                    buffer out) {
  const bytes kept = with_additional ? entry.message() : entry.message().first(entry.additional_at);
  std::vector<std::uint8_t> reply(kept.begin(), kept.end()), answer;
  if (!with_additional) store16(&reply[10], 0);
  tell_ttls(entry, how, options.max_ttl, reply);
  store16(&reply[2], how.flags(load16(&reply[2])));
  const outcome made =
      finish_forwarded(asked, kind, reply, table, options, out.size(), answer, how.note(code_of(entry)));
  std::ranges::copy(answer, out.begin());
  return made;
}

outcome cached_failure(const query& asked, forward_kind how, rcode code, const hijack_table* table,
                       const forward_options& options, buffer out) {
  if (how == forward_kind::wildcard) return respond_hijacked(asked, table, options.answers, out);
  const bool as_it_was =
      how != forward_kind::hijacked_other && how != forward_kind::wildcard_other && !blames_query(code);
  const rcode told = as_it_was ? code : rcode::servfail;
  return respond_error(asked, told, told == rcode::servfail ? ede::cached_error : ede::none, out);
}

}  // namespace

outcome respond_cached(const query& asked, forward_kind how, const cache_finding& found, cache_time now,
                       const hijack_table* table, const forward_options& options, buffer out) {
  const cache_entry& entry = *found.entry;
  if (found.state == cache_state::failed)
    return cached_failure(asked, how, entry.failure, table, options, out);
  const ageing aged(found, now);
  const bool gone = denies_name(entry.message());
  if (how == forward_kind::wildcard && !gone) return respond_hijacked(asked, table, options.answers, out);
  const bool has_rules =
      how == forward_kind::hijacked_other || (how == forward_kind::wildcard_other && !gone);
  if (has_rules) return finish_aged(asked, how, entry, aged, true, table, options, out);
  const auto fits = [&](std::size_t size) { return size + opt_size(asked) <= out.size(); };
  // What is cut, however long, costs no look at its records.
  if (!fits(entry.additional_at)) return copy_answer(asked, entry, aged, options.max_ttl, out);
  // Additional records may have to go: for their size, or as a host of theirs was hijacked since.
  const bool has_more = load16(&entry.message()[10]) > 0;
  if (has_more &&
      (!fits(entry.message().size()) || (table && adds_hijacked_address(asked, entry.message(), *table))))
    return finish_aged(asked, how, entry, aged, false, table, options, out);
  return copy_answer(asked, entry, aged, options.max_ttl, out);
}

}  // namespace egress::dns
