#include "actors/reconciler/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "actors/reconciler/desired/gateway.hpp"
#include "actors/reconciler/desired/hijack_state.hpp"
#include "actors/reconciler/dns_names.hpp"
#include "actors/reconciler/validate.hpp"
#include "actors/reconciler/yaml_writer.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress::reconciler {
namespace {

using objects = std::vector<kube::object_ptr>;

struct judged {
  kube::object_ptr object;
  std::optional<refusal> refused;
};

// By name, so that the second of two with one name follows the first.
bool repeats(const objects& all, std::size_t i) {
  return i > 0 && all[i - 1]->meta.name == all[i]->meta.name;
}

// By name. Of two with one name only one can be meant: the other is refused.
std::vector<judged> judge(objects external_services, const gateway_settings& settings) {
  std::ranges::sort(external_services, {},
                    [](const auto& one) -> const std::string& { return one->meta.name; });
  dns_names names;
  for (std::size_t i = 0; i < external_services.size(); ++i)
    if (!repeats(external_services, i)) names.set(*external_services[i]);
  std::vector<judged> made;
  for (std::size_t i = 0; i < external_services.size(); ++i) {
    const auto& one = external_services[i];
    auto refused = validate(*one, settings.profile, settings.cluster_domain);
    if (!refused) refused = too_large(desired::make_gateway(*one, settings).config.size());
    const auto holder = names.holder(one->as_external_service().spec.dns_name);
    if (repeats(external_services, i))
      refused = {"Repeated", "an ExternalService of this name is given twice: remove one of them"};
    else if (!refused && holder != one->meta.name)
      refused = name_taken(*one, holder);
    made.push_back({one, std::move(refused)});
  }
  return made;
}

std::string line_of(const judged& one, gateway_profile profile) {
  const auto& name = one.object->meta.name;
  if (one.refused)
    return fmt::format("externalservice/{}: refused, {}: {}", name, one.refused->reason,
                       one.refused->message);
  auto line = fmt::format("externalservice/{}: accepted", name);
  for (const auto& [reason, message] : notices(one.object->as_external_service().spec, profile))
    fmt::format_to(std::back_inserter(line), "; note, {}: {}", reason, message);
  return line;
}

}  // namespace

result<std::string> render_list(const objects& external_services, const gateway_settings& settings,
                                bool as_json) {
  json::array items;
  std::string errors;
  for (const auto& one : judge(external_services, settings)) {
    if (one.refused) {
      errors += (errors.empty() ? "" : "\n") + line_of(one, settings.profile);
      continue;
    }
    const auto gateway = desired::make_gateway(*one.object, settings);
    const auto hijack = desired::next_hijack_label(gateway.spec.hijack_dns, false, "");
    for (const auto kind : kube::child_kinds)
      if (desired::wanted(kind, settings)) items.push_back(desired::render_child(kind, gateway, hijack));
  }
  if (!errors.empty()) return fail("{}", errors);
  json::object list{{"apiVersion", "v1"}, {"kind", "List"}};
  list["items"] = std::move(items);
  return as_json ? json::pretty_text(list) : yaml::to_text(list);
}

report validate_report(const objects& external_services, const gateway_settings& settings) {
  report made;
  for (const auto& one : judge(external_services, settings)) {
    made.text += line_of(one, settings.profile) + "\n";
    made.refused = made.refused || one.refused;
  }
  return made;
}

}  // namespace egress::reconciler
