#include "actors/reconciler/shortened.hpp"

namespace egress::reconciler {

std::string shortened(std::string message) {
  constexpr std::size_t longest = 1024;
  if (message.size() <= longest) return message;
  message.resize(longest - 3);
  while (!message.empty() && (static_cast<unsigned char>(message.back()) & 0xC0) == 0x80) message.pop_back();
  if (!message.empty() && static_cast<unsigned char>(message.back()) >= 0xC0) message.pop_back();
  return message += "...";
}

std::string shown(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 80)) out += c < ' ' || c == 0x7f ? '?' : c;
  return out + (text.size() > 80 ? "…\"" : "\"");
}

}  // namespace egress::reconciler
