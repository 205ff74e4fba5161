#include "runtime/devserver/selector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "runtime/devserver/tree.hpp"

namespace egress::dev {
namespace {

std::string trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(' ');
  if (from == std::string_view::npos) return {};
  return std::string{text.substr(from, text.find_last_not_of(' ') - from + 1)};
}

}  // namespace

// One pass over the text; tokens are keys and values (anything but the operators' characters) and operators.
class label_selector::parser {
 public:
  explicit parser(std::string_view text) : text_(text) {}

  bool read(std::vector<requirement>& to) {
    skip_spaces();
    while (at_ < text_.size()) {
      auto one = requirement_here();
      if (!one) return false;
      to.push_back(std::move(*one));
      skip_spaces();
      if (at_ == text_.size()) return true;
      if (!take(",")) return false;
      skip_spaces();
      if (at_ == text_.size()) return false;
    }
    return true;
  }

 private:
  std::optional<requirement> requirement_here() {
    if (take("!")) {
      auto key = word();
      if (key.empty()) return std::nullopt;
      return requirement{std::move(key), test::not_exists, {}};
    }
    requirement one{word(), test::exists, {}};
    if (one.key.empty()) return std::nullopt;
    skip_spaces();
    if (at_ == text_.size() || text_[at_] == ',') return one;
    if (take("!=")) return one.how = test::not_in, one.values = {word()}, one;
    if (take("==") || take("=")) return one.how = test::in, one.values = {word()}, one;
    const auto how = word();
    if (how != "in" && how != "notin") return std::nullopt;
    one.how = how == "in" ? test::in : test::not_in;
    if (!values_here(one.values)) return std::nullopt;
    return one;
  }

  bool values_here(std::vector<std::string>& to) {
    skip_spaces();
    if (!take("(")) return false;
    do {
      to.push_back(word());
      skip_spaces();
    } while (take(","));
    return take(")");
  }

  std::string word() {
    skip_spaces();
    const auto from = at_;
    at_ = std::min(text_.find_first_of(" ,()=!", at_), text_.size());
    return std::string{text_.substr(from, at_ - from)};
  }
  void skip_spaces() { at_ = std::min(text_.find_first_not_of(' ', at_), text_.size()); }
  bool take(std::string_view what) {
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

outcome<label_selector> label_selector::parse(std::string_view text) {
  label_selector made;
  if (!parser(text).read(made.all_))
    return bad_request(
        fmt::format("unable to parse requirement: found '{}', which is no label selector", text));
  return made;
}

bool label_selector::matches(const json::object& object) const {
  if (all_.empty()) return true;
  const auto* const labels = object_at(object, {"metadata", "labels"});
  return std::ranges::all_of(all_, [labels](const requirement& one) {
    const auto* const value = labels == nullptr ? nullptr : labels->if_contains(one.key);
    if (one.how == test::exists) return value != nullptr;
    if (one.how == test::not_exists) return value == nullptr;
    const bool listed =
        value != nullptr && value->is_string() &&
        std::ranges::find(one.values, std::string_view{value->get_string()}) != one.values.end();
    return listed == (one.how == test::in);
  });
}

outcome<field_selector> field_selector::parse(std::string_view text) {
  field_selector made;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    const auto one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto sign = one.find('=');
    if (sign == std::string_view::npos || sign == 0)
      return bad_request(fmt::format("invalid selector: '{}'; can't understand it", one));
    requirement wanted;
    wanted.equal = one[sign - 1] != '!';
    auto rest = trimmed(one.substr(0, wanted.equal ? sign : sign - 1));
    wanted.value = trimmed(one.substr(one.find_first_not_of('=', sign) == std::string_view::npos
                                          ? one.size()
                                          : one.find_first_not_of('=', sign)));
    for (std::size_t from = 0; from <= rest.size();) {
      const auto dot = std::min(rest.find('.', from), rest.size());
      wanted.path.push_back(rest.substr(from, dot - from));
      from = dot + 1;
    }
    made.all_.push_back(std::move(wanted));
  }
  return made;
}

bool field_selector::matches(const json::object& object) const {
  return std::ranges::all_of(all_, [&object](const requirement& one) {
    const json::object* in = &object;
    std::string value;
    for (const auto& name : one.path) {
      const auto* const member = in == nullptr ? nullptr : in->if_contains(name);
      in = member == nullptr ? nullptr : member->if_object();
      value = member != nullptr && member->is_string() ? std::string{member->get_string()} : "";
    }
    return (value == one.value) == one.equal;
  });
}

}  // namespace egress::dev
