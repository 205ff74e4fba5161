#include "actors/reconciler/shortened.hpp"

#include <algorithm>

namespace egress::reconciler {

namespace {

// Without the part of a character of UTF-8 that it may end in.
void cut(std::string& text, std::size_t longest) {
  text.resize(longest);
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
  if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0) text.pop_back();
}

}  // namespace

std::string shortened(std::string message) {
  constexpr std::size_t longest = 1024;
  if (message.size() <= longest) return message;
  cut(message, longest - 3);
  return message += "...";
}

std::string shown(std::string_view text) {
  constexpr std::size_t longest = 80;
  std::string out(text);
  if (text.size() > longest) cut(out, longest);
  std::ranges::replace_if(out, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; }, '?');
  return '"' + out + (text.size() > longest ? "…\"" : "\"");
}

}  // namespace egress::reconciler
