#include "runtime/devserver/table.hpp"

#include "runtime/devserver/columns.hpp"

namespace egress::dev {
namespace {

json::array definitions(const resource& of) {
  json::array all;
  for (const auto& one : columns_of(of))
    all.push_back(json::object{{"name", one.name},
                               {"type", one.type},
                               {"format", one.format},
                               {"description", one.description},
                               {"priority", one.priority}});
  return all;
}

json::object row_of(const resource& of, const json::object& object, const table_options& with) {
  json::array cells;
  for (const auto& one : columns_of(of)) cells.push_back(one.cell(object, with.now));
  json::object row{{"cells", std::move(cells)}};
  if (with.include == row_object::whole) row["object"] = object;
  if (with.include == row_object::metadata)
    row["object"] = json::object{{"kind", "PartialObjectMetadata"},
                                 {"apiVersion", "meta.k8s.io/v1"},
                                 {"metadata", object.at("metadata")}};
  return row;
}

}  // namespace

json::object table_of(const resource& of, std::span<const stored> objects, json::object list_metadata,
                      const table_options& with) {
  json::array rows;
  for (const auto& one : objects) rows.push_back(row_of(of, *one, with));
  return {{"kind", "Table"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", std::move(list_metadata)},
          {"columnDefinitions", with.columns ? definitions(of) : json::array{}},
          {"rows", std::move(rows)}};
}

}  // namespace egress::dev
