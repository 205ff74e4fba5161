"""The definition that the program we replace installs, as facts: what it stores, ours must go on taking.

No status subresource, no bounds, hardly a rule; fields that came later are not in it and are dropped.
"""

_TEXT, _FLAG = {"type": "string"}, {"type": "boolean"}
_INT32 = {"type": "integer", "format": "int32"}
_QUANTITIES = {"type": "object", "additionalProperties": {
    "anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}}

_SPEC = {
    "dnsName": _TEXT, "envoyLogLevel": _TEXT, "envoyDnsRefreshRateS": {"type": "number"}, "envoyRespectDnsTTL": _FLAG,
    "envoyClusterMaxConnections": _INT32, "hijackDns": _FLAG, "ipOverride": {"type": "array", "items": _TEXT},
    "maxReplicas": _INT32, "minReplicas": _INT32, "targetCPUUtilizationPercentage": _INT32,
    "ports": {"type": "array", "items": {"type": "object", "properties": {"port": _INT32, "protocol": _TEXT}}},
    "resources": {"type": "object", "properties": {"limits": _QUANTITIES, "requests": _QUANTITIES}},
}

DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "externalservices.egress.monzo.com"},
    "spec": {
        "group": "egress.monzo.com", "scope": "Cluster",
        "names": {"kind": "ExternalService", "listKind": "ExternalServiceList", "plural": "externalservices",
                  "singular": "externalservice"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
            "type": "object", "properties": {
                "apiVersion": _TEXT, "kind": _TEXT, "metadata": {"type": "object"},
                "spec": {"type": "object", "properties": _SPEC}, "status": {"type": "object"}}}}}],
    },
}

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
OURS = f"{DEFINITIONS}/externalservices.egress.monzo.com"
