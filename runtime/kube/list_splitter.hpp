#pragma once
// The body of a list, cut into its items while it streams in, so that no list is ever held whole. Pure; one
// body a splitter, used from one thread.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace egress::kube {

struct list_limits {
  std::size_t item_bytes = 8U << 20U;        // the server itself refuses objects beyond 3 MiB
  std::size_t envelope_bytes = 256U << 10U;  // all but the items
};

// What stands around the items.
struct list_envelope {
  std::string kind;              // "DeploymentList"
  std::string resource_version;  // metadata.resourceVersion
  std::string continue_token;    // metadata.continue, "" on the last page
  std::uint64_t remaining = 0;   // metadata.remainingItemCount, 0 when the server does not say
};

class list_splitter {
 public:
  // Called with the text of each item, valid during the call only. An error stops the list.
  using item_sink = std::function<result<void>(std::string_view item)>;

  explicit list_splitter(list_limits limits = {}) : limits_(limits) {}

  // The next bytes, cut anywhere. After an error the splitter is used up. An item's text is JSON as far as
  // braces, brackets and quotes go; the decoder judges the rest of it, finish() the rest of the list.
  result<void> feed(std::string_view bytes, const item_sink& sink);

  // The body is complete.
  result<list_envelope> finish();

 private:
  enum class part : std::uint8_t { envelope, before_item, in_item, after_item };
  enum class text : std::uint8_t { none, string, escape };

  result<std::size_t> feed_envelope(std::string_view bytes);
  result<std::size_t> feed_item(std::string_view bytes, const item_sink& sink);
  result<void> between_items(char c);
  result<void> take_envelope(char c);
  bool step_text(char c);
  result<void> step_structure(char c);
  void note_key(char c);
  result<void> emit(std::string_view last, const item_sink& sink);

  // Objects and arrays that are open, as bits, the innermost lowest: 1 is an object.
  static constexpr unsigned most_depth = 60;
  std::uint64_t open_ = 0;
  unsigned depth_ = 0;

  list_limits limits_;
  part part_ = part::envelope;
  text text_ = text::none;
  bool items_seen_ = false;
  bool at_key_ = false;  // the next string at depth 1 is a member's name
  bool reading_key_ = false;
  bool items_next_ = false;  // behind "items" and its colon
  bool first_item_ = true;
  std::string key_;
  std::string envelope_;    // the body without the items' texts
  std::string item_;        // the part of an item that came with earlier bytes
  std::uint64_t seen_ = 0;  // bytes fed, for messages
};

}  // namespace egress::kube
