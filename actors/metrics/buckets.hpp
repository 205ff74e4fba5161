#pragma once
// Histogram boundaries, as the programs whose names we use have them. Pure.

#include <vector>

namespace egress::metrics {

// First, first × factor, …: multiplied cumulatively as Go's prometheus.ExponentialBuckets does, so that the
// `le` texts are the same to the last digit (9.999999999999999e-05, not 0.0001).
inline std::vector<double> exponential_buckets(double first, double factor, int count) {
  std::vector<double> bounds;
  for (double bound = first; count > 0; --count, bound *= factor) bounds.push_back(bound);
  return bounds;
}

inline std::vector<double> reconcile_buckets() {
  return {.005, .01, .025, .05, .1,  .15, .2,  .25, .3, .35, .4, .45, .5, .6, .7, .8, .9, 1,  1.25, 1.5,
          1.75, 2,   2.5,  3,   3.5, 4,   4.5, 5,   6,  7,   8,  9,   10, 15, 20, 25, 30, 40, 50,   60};
}
inline std::vector<double> workqueue_buckets() {
  return exponential_buckets(1e-8, 10, 12);
}
inline std::vector<double> rest_client_buckets() {
  return {.005, .025, .1, .25, .5, 1, 2, 4, 8, 15, 30, 60};
}
// From a millisecond to a quarter of an hour.
inline std::vector<double> programming_buckets() {
  return exponential_buckets(0.001, 2, 20);
}

}  // namespace egress::metrics
