#include "runtime/kube/list_splitter.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "runtime/kube/json_text.hpp"
#include "runtime/kube/line_splitter.hpp"

namespace egress::kube {
namespace {

struct outcome {
  bool good = false;
  std::vector<std::string> items;
  std::string kind, version, token;
  std::uint64_t remaining = 0;
  friend bool operator==(const outcome&, const outcome&) = default;
};

// cut says how many bytes come next.
template <class Cut>
outcome split(std::string_view body, Cut&& cut, list_limits limits = {}) {
  outcome out;
  list_splitter splitter(limits);
  const auto keep = [&](std::string_view item) -> result<void> {
    out.items.emplace_back(item);
    return {};
  };
  while (!body.empty()) {
    const auto part = body.substr(0, cut());
    if (!splitter.feed(part, keep)) return {};
    body.remove_prefix(part.size());
  }
  const auto around = splitter.finish();
  if (!around) return {};
  out.good = true;
  out.kind = around->kind;
  out.version = around->resource_version;
  out.token = around->continue_token;
  out.remaining = around->remaining;
  return out;
}
outcome split(std::string_view body, list_limits limits = {}) {
  return split(body, [&] { return body.size(); }, limits);
}

TEST(list_splitter, gives_items_and_what_stands_around_them) {
  const auto out = split(R"({"kind":"ServiceList","items":[ {"a":"]}\"{"} , {"b":[{}]}],)"
                         R"("metadata":{"resourceVersion":"7","continue":"c","items":[{"no":1}]}})");
  EXPECT_TRUE(out.good);
  EXPECT_EQ(out.items, (std::vector<std::string>{R"({"a":"]}\"{"})", R"({"b":[{}]})"}));
  EXPECT_EQ(out.kind, "ServiceList");
  EXPECT_EQ(out.version, "7");
  EXPECT_EQ(out.token, "c");
}

TEST(list_splitter, tells_how_many_more_there_are_when_the_server_does) {
  EXPECT_EQ(split(R"({"metadata":{"remainingItemCount":4999},"items":[]})").remaining, 4'999u);
  for (const auto* odd : {"null", "-1", "\"7\"", "1.5", "{}", "99999999999999999999"})
    EXPECT_EQ(
        split(R"({"metadata":{"remainingItemCount":)" + std::string(odd) + R"(},"items":[]})").remaining, 0u)
        << odd;
}

TEST(list_splitter, a_list_may_be_empty_or_null) {
  EXPECT_TRUE(split(R"({"items":[]})").good);
  EXPECT_TRUE(split(R"({"items":null})").good);
  EXPECT_TRUE(split(R"({"x":"items","y":[1]})").good);
}

TEST(list_splitter, refuses_what_is_no_list) {
  for (const std::string_view body :
       {"", "{", "[]", "7", "{\"items\":[", "{\"items\":[{}", "{\"items\":[{},]}", "{\"items\":[,{}]}",
        "{\"items\":[{} {}]}", "{\"items\":[1]}", "{\"items\":[{]}]}", "{\"items\":{}}", "{\"items\":[]} x",
        "{\"items\":[],\"items\":[]}", "{\"items\":[{}],\"items\":[{}]}", "{\"items\" [{}]}",
        "{\"items\":[]}}", "{\"it\\u0065ms\":[{}]}", "{\"items\":[]"})
    EXPECT_FALSE(split(body).good) << body;
}

TEST(list_splitter, bounds_what_it_holds) {
  const list_limits tight{.item_bytes = 50, .envelope_bytes = 40};
  EXPECT_TRUE(split(R"({"items":[{"a":"0123456789"}]})", tight).good);
  const auto long_item = R"({"items":[{"a":")" + std::string(60, 'x') + R"("}]})";
  EXPECT_FALSE(split(long_item, tight).good);
  EXPECT_FALSE(split(long_item, [] { return 1; }, tight).good);
  EXPECT_FALSE(split(R"({"k":")" + std::string(60, 'x') + R"(","items":[]})", tight).good);
  EXPECT_FALSE(split(R"({"items":[{"a":)" + std::string(100, '[') + std::string(100, ']') + "}]}").good);
}

TEST(list_splitter, an_error_of_the_sink_ends_the_list) {
  list_splitter splitter;
  const auto out =
      splitter.feed(R"({"items":[{}]})", [](std::string_view) -> result<void> { return fail("no"); });
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().message, "no");
}

class documents {
 public:
  explicit documents(unsigned seed) : random_(seed) {}
  std::size_t below(std::size_t bound) { return random_() % bound; }

  std::string text() {
    static constexpr std::string_view parts[] = {"a", "\"", "\\", "{",  "}",     "[",
                                                 "]", ",",  ":",  "\n", "items", "ä"};
    std::string out;
    for (auto i = below(8); i > 0; --i) out += parts[below(std::size(parts))];
    return out;
  }
  json::value value(unsigned depth) {
    switch (depth == 0 ? below(4) : below(6)) {
      case 0:
        return static_cast<int>(below(1000));
      case 1:
        return nullptr;
      case 2:
        return true;
      case 3:
        return json::string(text());
      case 4: {
        json::array out;
        for (auto i = below(4); i > 0; --i) out.push_back(value(depth - 1));
        return out;
      }
      default:
        return object(depth);
    }
  }
  json::object object(unsigned depth) {
    json::object out;
    for (auto i = below(4); i > 0; --i) out.insert_or_assign(text(), value(depth == 0 ? 0 : depth - 1));
    return out;
  }
  json::object list() {
    auto out = object(3);
    json::array items;
    for (auto i = below(6); i > 0; --i) items.push_back(object(4));
    out.insert_or_assign("kind", "XList");
    out.insert_or_assign("items", std::move(items));
    out.insert_or_assign("metadata", json::object{{"resourceVersion", text()}, {"items", json::array{1}}});
    return out;
  }

 private:
  std::mt19937 random_;
};

TEST(list_splitter, agrees_with_a_parser_of_the_whole_however_it_is_cut) {
  documents make(1);
  for (int i = 0; i < 3000; ++i) {
    const auto list = make.list();
    const auto body = i % 2 == 0 ? json::to_text(list) : json::pretty_text(list);
    const auto whole = split(body);
    ASSERT_TRUE(whole.good) << body;
    json::array items;
    for (const auto& item : whole.items) items.push_back(*json::parse(item));
    ASSERT_EQ(json::value(items), list.at("items")) << body;
    EXPECT_EQ(whole.version, list.at("metadata").at("resourceVersion").as_string());
    ASSERT_EQ(split(body, [] { return 1; }), whole);
    ASSERT_EQ(split(body, [&] { return 1 + make.below(9); }), whole);
  }
}

TEST(list_splitter, accepts_no_broken_body_that_a_parser_refuses) {
  documents make(2);
  for (int i = 0; i < 20'000; ++i) {
    auto body = json::to_text(make.list());
    const auto at = make.below(body.size());
    switch (make.below(3)) {
      case 0:
        body[at] = "{}[],:\"\\x0"[make.below(10)];
        break;
      case 1:
        body.erase(at, 1 + make.below(5));
        break;
      default:
        body.insert(at, 1, "{}[],:\"\\x0"[make.below(10)]);
        break;
    }
    const auto whole = split(body);
    ASSERT_EQ(split(body, [&] { return 1 + make.below(5); }), whole) << body;
    bool items_good = whole.good;
    for (const auto& item : whole.items) items_good = items_good && json::parse(item).has_value();
    if (items_good) ASSERT_TRUE(json::parse(body)) << body;
  }
}

TEST(line_splitter, gives_lines_however_they_are_cut) {
  const std::string_view body = "{\"a\":1}\n\n{\"b\":2}\r\nrest";
  for (std::size_t cut = 1; cut <= body.size(); ++cut) {
    line_splitter splitter;
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < body.size(); at += cut)
      ASSERT_TRUE(splitter.feed(body.substr(at, cut), [&](std::string_view line) -> result<void> {
        lines.emplace_back(line);
        return {};
      }));
    EXPECT_EQ(lines, (std::vector<std::string>{"{\"a\":1}", "{\"b\":2}"})) << cut;
    EXPECT_TRUE(splitter.partial());
  }
}

TEST(line_splitter, bounds_a_line) {
  line_splitter splitter(8);
  const auto ignore = [](std::string_view) -> result<void> { return {}; };
  EXPECT_TRUE(splitter.feed("12345678\n1234", ignore));
  EXPECT_TRUE(splitter.feed("5678", ignore));
  EXPECT_FALSE(splitter.feed("9", ignore));
}

}  // namespace
}  // namespace egress::kube
