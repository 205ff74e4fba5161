#pragma once
// Small objects for the tests of informers.

#include <map>
#include <memory>
#include <string>

#include "runtime/kube/snapshot.hpp"

namespace egress::informer::testing {

inline kube::object_ptr service(const std::string& name, const kube::object_uid& uid,
                                const std::string& version) {
  auto out = std::make_shared<kube::object>();
  out->of = kube::kind::service;
  out->meta.name = name;
  out->meta.uid = uid;
  out->meta.resource_version = version;
  out->body = kube::child{};
  return out;
}

// name → "uid@resourceVersion"
using contents = std::map<std::string, std::string>;

inline contents contents_of(const kube::snapshot& all) {
  contents out;
  all.for_each([&](const kube::object_ptr& one) {
    out[one->meta.name] = std::string(one->meta.uid.view()) + "@" + one->meta.resource_version;
  });
  return out;
}

}  // namespace egress::informer::testing
