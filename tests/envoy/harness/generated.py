"""ExternalServices at random within what validation accepts, its corners more often than its middle."""
import random
import string

from .rendering import HARDENED, external_service, verdicts

LETTERS = string.ascii_lowercase
INNER = LETTERS + string.digits + "-"
ADDRESSES = ["192.0.2.1", "192.0.2.1", "10.0.0.1", "127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "2001:db8::1", "::1",
             "::", "::ffff:192.0.2.1", "64:ff9b::c000:201", "fe80::1", "ff02::1", "2001:0DB8:0:0:0:0:0:A"]
LIMITS = [{}, {"cpu": "1m"}, {"cpu": "3500m", "memory": "64Mi"}, {"memory": "1"}, {"memory": "0"}, {"cpu": "0"}, {"memory": "1Ei"},
          {"memory": "128974848"}, {"memory": "1e3"}, {"cpu": "64", "memory": "0.1Gi"}, {"ephemeral-storage": "1Gi"}]


def _label(rnd, longest):
    length = rnd.choice([1, 2, longest, rnd.randint(1, longest)])
    inner = "".join(rnd.choice(INNER) for _ in range(length - 2))
    last = rnd.choice(LETTERS + string.digits) if length > 1 else ""
    return rnd.choice(LETTERS) + inner + last


def _host(rnd, index):
    """A host name that no other index has."""
    unique = f"h{index}"
    kind = rnd.randrange(10)
    if kind == 0:
        return unique
    if kind == 1:
        return f"{index % 256}.{index // 256}.2.{rnd.randrange(256)}"  # reads as an address, and is a host name
    if kind == 2:
        name = unique
        while len(name) < 253:
            label = _label(rnd, min(63, 252 - len(name))) if len(name) < 252 else ""
            if not label:
                break
            name = f"{label}.{name}"
        return name
    labels = [_label(rnd, 63)[:60].rstrip("-") for _ in range(rnd.randint(0, 3))]
    name = ".".join([*labels, unique, rnd.choice(["com", "example", "xn--p1ai", "5"])])
    name = "".join(rnd.choice([c, c.upper()]) for c in name) if kind == 3 else name
    return name[-253:].lstrip("-.") + rnd.choice(["", "", "."])


def _ports(rnd, protocols):
    numbers = [1, 53, 80, 443, 1023, 1024, 8443, 10999, 11000, 11001, 11002, 65534, 65535]
    pairs = {(rnd.choice(numbers + [rnd.randint(1, 65535)]), rnd.choice(protocols))
             for _ in range(rnd.choice([1, 1, 2, 3, 8, rnd.randint(1, 60)]))}
    return [{"port": port, "protocol": protocol} for port, protocol in sorted(pairs)]


def _resources(rnd):
    limits = dict(rnd.choice(LIMITS))
    requests = {key: limits[key] for key in limits if rnd.random() < 0.5}
    return {key: value for key, value in (("limits", limits), ("requests", requests)) if value or rnd.random() < 0.5}


def _options(rnd):
    choices = {
        "envoyClusterMaxConnections": [1, 2, 1024, 2**31, 2**32 - 1],
        "envoyLogLevel": ["trace", "debug", "info", "warning", "warn", "error", "critical", "off", "loud", ""],
        "envoyDnsRefreshRateS": [1, 5, 3600, 9_223_372_035],
        "envoyRespectDnsTTL": [True, False],
        "envoyJsonAdminAccessLogs": [True, False],
        "envoyJsonClusterAccessLogs": [True, False],
        "serviceTopologyMode": ["Auto", "Disabled"],
        "tls": [{"sni": "Enforce"}, {"sni": "Off"}, {}],
        "configDelivery": ["Restart", "Reload"],
        "allowPrivate": [True, False],
        "minReplicas": [1, 20],
    }
    return {key: rnd.choice(values) for key, values in choices.items() if rnd.random() < 0.35}


def one(rnd, index):
    name = f"{_label(rnd, 35)[:35].rstrip('-')}-{index}"
    options = _options(rnd)
    if rnd.random() < 0.3:
        options["resources"] = _resources(rnd)
    host, protocols = _host(rnd, index), rnd.choice([["TCP"], ["TCP", "UDP"], ["UDP"]])
    if rnd.random() < 0.15:
        host, protocols = f"*.{host}"[:253].rstrip(".-"), ["TCP"]
    elif rnd.random() < 0.4:
        options["ipOverride"] = [rnd.choice(ADDRESSES) for _ in range(rnd.choice([1, 2, 3, 40]))]
    return external_service(name, host, hijack=rnd.random() < 0.5, ports=_ports(rnd, protocols), **options)


def external_services(count, seed, profile=HARDENED):
    """The first `count` that validation accepts."""
    rnd = random.Random(seed)
    made = [one(rnd, index) for index in range(2 * count)]
    says = verdicts(made, profile).splitlines()
    accepted = {line.split(":")[0].split("/")[1] for line in says if ": accepted" in line}
    kept = [one for one in made if one["metadata"]["name"] in accepted][:count]
    assert len(kept) == count, f"only {len(kept)} of {len(made)} were accepted"
    return kept


def is_wildcard(of):
    return of["spec"]["dnsName"].startswith("*.")


def reloads(of):
    return of["spec"].get("configDelivery") == "Reload"


def has_udp(of):
    return any(port.get("protocol") == "UDP" for port in of["spec"]["ports"])
