#pragma once
// The Prometheus text format 0.0.4, as Go's client writes it. (prometheus-cpp's own serializer writes floats
// as iostreams do and leaves HELP unescaped.) Pure.

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

namespace egress::metrics {

inline constexpr const char* exposition_content_type = "text/plain; version=0.0.4; charset=utf-8";

// As Go's strconv.FormatFloat(value, 'g', -1, 64): 0.005, 1e-08, 1e+06, +Inf, NaN.
std::string format_value(double value);

// Families in the order given; a family without metrics is left out.
std::string to_text(const std::vector<prometheus::MetricFamily>& families);

}  // namespace egress::metrics
