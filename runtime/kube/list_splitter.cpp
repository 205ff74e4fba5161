#include "runtime/kube/list_splitter.hpp"

#include "runtime/base/give_back.hpp"
#include "runtime/kube/json_marks.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress::kube {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

}  // namespace

result<void> list_splitter::feed(std::string_view bytes, const item_sink& sink) {
  while (!bytes.empty()) {
    const auto used = part_ == part::in_item ? feed_item(bytes, sink) : feed_envelope(bytes);
    if (!used) return std::unexpected(used.error());
    bytes.remove_prefix(*used);
    seen_ += *used;
  }
  return {};
}

// Follows strings by one character. False: it is outside of them.
bool list_splitter::step_text(char c) {
  if (text_ == text::escape) {
    text_ = text::string;
  } else if (text_ == text::string) {
    if (c == '"') text_ = text::none;
    if (c == '\\') text_ = text::escape;
  } else if (c == '"') {
    text_ = text::string;
  } else {
    return false;
  }
  return true;
}

// Follows objects and arrays by one character that is outside of strings.
result<void> list_splitter::step_structure(char c) {
  if (c == '{' || c == '[') {
    if (depth_ == most_depth)
      return fail("a list that is nested more than {} deep at byte {}", most_depth, seen_);
    open_ = (open_ << 1U) | (c == '{' ? 1U : 0U);
    ++depth_;
  } else if (c == '}' || c == ']') {
    if (depth_ == 0 || (open_ & 1U) != (c == '}' ? 1U : 0U))
      return fail("a list with a '{}' that nothing opened at byte {}", c, seen_);
    open_ >>= 1U;
    --depth_;
  }
  return {};
}

result<std::size_t> list_splitter::feed_envelope(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && part_ != part::in_item) {
    const char c = bytes[used];
    const bool inside = part_ == part::before_item || part_ == part::after_item;
    const auto taken = inside ? between_items(c) : take_envelope(c);
    if (!taken) return std::unexpected(taken.error());
    if (part_ != part::in_item) ++used;  // an item begins with this character
  }
  return used;
}

// Finds the member "items" of the outermost object.
void list_splitter::note_key(char c) {
  if (reading_key_) {
    if (text_ == text::none) {
      reading_key_ = false;
    } else if (key_.size() < 16) {
      key_ += c;
    }
    return;
  }
  if (text_ != text::none) {
    if (depth_ == 1 && at_key_ && text_ == text::string) {
      key_.clear();
      reading_key_ = true;
      at_key_ = false;
    }
    items_next_ = items_next_ && is_space(c);
    return;
  }
  if (depth_ != 1) return;
  if (c == '{' || c == ',') {
    at_key_ = true;
    key_.clear();
  }
  items_next_ = (c == ':' && key_ == "items") || (items_next_ && is_space(c));
}

result<void> list_splitter::take_envelope(char c) {
  const bool begins_items = items_next_ && c == '[';
  if (begins_items && items_seen_) return fail("a list with two \"items\" at byte {}", seen_);
  if (!step_text(c))
    if (auto stepped = step_structure(c); !stepped) return stepped;
  note_key(c);
  if (envelope_.size() == limits_.envelope_bytes)
    return fail("a list with more than {} bytes beside its items", limits_.envelope_bytes);
  envelope_ += c;
  if (begins_items) {
    items_seen_ = true;
    items_next_ = false;
    first_item_ = true;
    part_ = part::before_item;
  }
  return {};
}

result<void> list_splitter::between_items(char c) {
  if (is_space(c)) return {};
  if (c == ']' && (part_ == part::after_item || first_item_)) {
    part_ = part::envelope;
    return take_envelope(c);
  }
  if (part_ == part::after_item && c == ',') {
    part_ = part::before_item;
    return {};
  }
  if (part_ == part::before_item && c == '{') {
    part_ = part::in_item;
    first_item_ = false;
    item_.clear();
    return {};
  }
  return fail("a list whose items are not objects with commas between them, near byte {}", seen_);
}

result<std::size_t> list_splitter::feed_item(std::string_view bytes, const item_sink& sink) {
  constexpr unsigned around = 2;  // the list and its array
  for (std::size_t used = 0;;) {
    if (text_ == text::string) used = json::string_mark(bytes, used);
    if (text_ == text::none) used = json::structure_mark(bytes, used);
    if (used == bytes.size()) break;
    const char c = bytes[used++];
    if (step_text(c)) continue;
    if (auto stepped = step_structure(c); !stepped) return std::unexpected(stepped.error());
    if (depth_ == around) {
      if (auto given = emit(bytes.substr(0, used), sink); !given) return std::unexpected(given.error());
      part_ = part::after_item;
      return used;
    }
  }
  if (bytes.size() > limits_.item_bytes - item_.size())
    return fail("an item of a list with more than {} bytes", limits_.item_bytes);
  item_ += bytes;
  return bytes.size();
}

result<void> list_splitter::emit(std::string_view last, const item_sink& sink) {
  if (last.size() > limits_.item_bytes - item_.size())
    return fail("an item of a list with more than {} bytes", limits_.item_bytes);
  if (item_.empty()) return sink(last);
  item_ += last;
  auto given = sink(item_);
  // One large item must not keep its buffer for the whole list.
  if (item_.capacity() > (256U << 10U)) give_back(item_);
  item_.clear();
  return given;
}

result<list_envelope> list_splitter::finish() {
  if (part_ != part::envelope || depth_ != 0 || text_ != text::none)
    return fail("a list that ends too early, after {} bytes", seen_);
  auto parsed = json::parse_object(envelope_);
  if (!parsed) return fail("a list that is {}", parsed.error().message);
  // null and a missing member are empty lists, as Go writes and reads them.
  if (const auto* items = parsed->if_contains("items"); items != nullptr && !items->is_null())
    if (!items_seen_ || !items->is_array() || !items->get_array().empty())
      return fail("a list whose \"items\" is no list");
  list_envelope out;
  out.kind = json::text_at(*parsed, "kind");
  if (const auto* metadata = parsed->if_contains("metadata"); metadata != nullptr && metadata->is_object()) {
    out.resource_version = json::text_at(metadata->get_object(), "resourceVersion");
    out.continue_token = json::text_at(metadata->get_object(), "continue");
    if (const auto* left = metadata->get_object().if_contains("remainingItemCount");
        left != nullptr && left->is_int64() && left->get_int64() > 0)
      out.remaining = static_cast<std::uint64_t>(left->get_int64());
  }
  return out;
}

}  // namespace egress::kube
