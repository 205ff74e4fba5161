#pragma once
// Writes what counts of a child as bytes, from whatever tree it is in: equal bytes mean that nothing that
// counts differs, whatever the order of members, the spelling of quantities, or what is left empty. Only for
// digests of this process: never stored, never read.

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/kube/field_meaning.hpp"
#include "runtime/kube/keys.hpp"
#include "runtime/kube/kind.hpp"
#include "runtime/kube/projection.hpp"
#include "runtime/kube/quantity.hpp"

namespace egress::kube {

enum class shape : std::uint8_t { null, boolean, negative, natural, fraction, text, list, object };

// A value of a tree, cheap to copy. Numbers that are whole are negative or natural, however they are held;
// word() has their bits, or those of a fraction. each_item() and each_member() visit in any order.
template <class Value>
concept tree_value = requires(const Value& value, std::string_view name) {
  { value.type() } -> std::same_as<shape>;
  { value.flag() } -> std::same_as<bool>;
  { value.word() } -> std::same_as<std::uint64_t>;
  { value.text() } -> std::same_as<std::string_view>;
  { value.member(name) } -> std::same_as<std::optional<Value>>;  // none when it is no object
  value.each_item([](const Value&) {});
  value.each_member([](std::string_view, const Value&) {});
};

// Where what counts may be.
template <tree_value Value>
struct counting_parts {
  std::optional<Value> labels, annotations, owners, spec, data, binary_data;
};

template <tree_value Value>
class projection_writer {
 public:
  using maybe = std::optional<Value>;
  using names = std::span<const std::string_view>;

  explicit projection_writer(std::string& out) : out_(out) { sorted_.reserve(usual_members); }

  void write(kind of, const counting_parts<Value>& from, const projection_rules& rules) {
    write_labels(of, from.labels);
    write_annotations(of, from.annotations, rules);
    section([&] { return chosen(controller_of(from.owners), owner_fields); });
    if (of == kind::config_map) {
      write_members(from.data, "data");
      write_members(from.binary_data, "binaryData");
    } else if (of == kind::deployment) {
      write_deployment(from.spec, rules);
    } else if (of == kind::service) {
      write_members(from.spec, "spec", names(copied_from_live).first(rules.ip_family_policy ? 3 : 4));
    } else {
      write_members(from.spec, "spec");
    }
  }

 private:
  static constexpr std::array<std::string_view, 4> copied_from_live{"clusterIP", "clusterIPs", "ipFamilies",
                                                                    "ipFamilyPolicy"};
  static constexpr std::array<std::string_view, 2> our_labels{keys::app, keys::gateway};
  static constexpr std::array<std::string_view, 1> hijack_label{keys::hijack_dns};
  static constexpr std::array<std::string_view, 1> our_annotations{keys::dns_name};
  static constexpr std::array<std::string_view, 3> our_pod_annotations{keys::dns_name, keys::config_hash,
                                                                       keys::admin_port};
  // What autoscaling/v2 knows more than v1: a spec in disguise, which we never set.
  static constexpr std::array<std::string_view, 2> spec_in_annotations{
      "autoscaling.alpha.kubernetes.io/behavior", "autoscaling.alpha.kubernetes.io/metrics"};
  static constexpr std::array<std::string_view, 1> topology_annotation{keys::topology_mode};
  static constexpr std::array<std::string_view, 6> owner_fields{
      "apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"};
  static constexpr std::array<std::string_view, 2> apart_in_deployment{"replicas", "template"};
  static constexpr std::array<std::string_view, 1> apart_in_template{"metadata"};
  // Of an object and those that it is in: enough for a Deployment.
  static constexpr std::size_t usual_members = 32;
  // No object of ours comes near; what is deeper does not count.
  static constexpr unsigned most_levels = 60;

  void write_labels(kind of, const maybe& labels) {
    section([&] {
      return chosen(labels, our_labels) + (of == kind::service ? chosen(labels, hijack_label) : 0);
    });
  }

  void write_annotations(kind of, const maybe& annotations, const projection_rules& rules) {
    section([&] {
      auto count = chosen(annotations, our_annotations);
      if (rules.topology_mode) count += chosen(annotations, topology_annotation);
      if (of == kind::horizontal_pod_autoscaler) count += chosen(annotations, spec_in_annotations);
      return count;
    });
  }

  // The controller entry; other owners are none of ours.
  static maybe controller_of(const maybe& owners) {
    maybe found;
    if (!owners || owners->type() != shape::list) return found;
    owners->each_item([&](const Value& owner) {
      const maybe controller = found ? std::nullopt : owner.member("controller");
      if (controller && controller->type() == shape::boolean && controller->flag()) found = owner;
    });
    return found;
  }

  // Without the replicas, which are the autoscaler's, and what others note on its pods.
  void write_deployment(const maybe& spec, const projection_rules& rules) {
    write_members(spec, "spec", apart_in_deployment);
    const maybe pods = spec ? spec->member("template") : std::nullopt;
    write_members(pods, "template", apart_in_template);
    const maybe metadata = pods ? pods->member("metadata") : std::nullopt;
    write_members(metadata ? metadata->member("labels") : std::nullopt, "labels");
    const maybe annotations = metadata ? metadata->member("annotations") : std::nullopt;
    section([&] {
      return chosen(annotations, our_pod_annotations) +
             (rules.topology_mode ? chosen(annotations, topology_annotation) : 0);
    });
  }

  // What `write` appends, after the number that it gives: how many members those are.
  template <class Write>
  std::uint64_t section(Write&& write) {
    const auto at = out_.size();
    append_word(0);
    const std::uint64_t count = write();
    const auto bytes = std::bit_cast<std::array<char, sizeof count>>(count);
    std::ranges::copy(bytes, out_.begin() + static_cast<std::ptrdiff_t>(at));
    return count;
  }

  // Those of the members that there are, as they are.
  std::uint64_t chosen(const maybe& in, names which) {
    std::uint64_t count = 0;
    for (const auto name : which) {
      const maybe value = in ? in->member(name) : std::nullopt;
      if (!value || value->type() == shape::null) continue;
      append_text(name);
      write_value(*value, name, 0);
      ++count;
    }
    return count;
  }

  void write_members(const maybe& in, std::string_view name, names but = {}) {
    if (in && in->type() == shape::object)
      members(*in, name, but, 0);
    else
      append_word(0);
  }

  // In the order of their names. How many say something: the others are left out.
  std::uint64_t members(const Value& in, std::string_view name, names but, unsigned level) {
    const auto first = sorted_.size();
    in.each_member([&](std::string_view key, const Value& value) {
      if (value.type() != shape::null && std::ranges::find(but, key) == but.end())
        sorted_.emplace_back(key, value);
    });
    std::sort(sorted_.begin() + static_cast<std::ptrdiff_t>(first), sorted_.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    const auto end = sorted_.size();
    const auto count = section([&] {
      std::uint64_t written = 0;
      for (auto i = first; i < end; ++i) {
        const auto [key, value] = sorted_[i];  // a copy: it grows below
        written += write_member(key, value, name, level) ? 1 : 0;
      }
      return written;
    });
    sorted_.erase(sorted_.begin() + static_cast<std::ptrdiff_t>(first), sorted_.end());
    return count;
  }

  bool write_member(std::string_view key, const Value& value, std::string_view parent, unsigned level) {
    const auto before = out_.size();
    append_text(key);
    const bool says_nothing =
        is_quantity({key, parent}) ? write_quantity(value, key, level) : write_value(value, key, level);
    const bool counts_all_the_same = (value.type() == shape::object && empty_says_something(key)) ||
                                     (value.type() == shape::text && keys_are_chosen(parent));
    if (says_nothing && !counts_all_the_same) out_.resize(before);
    return !says_nothing || counts_all_the_same;
  }

  // Both give whether it says nothing: null, "", an empty list or object. `name` is that of the member it
  // stands at; items of a list stay where they are, whatever they are.
  bool write_quantity(const Value& what, std::string_view name, unsigned level) {
    const auto read = parse_quantity(what);
    if (!read) return write_value(what, name, level);
    out_ += 's';
    append_text(read->canonical());
    return false;
  }

  bool write_value(const Value& what, std::string_view name, unsigned level) {
    switch (level > most_levels ? shape::null : what.type()) {
      case shape::null:
        out_ += 'n';
        return true;
      case shape::boolean:
        out_ += what.flag() ? 't' : 'f';
        return false;
      case shape::negative:
        return append_number('-', what.word());
      case shape::natural:
        return append_number('+', what.word());
      case shape::fraction:
        return append_number('d', what.word());
      case shape::text:
        out_ += 's';
        append_text(what.text());
        return what.text().empty();
      case shape::list:
        out_ += '[';
        return section([&] {
                 std::uint64_t count = 0;
                 what.each_item([&](const Value& item) { write_value(item, {}, level + 1), ++count; });
                 return count;
               }) == 0;
      case shape::object:
        out_ += '{';
        return members(what, name, {}, level + 1) == 0;
    }
    return true;
  }

  static result<quantity> parse_quantity(const Value& what) {
    switch (what.type()) {
      case shape::text:
        return quantity::parse(what.text());
      case shape::natural:
        return quantity::parse(json::value(what.word()));
      case shape::negative:
        return quantity::parse(json::value(static_cast<std::int64_t>(what.word())));
      case shape::fraction:
        return quantity::parse(json::value(std::bit_cast<double>(what.word())));
      default:
        return fail("no quantity");
    }
  }

  // What has no fixed length tells it before.
  void append_word(std::uint64_t word) {
    const auto bytes = std::bit_cast<std::array<char, sizeof word>>(word);
    out_.append(bytes.data(), bytes.size());
  }
  void append_text(std::string_view text) {
    append_word(text.size());
    out_ += text;
  }
  bool append_number(char sign, std::uint64_t word) {
    out_ += sign;
    append_word(word);
    return false;
  }

  std::string& out_;
  std::vector<std::pair<std::string_view, Value>> sorted_;  // of the objects that are being written
};

}  // namespace egress::kube
