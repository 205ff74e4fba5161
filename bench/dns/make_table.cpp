// Writes a saved hijack table with so many names: the operator answers from it without an API server.
// usage: make_table COUNT FILE

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "actors/dns/saved_table.hpp"

namespace {

using namespace egress;

kube::object_ptr make(kube::kind of, int i) {
  auto made = std::make_shared<kube::object>();
  made->of = of;
  made->meta.name = fmt::format("s{}", i);
  if (of == kube::kind::service) {
    kube::child body;
    body.hijack_label = "true";
    body.dns_name = fmt::format("host-{}.example.com", i);
    body.cluster_ips = {fmt::format("10.{}.{}.{}", i >> 16 & 255, i >> 8 & 255, i & 255)};
    made->body = std::move(body);
  } else {
    kube::external_service body;
    body.spec.hijack_dns = true;
    made->body = std::move(body);
  }
  return made;
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::fputs("usage: make_table COUNT FILE\n", stderr);
    return 2;
  }
  kube::snapshot services, external_services;
  for (int i = 0; i < std::atoi(words[1]); ++i) {
    services.put(make(kube::kind::service, i));
    external_services.put(make(kube::kind::external_service, i));
  }
  const auto file =
      dns::encode_table(*dns::build_hijack_table(services, external_services, nullptr, {}).table);
  std::ofstream out(words[2], std::ios::binary);
  out.write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
  return out ? 0 : 1;
}
