#pragma once
// ExternalServices and files for the tests of what is rendered.

#include <functional>
#include <string>

#include "runtime/base/settings.hpp"
#include "runtime/kube/json.hpp"
#include "runtime/kube/object.hpp"

namespace egress::samples {

// api.example.com on 443/TCP.
kube::object external_service(std::string name = "api");
kube::object external_service(std::string name, kube::external_service_spec spec);

// Replaces the spec of an ExternalService by what `edit(spec)` makes of it.
void change_spec(kube::object& of, const std::function<void(kube::external_service_spec&)>& edit);

// The five ExternalServices of tests/golden, as values.
kube::object golden(const std::string& file);

gateway_settings compatible();
gateway_settings hardened();

std::string file_text(const std::string& path);  // below the source tree
json::object file_json(const std::string& path);

// The member at a path like "/spec/template/spec"; throws when it is not there.
const json::value& at(const json::object& root, const std::string& pointer);

}  // namespace egress::samples
