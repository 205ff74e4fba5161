#pragma once
// labelSelector and fieldSelector of lists and watches. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "runtime/devserver/refusal.hpp"

namespace egress::dev {

// "app=x,tier in (a,b),!gone,zone!=c": all must hold.
class label_selector {
 public:
  static outcome<label_selector> parse(std::string_view text);
  bool matches(const json::object& object) const;
  bool empty() const { return all_.empty(); }

 private:
  enum class test : std::uint8_t { in, not_in, exists, not_exists };
  struct requirement {
    std::string key;
    test how = test::in;
    std::vector<std::string> values;
  };
  class parser;
  std::vector<requirement> all_;
};

// "metadata.name=x,involvedObject.kind!=Pod". Any path to a scalar may be asked for; what is missing is "".
class field_selector {
 public:
  static outcome<field_selector> parse(std::string_view text);
  bool matches(const json::object& object) const;
  bool empty() const { return all_.empty(); }

 private:
  struct requirement {
    std::vector<std::string> path;
    bool equal = true;
    std::string value;
  };
  std::vector<requirement> all_;
};

}  // namespace egress::dev
