#include "runtime/http/request_text.hpp"

#include <algorithm>
#include <array>

namespace egress::http {
namespace {

// RFC 9110 5.5: CR, LF and NUL are what a recipient may take for an end; the other control characters have no
// meaning. A token has no blanks either.
bool fits(std::string_view text, bool as_token) {
  return std::ranges::none_of(text, [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < ' ' && c != '\t') || byte == 0x7f || (as_token && (c == ' ' || c == '\t'));
  });
}

bool is_made_here(std::string_view name) {
  constexpr std::array all{std::string_view{"host"}, std::string_view{"content-length"},
                           std::string_view{"transfer-encoding"}};
  return std::ranges::any_of(all, [&](std::string_view one) {
    return std::ranges::equal(one, name, {}, {}, [](char c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; });
  });
}

void add_field(std::string& to, std::string_view name, std::string_view value) {
  to.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

result<std::string> request_text(const client_request& what, const base_url& to) {
  if (what.method.empty() || !fits(what.method, true)) return fail("{:?} is no method", what.method);
  if (what.target.empty() || !fits(what.target, true)) return fail("{:?} is no target", what.target);
  for (const auto& [name, value] : what.headers)
    if (name.empty() || name.contains(':') || is_made_here(name) || !fits(name, true) || !fits(value, false))
      return fail(
          "the header field {:?} cannot be sent: it is one of ours, or has a character no field may have",
          name);
  const auto authority = to.authority();
  std::size_t size = what.method.size() + to.path_prefix.size() + what.target.size() + authority.size() +
                     what.body.size() + 64;
  for (const auto& [name, value] : what.headers) size += name.size() + value.size() + 4;
  std::string made;
  made.reserve(size);
  made.append(what.method).append(" ").append(to.path_prefix).append(what.target).append(" HTTP/1.1\r\n");
  add_field(made, "Host", authority);
  for (const auto& [name, value] : what.headers) add_field(made, name, value);
  // RFC 9110 8.6: a method that gives its body a meaning says so when there is none.
  const bool usual = what.method == "POST" || what.method == "PUT" || what.method == "PATCH";
  if (!what.body.empty() || usual) add_field(made, "Content-Length", std::to_string(what.body.size()));
  made.append("\r\n").append(what.body);
  return made;
}

}  // namespace egress::http
