#pragma once
// What all children of an ExternalService have in common. Pure.

#include "actors/reconciler/desired/gateway.hpp"

namespace egress::desired {

// {apiVersion, kind, metadata}: namespace, name, labels, annotations, and the controller's ownerReference,
// through which the cluster's garbage collector removes the child.
json::object new_child(kube::kind of, const gateway& from);

json::object labels(const gateway& from);
json::object annotations(const gateway& from);
// {"matchLabels": {"egress.monzo.com/gateway": NAME}}
json::object selector(const gateway& from);

}  // namespace egress::desired
