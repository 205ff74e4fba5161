#include "actors/metrics/exposition.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string_view>

namespace egress::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

// Backslash and newline everywhere; the quote in label values only.
void append_escaped(std::string& out, std::string_view text, bool quoted) {
  for (const char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '"' && quoted)
      out += "\\\"";
    else
      out += c;
  }
}

std::string_view type_name(MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Summary:
      return "summary";
    case MetricType::Histogram:
      return "histogram";
    case MetricType::Untyped:
      break;
  }
  return "untyped";
}

void append_sample(std::string& out, std::string_view name, std::string_view suffix,
                   const ClientMetric& metric, std::string_view extra_label, double extra, double value) {
  out += name;
  out += suffix;
  char separator = '{';
  const auto append_label = [&](std::string_view label, std::string_view content) {
    out += separator;
    out += label;
    out += "=\"";
    append_escaped(out, content, true);
    out += '"';
    separator = ',';
  };
  for (const auto& label : metric.label) append_label(label.name, label.value);
  if (!extra_label.empty()) append_label(extra_label, format_value(extra));
  if (separator == ',') out += '}';
  out += ' ';
  out += format_value(value);
  out += '\n';
}

void append_histogram(std::string& out, std::string_view name, const ClientMetric& metric) {
  bool has_infinity = false;
  for (const auto& bucket : metric.histogram.bucket) {
    append_sample(out, name, "_bucket", metric, "le", bucket.upper_bound,
                  static_cast<double>(bucket.cumulative_count));
    has_infinity = has_infinity || std::isinf(bucket.upper_bound);
  }
  const auto count = static_cast<double>(metric.histogram.sample_count);
  if (!has_infinity)
    append_sample(out, name, "_bucket", metric, "le", std::numeric_limits<double>::infinity(), count);
  append_sample(out, name, "_sum", metric, {}, 0, metric.histogram.sample_sum);
  append_sample(out, name, "_count", metric, {}, 0, count);
}

void append_summary(std::string& out, std::string_view name, const ClientMetric& metric) {
  for (const auto& quantile : metric.summary.quantile)
    append_sample(out, name, "", metric, "quantile", quantile.quantile, quantile.value);
  append_sample(out, name, "_sum", metric, {}, 0, metric.summary.sample_sum);
  append_sample(out, name, "_count", metric, {}, 0, static_cast<double>(metric.summary.sample_count));
}

void append_metric(std::string& out, std::string_view name, MetricType type, const ClientMetric& metric) {
  switch (type) {
    case MetricType::Counter:
      return append_sample(out, name, "", metric, {}, 0, metric.counter.value);
    case MetricType::Gauge:
      return append_sample(out, name, "", metric, {}, 0, metric.gauge.value);
    case MetricType::Untyped:
      return append_sample(out, name, "", metric, {}, 0, metric.untyped.value);
    case MetricType::Summary:
      return append_summary(out, name, metric);
    case MetricType::Histogram:
      return append_histogram(out, name, metric);
  }
}

}  // namespace

std::string format_value(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  // The shortest digits that read back as the value; Go takes the exponent form below 1e-4 and from 1e6 on.
  const double size = std::abs(value);
  const bool plain = value == 0 || (size >= 1e-4 && size < 1e6);
  std::array<char, 64> text{};
  const auto [end, code] = std::to_chars(text.data(), text.data() + text.size(), value,
                                         plain ? std::chars_format::fixed : std::chars_format::scientific);
  return code == std::errc{} ? std::string(text.data(), end) : std::string{"NaN"};
}

std::string to_text(const std::vector<prometheus::MetricFamily>& families) {
  std::string out;
  for (const auto& family : families) {
    if (family.metric.empty()) continue;
    out += fmt::format("# HELP {} ", family.name);
    append_escaped(out, family.help, false);
    out += fmt::format("\n# TYPE {} {}\n", family.name, type_name(family.type));
    for (const auto& metric : family.metric) append_metric(out, family.name, family.type, metric);
  }
  return out;
}

}  // namespace egress::metrics
