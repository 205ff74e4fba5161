#include "runtime/program/version.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <simdjson.h>

#include <boost/version.hpp>
#include <caf/config.hpp>

namespace egress {

std::string version() {
  return EGRESS_VERSION;
}

std::string versions() {
  return fmt::format(
      "egress-operator {} (commit {})\n"
      "CAF {}.{}.{}, Boost {}.{}, {}, simdjson {}.{}.{}, fmt {}.{}\n",
      EGRESS_VERSION, EGRESS_COMMIT, CAF_MAJOR_VERSION, CAF_MINOR_VERSION, CAF_PATCH_VERSION,
      BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, OpenSSL_version(OPENSSL_VERSION),
      +simdjson::SIMDJSON_VERSION_MAJOR, +simdjson::SIMDJSON_VERSION_MINOR,
      +simdjson::SIMDJSON_VERSION_REVISION, FMT_VERSION / 10000, FMT_VERSION / 100 % 100);
}

}  // namespace egress
