#include "runtime/program/files.hpp"

#include "runtime/kube/manifest_files.hpp"

namespace egress {
namespace {

std::expected<std::vector<kube::object_ptr>, file_failure> external_services(
    const std::vector<std::string>& files) {
  auto manifests = kube::read_manifests(files);
  if (!manifests) return std::unexpected(file_failure{manifests.error(), 2});
  std::vector<kube::object_ptr> all;
  for (const auto& one : *manifests) {
    auto object = kube::external_service_from(one);
    if (!object) return std::unexpected(file_failure{object.error(), 2});
    all.push_back(std::move(*object));
  }
  if (all.empty())
    return std::unexpected(file_failure{{"there is no ExternalService in the files given with -f"}, 2});
  return all;
}

}  // namespace

std::expected<std::string, file_failure> render_files(const render_options& options) {
  const auto services = external_services(options.files);
  if (!services) return std::unexpected(services.error());
  auto text = reconciler::render_list(*services, options.run.gateways, options.as_json);
  if (!text) return std::unexpected(file_failure{text.error(), 1});
  return std::move(*text);
}

std::expected<reconciler::report, file_failure> validate_files(const validate_options& options) {
  const auto services = external_services(options.files);
  if (!services) return std::unexpected(services.error());
  return reconciler::validate_report(*services, options.run.gateways);
}

}  // namespace egress
