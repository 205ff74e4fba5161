#include "actors/dns/respond.hpp"

#include "actors/dns/answer_writer.hpp"
#include "actors/dns/reverse_zones.hpp"
#include "actors/dns/service_answer.hpp"

namespace egress::dns {
namespace {

outcome answered(std::size_t size, rcode code, bool hijacked) {
  return {.what = action::answered, .size = size, .code = code, .hijacked = hijacked};
}

template <class Addresses>
outcome addresses(const query& asked, const table_entry& entry, const Addresses& list,
                  const respond_options& options, buffer out) {
  if (list.empty()) return respond_nodata(asked, options, forged(asked, entry), out);
  answer_writer answer(asked, rcode::noerror, flag::aa, out);
  for (std::size_t i = 0; i < list.size(); ++i) answer.answer(asked.type, options.ttl, list.at(i));
  return answered(answer.finish(forged(asked, entry)), rcode::noerror, true);
}

// ANY gets one synthesised HINFO (RFC 8482).
outcome minimal_any(const query& asked, const table_entry& entry, const respond_options& options,
                    buffer out) {
  static constexpr std::uint8_t data[] = {7, 'R', 'F', 'C', '8', '4', '8', '2', 0};
  answer_writer answer(asked, rcode::noerror, flag::aa, out);
  answer.answer(rr::hinfo, options.ttl, data);
  return answered(answer.finish(forged(asked, entry)), rcode::noerror, true);
}

outcome pointer(const query& asked, const table_entry& entry, const respond_options& options, buffer out) {
  answer_writer answer(asked, rcode::noerror, flag::aa, out);
  answer.answer(rr::ptr, options.ttl, entry.target());
  return answered(answer.finish(forged(asked, entry)), rcode::noerror, true);
}

// The types whose answer would lead around the gateway, and so are ours to give.
bool answered_here(std::uint16_t type) {
  return rr::leads_to_address(type) || type == rr::any;
}

outcome from_entry(const query& asked, const table_entry& entry, const respond_options& options, buffer out) {
  if (asked.type == rr::any) return minimal_any(asked, entry, options, out);
  if (asked.type == rr::ptr && entry.kind == entry_kind::reverse) return pointer(asked, entry, options, out);
  if (asked.type == rr::a) return addresses(asked, entry, entry.v4, options, out);
  if (asked.type == rr::aaaa) return addresses(asked, entry, entry.v6, options, out);
  return respond_nodata(asked, options, forged(asked, entry), out);
}

outcome forward(forward_kind how) {
  return {.what = action::forward, .how = how};
}

// SVCB and HTTPS of "_8443._https.NAME" are hints about NAME: its entry, when it is hijacked for the client.
std::optional<table_entry> hint_below(const query& asked, const hijack_table& table) {
  if (asked.type != rr::svcb && asked.type != rr::https) return std::nullopt;
  // A port and a scheme; each is looked for.
  constexpr int most_labels = 4;
  wire_name name = asked.name;
  for (int i = 0; i < most_labels && name.size > 2 && name.data[1] == '_'; ++i) {
    const auto parent = table.find_parent(name);
    if (parent && parent->kind == entry_kind::hijacked && sees(asked, *parent)) return parent;
    const std::size_t label = name.data[0] + 1u;
    std::memmove(name.data.data(), name.data.data() + label, name.size - label);
    name.size = static_cast<std::uint8_t>(name.size - label);
    --name.labels;
  }
  return std::nullopt;
}

outcome from_exact(const query& asked, const table_entry& entry, const respond_options& options, buffer out) {
  if (entry.kind == entry_kind::hijacked) {
    if (!sees(asked, entry)) return forward(forward_kind::plain);
    if (!answered_here(asked.type)) return forward(forward_kind::hijacked_other);
  }
  return from_entry(asked, entry, options, out);
}

// Names that begin with "_" are about the name behind.
std::optional<outcome> from_name_below(const query& asked, const hijack_table& table,
                                       const respond_options& options, buffer out) {
  if (asked.name.data[1] != '_') return std::nullopt;
  if (const auto below = respond_below_service(asked, table, options, out)) return below;
  if (const auto parent = hint_below(asked, table))
    return respond_nodata(asked, options, forged(asked, *parent), out);
  return std::nullopt;
}

outcome without_data(const query& asked, const private_reverse& name, const respond_options& options,
                     buffer out) {
  const rcode code = name.exists ? rcode::noerror : rcode::nxdomain;
  answer_writer answer(asked, code, flag::aa, out);
  answer.soa(header_size + name.zone, options.ttl);
  return answered(answer.finish({ede::synthesized, "a name that is served locally (RFC 6303, 9462)"}), code,
                  false);
}

outcome from_table(const query& asked, const hijack_table& table, const respond_options& options,
                   buffer out) {
  const auto entry = table.find(asked.name);
  if (entry && !entry->wildcard) return from_exact(asked, *entry, options, out);
  if (const auto below = from_name_below(asked, table, options, out)) return *below;
  if (entry) {
    if (!sees(asked, *entry)) return forward(forward_kind::plain);
    return forward(answered_here(asked.type) ? forward_kind::wildcard : forward_kind::wildcard_other);
  }
  const auto reverse = find_private_reverse(asked.name);
  if (reverse && !(options.forwarded && options.forwarded->find(asked.name)))
    return without_data(asked, *reverse, options, out);
  return forward(forward_kind::plain);
}

explanation not_supported(const query& asked) {
  return {ede::not_supported,
          asked.rr_class == rr::class_in ? "no zone transfers and no other meta types" : "no class but IN"};
}

}  // namespace

explanation forged(const query& asked, const table_entry& entry) {
  if (!asked.has_edns) return ede::none;
  return {ede::forged_answer,
          entry.kind == entry_kind::hijacked ? "ExternalService " : "Service of the gateway ", entry.owner};
}

outcome respond(const query& asked, reaction judged, bool allowed, const hijack_table* table,
                const respond_options& options, buffer out) {
  if (judged == reaction::drop) return {};
  if (!allowed) return respond_error(asked, rcode::refused, ede::prohibited, out);
  switch (judged) {
    case reaction::formerr:
      return respond_error(asked, rcode::formerr, ede::none, out);
    case reaction::notimp:
      return respond_error(asked, rcode::notimp, ede::none, out);
    case reaction::badvers:
      return respond_error(asked, rcode::badvers, ede::none, out);
    case reaction::refused:
      return respond_error(asked, rcode::refused, not_supported(asked), out);
    case reaction::drop:
    case reaction::serve:
      break;
  }
  // The probe has no EDNS; who asks with it waits for the answer.
  if (asked.name.is_root() && asked.type == rr::ns && !asked.has_edns)
    return forward(forward_kind::root_probe);
  if (!table) return respond_error(asked, rcode::servfail, ede::not_ready, out);
  return from_table(asked, *table, options, out);
}

outcome respond_hijacked(const query& asked, const hijack_table* table, const respond_options& options,
                         buffer out) {
  const auto entry = table ? table->find(asked.name) : std::nullopt;
  if (!entry) return respond_error(asked, rcode::servfail, ede::not_ready, out);
  return from_entry(asked, *entry, options, out);
}

outcome respond_nodata(const query& asked, const respond_options& options, const explanation& why,
                       buffer out) {
  answer_writer answer(asked, rcode::noerror, flag::aa, out);
  answer.soa(header_size, options.ttl);
  return answered(answer.finish(why), rcode::noerror, true);
}

outcome respond_error(const query& asked, rcode code, const explanation& why, buffer out) {
  query bare;
  const query* to = &asked;
  // A query that is no good is not quoted: its parts may not be what they seem. But its OPT, if it was seen,
  // is answered with one: without, we would seem not to know EDNS (RFC 6891, section 7).
  if (code == rcode::formerr || code == rcode::notimp) {
    bare = asked;
    bare.question_size = 0;
    to = &bare;
  }
  answer_writer answer(*to, code, 0, out);
  return answered(answer.finish(why), code, false);
}

}  // namespace egress::dns
