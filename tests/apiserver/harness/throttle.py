"""API Priority and Fairness that lets in hardly a write of the operator: what is too many is answered 429."""
import contextlib

from .client import ApiError
from .objects import NAMESPACE
from .waiting import eventually

GROUP = "flowcontrol.apiserver.k8s.io"
LEVELS, SCHEMAS = (f"/apis/{GROUP}/v1/{kind}" for kind in ("prioritylevelconfigurations", "flowschemas"))

LEVEL = {
    "apiVersion": f"{GROUP}/v1", "kind": "PriorityLevelConfiguration", "metadata": {"name": "tight"},
    "spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 0, "lendablePercent": 0,
                                            "limitResponse": {"type": "Reject"}}},
}
SCHEMA = {
    "apiVersion": f"{GROUP}/v1", "kind": "FlowSchema", "metadata": {"name": "tight"},
    "spec": {"priorityLevelConfiguration": {"name": "tight"}, "matchingPrecedence": 2,
             "rules": [{"subjects": [{"kind": "ServiceAccount", "serviceAccount": {
                 "namespace": NAMESPACE, "name": "egress-operator"}}],
                 "resourceRules": [{"verbs": ["create", "patch"], "apiGroups": ["*"], "resources": ["*"],
                                    "namespaces": ["*"], "clusterScope": True}]}]},
}


@contextlib.contextmanager
def throttled(api):
    """One request at a time is let in, whatever the limit: for a 429 there must be more."""
    _put(api, LEVELS, LEVEL)
    _put(api, SCHEMAS, SCHEMA)
    try:
        yield
    finally:
        for at in (SCHEMAS, LEVELS):
            eventually("the limit is lifted", lambda at=at: _remove(api, f"{at}/tight"))


def _put(api, at, what):
    def is_there():
        return api.find(f"{at}/tight") or api.create(at, what)

    eventually("the limit is in force", is_there)


def _remove(api, path):
    try:
        api.delete(path)
    except ApiError as error:
        if error.status != 404:
            raise
    return True
