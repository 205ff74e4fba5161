"""ExternalServices, and the children that `egress-operator render` makes of them."""
import json
import os
import re
import subprocess

from apiserver.harness.objects import external_service

from .suite import running

HARDENED, COMPATIBLE = "hardened", "compatible"


def program():
    return os.environ["EGRESS_OPERATOR"]


class Refused(ValueError):
    pass


def _program(*arguments, text=None):
    """Run for the Envoy under test: the image's tag says its version."""
    image = "envoyproxy/envoy:v" + ".".join(map(str, running()))
    return subprocess.run([program(), *arguments], input=text, text=True, capture_output=True, check=False,
                          env={**os.environ, "ENVOY_IMAGE": image})


def _run(command, external_services, *flags):
    listed = {"apiVersion": "v1", "kind": "List", "items": external_services}
    return _program(command, "-f", "-", *flags, text=json.dumps(listed))


def _children(done):
    if done.returncode != 0:
        raise Refused(done.stderr)
    made = {}
    for child in json.loads(done.stdout)["items"]:
        made.setdefault(child["metadata"]["name"], {})[child["kind"]] = child
    return made


def render(external_services, profile=HARDENED, *flags):
    """By name: the ExternalService's children by kind."""
    return _children(_run("render", external_services, "-o", "json", "--gateway-profile", profile, *flags))


def render_file(path, profile=HARDENED):
    return _children(_program("render", "-f", path, "-o", "json", "--gateway-profile", profile))


def verdicts(external_services, profile=HARDENED):
    """What `egress-operator validate` says: a line each."""
    return _run("validate", external_services, "--gateway-profile", profile).stdout


def envoy_yaml(children):
    return children["ConfigMap"]["data"]["envoy.yaml"]


def udp_idle_after(seconds):
    """For Gateway's `change`: UDP sessions end so soon, not after Envoy's minute."""
    key = "        matcher:\n"
    return lambda text: text.replace(key, f"        idleTimeout: {seconds}s\n{key}")


def _items(discovery_file):
    """The resources of cds.yaml or lds.yaml as they stand below staticResources."""
    listed = discovery_file.removeprefix("resources:\n").rsplit("versionInfo:", 1)[0]
    bare = re.sub(r"^- '@type': type.googleapis.com/envoy.config.\w+.v3.(Cluster|Listener)\n  ", "- ", listed, flags=re.MULTILINE)
    return "".join(f"  {line}\n" for line in bare.splitlines())


def static_configuration(children):
    """All of it as one file, which `envoy --mode validate` looks at: it follows no other."""
    data = children["ConfigMap"]["data"]
    text = data["envoy.yaml"]
    if "lds.yaml" not in data:
        return text
    text = re.sub(r"^dynamicResources:\n(  .*\n)+", "", text, flags=re.MULTILINE)
    return f"{text}staticResources:\n  clusters:\n{_items(data['cds.yaml'])}  listeners:\n{_items(data['lds.yaml'])}"


_FAMILIES = ("dnsLookupFamily: V4_PREFERRED", "dnsLookupFamily: ALL")


def _both_families(cluster):
    return cluster if "protocol: UDP" in cluster else cluster.replace(*_FAMILIES)


def dual_stack(children):
    """static_configuration() where the Service has an IPv6 address, which only a live one tells the operator."""
    head, clusters, listeners = re.split("(?m)^(?=  clusters:\n|  listeners:\n)", static_configuration(children))
    clusters = "".join(map(_both_families, re.split("(?m)^(?=  - )", clusters)))
    listeners = re.sub("(?m)^( +)address: 0.0.0.0\n", r"\1address: '::'\n\1ipv4Compat: true\n", listeners)
    return head + clusters + listeners.replace(*_FAMILIES)


def container(children):
    return children["Deployment"]["spec"]["template"]["spec"]["containers"][0]


__all__ = ["COMPATIBLE", "HARDENED", "Refused", "container", "dual_stack", "envoy_yaml", "external_service", "program",
           "render", "render_file", "static_configuration", "udp_idle_after", "verdicts"]
