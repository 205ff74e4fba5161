#include "actors/dns/saved_table.hpp"

#include <algorithm>
#include <map>

#include "actors/dns/client_acl.hpp"
#include "runtime/net/sha256.hpp"

namespace egress::dns {
namespace {

constexpr std::string_view kind_of_file = "egress-operator DNS table, version ";
constexpr std::string_view first_line = "egress-operator DNS table, version 1\n";
constexpr std::size_t size_at = first_line.size(), checksum_at = size_at + 8, entries_at = checksum_at + 32;
constexpr std::size_t entry_head = 7;
constexpr std::size_t longest_owner = 253;  // of a Kubernetes object's name

std::string_view text_of(bytes data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}
bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void append(std::vector<std::uint8_t>& to, bytes data) {
  to.insert(to.end(), data.begin(), data.end());
}

void append_entry(std::vector<std::uint8_t>& to, const table_entry& entry) {
  const auto tag = static_cast<unsigned>(entry.kind) | (entry.wildcard ? record_wildcard : 0u);
  const std::uint8_t head[entry_head] = {static_cast<std::uint8_t>(tag),
                                         static_cast<std::uint8_t>(entry.v4.size() | entry.v6.size() << 4),
                                         static_cast<std::uint8_t>(entry.name.size()),
                                         static_cast<std::uint8_t>(entry.extra.size() >> 8),
                                         static_cast<std::uint8_t>(entry.extra.size()),
                                         static_cast<std::uint8_t>(entry.owner.size() >> 8),
                                         static_cast<std::uint8_t>(entry.owner.size())};
  for (const auto part :
       {bytes(head), entry.name, entry.v4.packed(), entry.v6.packed(), entry.extra, bytes_of(entry.owner)})
    append(to, part);
}

// Takes entries from the front of what is left; nothing when that is cut or says what no entry can say.
class entry_reader {
 public:
  explicit entry_reader(bytes entries) : left_(entries) {}
  bool done() const { return left_.empty(); }

  std::optional<table_entry> next() {
    if (left_.size() < entry_head) return std::nullopt;
    const auto head = take(entry_head);
    const std::size_t v4 = head[1] & 15u, v6 = head[1] >> 4u;
    const std::size_t extra = load16(&head[3]), owner = load16(&head[5]);
    const bool known = (head[0] & ~(record_kind | record_wildcard)) == 0 && (head[0] & record_kind) <= 2;
    if (!known || v4 > max_addresses || v6 > max_addresses || owner > longest_owner) return std::nullopt;
    if (left_.size() < head[2] + v4 * 4 + v6 * 16 + extra + owner) return std::nullopt;
    table_entry entry;
    entry.kind = static_cast<entry_kind>(head[0] & record_kind);
    entry.wildcard = (head[0] & record_wildcard) != 0;
    entry.name = take(head[2]);
    entry.v4 = address_list<4>(take(v4 * 4));
    entry.v6 = address_list<16>(take(v6 * 16));
    entry.extra = take(extra);
    entry.owner = text_of(take(owner));
    if (!is_name(entry.name) || !may_have(entry.kind, entry.extra)) return std::nullopt;
    return entry;
  }

 private:
  static bool may_have(entry_kind kind, bytes extra) {
    if (kind == entry_kind::reverse) return is_name(extra);
    if (kind == entry_kind::hijacked) return are_packed_networks(extra);
    return extra.size() % packed_port == 0;
  }
  static bool is_name(bytes name) { return plain_name_size(name, 0) == name.size(); }
  bytes take(std::size_t size) {
    const auto part = left_.first(size);
    left_ = left_.subspan(size);
    return part;
  }
  bytes left_;
};

// The records of a table, of entries in any order.
class table_loader {
 public:
  explicit table_loader(const std::optional<wire_name>& cluster) : cluster_(cluster) {}

  void add(const table_entry& entry) {
    if (entry.kind == entry_kind::hijacked && cluster_ && is_at_or_below(entry.name, *cluster_)) return;
    if (entry.kind == entry_kind::reverse) return reverse_.push_back(entry);
    const auto place = claim(entry, 0);
    if (entry.kind == entry_kind::in_cluster) places_.emplace(text_of(entry.name), place);
  }
  std::shared_ptr<const hijack_table> finish() {
    for (const auto& entry : reverse_) claim(entry, target_of(entry));
    return std::make_shared<const hijack_table>(std::move(records_), claims_, cluster_);
  }

 private:
  // A target that lost its name to a hijacked one was not saved, and is unseen here, too.
  record_place target_of(const table_entry& reverse) {
    const auto [found, missing] = places_.try_emplace(text_of(reverse.target()), 0);
    if (missing)
      found->second = write_record(records_, {.kind = entry_kind::in_cluster,
                                              .wildcard = false,
                                              .name = reverse.target(),
                                              .owner = reverse.owner,
                                              .v4 = {},
                                              .v6 = {},
                                              .extra = {}});
    return found->second;
  }
  record_place claim(const table_entry& entry, record_place target) {
    const auto place = write_record(records_, entry, target);
    claims_.push_back({.record = place});
    return place;
  }

  std::optional<wire_name> cluster_;
  record_arena records_;
  std::vector<table_claim> claims_;
  std::map<std::string_view, record_place> places_;  // of in-cluster names
  std::vector<table_entry> reverse_;
};

// The entries' bytes, when the file is whole and of this version.
result<bytes> checked_entries(bytes file) {
  const auto text = text_of(file);
  if (!text.starts_with(kind_of_file)) return fail("it is no saved DNS table");
  if (!text.starts_with(first_line))
    return fail("it was saved by another version ({})",
                text.substr(kind_of_file.size(),
                            std::min(text.find('\n'), kind_of_file.size() + 8) - kind_of_file.size()));
  if (file.size() < entries_at) return fail("it is cut short");
  const auto entries = file.subspan(entries_at);
  const auto size = std::uint64_t{load32(&file[size_at])} << 32 | load32(&file[size_at + 4]);
  if (size != entries.size()) return fail("it is cut short: {} bytes of {}", entries.size(), size);
  if (!std::ranges::equal(net::sha256(text_of(entries)), file.subspan(checksum_at, 32)))
    return fail("it is damaged: its checksum is wrong");
  return entries;
}

}  // namespace

std::vector<std::uint8_t> encode_table(const hijack_table& table) {
  std::vector<std::uint8_t> file(entries_at);
  std::ranges::copy(first_line, file.begin());
  table.for_each([&](const table_entry& entry) { append_entry(file, entry); });
  const auto entries = bytes(file).subspan(entries_at);
  store32(&file[size_at], static_cast<std::uint32_t>(entries.size() >> 32));
  store32(&file[size_at + 4], static_cast<std::uint32_t>(entries.size()));
  std::ranges::copy(net::sha256(text_of(entries)), file.begin() + checksum_at);
  return file;
}

result<std::shared_ptr<const hijack_table>> decode_table(bytes file, std::optional<wire_name> cluster) {
  const auto entries = checked_entries(file);
  if (!entries) return std::unexpected(entries.error());
  table_loader loader(cluster);
  for (entry_reader reader(*entries); !reader.done();) {
    const auto entry = reader.next();
    if (!entry) return fail("it is damaged: it has an entry that cannot be");
    loader.add(*entry);
  }
  return loader.finish();
}

}  // namespace egress::dns
