"""ExternalServices, and where their children are."""

NAMESPACE = "egress-operator-system"
EXTERNAL_SERVICES = "/apis/egress.monzo.com/v1/externalservices"

# By the word that tests use for the kind: where the children of that kind are.
CHILDREN = {
    "configmap": f"/api/v1/namespaces/{NAMESPACE}/configmaps",
    "deployment": f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments",
    "hpa": f"/apis/autoscaling/v1/namespaces/{NAMESPACE}/horizontalpodautoscalers",
    "service": f"/api/v1/namespaces/{NAMESPACE}/services",
    "networkpolicy": f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies",
    "pdb": f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets",
}


def external_service(name, dns_name=None, hijack=True, ports=None, **spec):
    return {
        "apiVersion": "egress.monzo.com/v1",
        "kind": "ExternalService",
        "metadata": {"name": name},
        "spec": {"dnsName": dns_name or f"{name}.example.com", "hijackDns": hijack,
                 "ports": ports if ports is not None else [{"port": 443}], **spec},
    }


def path(name):
    return f"{EXTERNAL_SERVICES}/{name}"


def child(kind, name):
    return f"{CHILDREN[kind]}/{name}"


def condition(thing, kind):
    for one in thing.get("status", {}).get("conditions", []):
        if one["type"] == kind:
            return one
    return {}
