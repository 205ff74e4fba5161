"""What must be there in the end: what `egress-operator render` makes of the ExternalServices."""
import json
import subprocess

KINDS = {"ConfigMap": "configmap", "Deployment": "deployment", "HorizontalPodAutoscaler": "hpa", "Service": "service",
         "NetworkPolicy": "networkpolicy", "PodDisruptionBudget": "pdb"}
# Others' business: the autoscaler's, and that of the hijack label's states.
NOT_RENDERED = {("deployment", "spec", "replicas"), ("service", "metadata", "labels", "egress.monzo.com/hijack-dns")}


def children(program, external_services):
    """{(kind, name): object}"""
    rendered = subprocess.run([program, "render", "-o", "json", "-f", "-", "--enable-pod-disruption-budgets"],
                              capture_output=True, text=True, check=True,
                              input="\n---\n".join(json.dumps(one) for one in external_services))
    items = json.loads(rendered.stdout)["items"] if external_services else []
    return {(KINDS[one.pop("kind")], one["metadata"]["name"]): one for one in items if one.pop("apiVersion")}


def differences(wanted, found, at):
    """Where `found` has not what `wanted` says; the server's own fields and defaults beside it are none."""
    if at in NOT_RENDERED:
        return []
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [one for key, value in wanted.items() for one in differences(value, found.get(key), (*at, key))]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [one for i, (a, b) in enumerate(zip(wanted, found)) for one in differences(a, b, (*at, i))]
    return [] if wanted == found or not wanted and not found else [f"{'.'.join(map(str, at))}: {found!r}, not {wanted!r}"]
