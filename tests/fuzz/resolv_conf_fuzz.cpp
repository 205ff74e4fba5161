// Any text in resolv.conf's place.

#include <cstdlib>
#include <string_view>

#include "actors/dns/io/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& one : egress::dns::nameservers_of(text)) {
    if (one.empty() || one.find_first_of(" \t\r\n") != std::string::npos) std::abort();
    const auto parsed = egress::dns::parse_upstream(one);
    if (parsed && parsed->address.port() == 0) std::abort();
  }
  return 0;
}
