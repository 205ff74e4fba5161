#include "runtime/kube/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <optional>
#include <sstream>

#include "runtime/kube/json_text.hpp"
#include "runtime/kube/yaml_scalar.hpp"

namespace egress::kube {
namespace {

// What aliases may add up to, in bytes of text and one for each value: a few nested aliases multiply.
constexpr std::size_t most_copied = 16U << 20U;

// Out of a handler, through yaml-cpp.
struct refused {
  int line;
  std::string what;
};

std::size_t weight(const json::value& of) {
  std::size_t sum = 1;
  if (const auto* text = of.if_string()) sum += text->size();
  if (const auto* items = of.if_array())
    for (const auto& item : *items) sum += weight(item);
  if (const auto* members = of.if_object())
    for (const auto& member : *members) sum += member.key().size() + weight(member.value());
  return sum;
}

int line_of(const YAML::Mark& mark) {
  return mark.line + 1;
}

// A sequence or a map that is not complete yet.
struct open_node {
  bool is_map = false;
  int line = 1;
  YAML::anchor_t anchor = 0;
  std::string path;
  json::object members;
  json::array items;
  std::optional<std::string> key;  // read, its value not yet
  bool merge = false;              // the key is <<
  json::array merged;
};

class tree_builder final : public YAML::EventHandler {
 public:
  yaml_document take() { return std::move(document_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    document_ = {};
    document_.line = line_of(mark);
    stack_.clear();
    anchors_.clear();
    started_ = false;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { put(nullptr, line_of(mark), anchor); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw refused{line_of(mark), "an alias inside of what it stands for"};
    count_copy(found->second, line_of(mark));
    if (awaits_key()) {
      const auto* name = found->second.if_string();
      if (name == nullptr) throw refused{line_of(mark), "only a string can be the name of a member"};
      set_key(std::string(*name), line_of(mark));
    } else {
      put(found->second, line_of(mark), 0);
    }
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    const int line = line_of(mark);
    if (awaits_key()) {
      stack_.back().merge = text == "<<" && (tag.empty() || tag == "?");
      auto name = resolve_key(tag, text);
      if (!name) throw refused{line, name.error().message};
      if (anchor != 0) anchors_[anchor] = json::string(*name);
      set_key(std::move(*name), line);
      return;
    }
    auto resolved = resolve_scalar(tag, text);
    if (!resolved) throw refused{line, resolved.error().message};
    put(std::move(*resolved), line, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(false, line_of(mark), anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(true, line_of(mark), anchor);
  }

  void OnSequenceEnd() override {
    auto done = std::move(stack_.back());
    stack_.pop_back();
    put(std::move(done.items), done.line, done.anchor);
  }
  void OnMapEnd() override {
    auto done = std::move(stack_.back());
    stack_.pop_back();
    // What is written in the map itself wins over what is merged, and of that the first.
    for (const auto& source : done.merged)
      for (const auto& member : source.get_object()) done.members.emplace(member.key(), member.value());
    put(std::move(done.members), done.line, done.anchor);
  }

 private:
  bool awaits_key() const { return !stack_.empty() && stack_.back().is_map && !stack_.back().key; }

  void set_key(std::string name, int line) {
    auto& map = stack_.back();
    if (!map.merge && map.members.contains(name)) throw refused{line, "\"" + name + "\" is there twice"};
    map.key = std::move(name);
  }

  // Where the next value stands.
  std::string next_path() const {
    if (stack_.empty()) return {};
    const auto& parent = stack_.back();
    if (!parent.is_map) return parent.path + "[" + std::to_string(parent.items.size()) + "]";
    return parent.path.empty() ? *parent.key : parent.path + "." + *parent.key;
  }

  void open(bool is_map, int line, YAML::anchor_t anchor) {
    if (awaits_key()) throw refused{line, "a list or a map cannot be the name of a member"};
    if (!started_) document_.line = line;
    started_ = true;
    open_node node;
    node.is_map = is_map;
    node.line = line;
    node.anchor = anchor;
    node.path = next_path();
    stack_.push_back(std::move(node));
  }

  void put(json::value value, int line, YAML::anchor_t anchor) {
    if (awaits_key()) throw refused{line, "null cannot be the name of a member; quote it"};
    if (anchor != 0) {
      count_copy(value, line);
      anchors_[anchor] = value;
    }
    if (const auto path = next_path(); !path.empty()) document_.lines.insert_or_assign(path, line);
    if (stack_.empty()) {
      document_.root = std::move(value);
      return;
    }
    auto& parent = stack_.back();
    if (!parent.is_map) {
      parent.items.push_back(std::move(value));
    } else if (parent.merge) {
      add_merge(parent, std::move(value), line);
      parent.key.reset();
      parent.merge = false;
    } else {
      parent.members.emplace(*parent.key, std::move(value));
      parent.key.reset();
    }
  }

  static void add_merge(open_node& into, json::value value, int line) {
    json::array sources;
    if (value.is_array()) {
      sources = std::move(value.get_array());
    } else {
      sources.push_back(std::move(value));
    }
    for (auto& source : sources) {
      if (!source.is_object()) throw refused{line, "<< merges maps only"};
      into.merged.push_back(std::move(source));
    }
  }

  void count_copy(const json::value& value, int line) {
    copied_ += weight(value);
    if (copied_ > most_copied) throw refused{line, "anchors and aliases that expand to more than 16 MiB"};
  }

  yaml_document document_;
  bool started_ = false;
  std::vector<open_node> stack_;
  std::map<YAML::anchor_t, json::value> anchors_;
  std::size_t copied_ = 0;
};

// JSON is YAML, but for surrogate pairs in escapes and very long names, which yaml-cpp refuses.
std::optional<yaml_document> as_json(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || text[begin] != '{') return std::nullopt;
  auto parsed = json::parse(text);
  if (!parsed) return std::nullopt;
  yaml_document out;
  out.root = std::move(*parsed);
  return out;
}

}  // namespace

result<std::vector<yaml_document>> read_yaml(std::string_view text, std::string_view file_name) {
  std::vector<yaml_document> out;
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    tree_builder builder;
    while (parser.HandleNextDocument(builder))
      if (auto document = builder.take(); !document.root.is_null()) out.push_back(std::move(document));
    return out;
  } catch (const refused& why) {
    return fail("{}:{}: {}", file_name, why.line, why.what);
  } catch (const YAML::Exception& why) {
    if (auto json = as_json(text)) return std::vector{std::move(*json)};
    return fail("{}:{}: not YAML: {}", file_name, line_of(why.mark), why.msg);
  }
}

}  // namespace egress::kube
