#pragma once
// One watch: what it has to send, as lines of JSON, whenever it is asked. Pure; the shell asks after every
// change and at the time the watch names.

#include <array>

#include "runtime/base/time.hpp"
#include "runtime/devserver/list.hpp"
#include "runtime/devserver/table.hpp"

namespace egress::dev {

struct watch_plan {
  const resource* of = nullptr;
  selection chosen;
  std::uint64_t from = 0;      // changes after this version
  bool initial = false;        // first the present state, as ADDED events
  bool marks_initial = false;  // and then a bookmark that says so (sendInitialEvents)
  bool bookmarks = false;
  bool as_table = false;
  row_object include = row_object::metadata;
  milliseconds timeout{0};
  milliseconds bookmark_every{60'000};
};

outcome<watch_plan> plan_watch(const store& objects, const parsed_request& what);

// What tests make of the watches of a kind.
struct watch_faults {
  bool stall = false;  // nothing is sent any more, not even the end
  bool drop_bookmarks = false;
  bool duplicate = false;  // every event twice
  bool reorder = false;    // events of different objects in another order; of one object in theirs
};

// The JSON of changed objects, made once for all watches. Holds the latest few.
class encoded_objects {
 public:
  const std::string& text_of(const change& what);

 private:
  struct entry {
    std::uint64_t version = 0;
    std::string text;
  };
  std::array<entry, 512> latest_;
};

class watch_session {
 public:
  // The store and the encoder must outlive it.
  watch_session(const store& objects, encoded_objects& texts, watch_plan plan, steady_time now);

  // The lines to send now, "" for none.
  std::string next(steady_time now, wall_time wall, const watch_faults& faults);
  // An ERROR event with this status, which ends the watch.
  std::string refuse(const refusal& what);

  bool finished() const { return finished_; }
  // When next() has something to do without a change.
  steady_time wake_at() const;

 private:
  struct line {
    object_key key;
    std::string text;
  };
  void begin_initial();
  std::string initial_events(wall_time wall);
  void add_line(const change& what, wall_time wall, std::vector<line>& to);
  std::string event(std::string_view type, const stored& object, const std::string& encoded, wall_time wall);
  std::string bookmark(bool initial_end);

  const store& objects_;
  encoded_objects& texts_;
  watch_plan plan_;
  std::uint64_t cursor_;
  std::optional<std::vector<stored>> initial_;  // that are still to be told, the next one last
  steady_time ends_, bookmark_due_;
  bool started_ = false, finished_ = false, columns_sent_ = false;
};

}  // namespace egress::dev
