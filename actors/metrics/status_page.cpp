#include "actors/metrics/status_page.hpp"

#include <fmt/format.h>

#include <string_view>

namespace egress::metrics {
namespace {

struct table {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

template <class T>
std::string text_of(const T& value) {
  return fmt::format("{}", value);
}

table overview(const status& now) {
  return {"egress-operator",
          {"what", "value"},
          {{"version", now.version},
           {"uptime", text_of(now.uptime.count()) + " s"},
           {"writes", now.leader},
           {"queue depth", text_of(now.queue_depth)},
           {"hijacked names", text_of(now.table_names)},
           {"ExternalServices not ready", text_of(now.external_services.count)}}};
}

table informers(const status& now) {
  table made{"Informers", {"kind", "synced", "objects", "epoch", "last event"}, {}};
  for (const auto& one : now.informers)
    made.rows.push_back({one.kind, one.synced ? "yes" : "no", text_of(one.objects), text_of(one.epoch),
                         text_of(one.last_event_age.count()) + " s ago"});
  return made;
}

table actors(const status& now) {
  table made{"Actors", {"id", "state", "restarts"}, {}};
  for (const auto& one : now.actors) made.rows.push_back({one.id, one.state, text_of(one.restarts)});
  return made;
}

table external_services(const status& now) {
  table made{"ExternalServices not ready", {"name", "why"}, {}};
  const auto& [count, first] = now.external_services;
  for (const auto& one : first) made.rows.push_back({one.name, one.why});
  if (first.size() < count) made.rows.push_back({fmt::format("and {} more", count - first.size()), ""});
  return made;
}

std::vector<table> tables(const status& now) {
  return {overview(now), informers(now), actors(now), external_services(now)};
}

std::string html_row(const std::vector<std::string>& cells, std::string_view element) {
  std::string out = "<tr>";
  for (const auto& cell : cells) out += fmt::format("<{}>{}</{}>", element, escape_html(cell), element);
  return out + "</tr>\n";
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string to_html(const status& now) {
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>egress-operator</title>\n"
      "<style>body{font-family:sans-serif}td,th{text-align:left;padding:0 1em 0 0}</style></head><body>\n";
  for (const auto& one : tables(now)) {
    out += fmt::format("<h2>{}</h2>\n<table>\n{}", escape_html(one.title), html_row(one.columns, "th"));
    for (const auto& row : one.rows) out += html_row(row, "td");
    out += "</table>\n";
  }
  return out + "</body></html>\n";
}

std::string to_plain_text(const status& now) {
  std::string out;
  for (const auto& one : tables(now)) {
    out += one.title + "\n";
    for (const auto& row : one.rows) out += fmt::format("  {}\n", fmt::join(row, "  "));
  }
  return out;
}

}  // namespace egress::metrics
