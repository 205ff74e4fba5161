#include "actors/gateways/listeners.hpp"

namespace egress::gateways {

std::set<std::string, std::less<>> listener_names(std::string_view text) {
  std::set<std::string, std::less<>> names;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() == text.size() ? line.size() : line.size() + 1);
    const auto end = line.find("::");
    if (end != std::string_view::npos && end > 0) names.emplace(line.substr(0, end));
  }
  return names;
}

}  // namespace egress::gateways
