#!/usr/bin/env python3
"""What the guard of wildcards calls not public, the NetworkPolicy behind it excludes: Envoy does not judge every address
that it connects to (docs/gateways.md). usage: check_public_ranges.py ROOT"""
import ipaddress
import pathlib
import re
import sys

GUARD, POLICY = "actors/reconciler/envoy/wildcard.cpp", "deploy/base/network-policies.yaml"
NAME = "egress-gateways-public-egress"
# Range: why the policy cannot have it.
LEFT_OUT = {"::ffff:0:0/96": "the API server takes it for 0.0.0.0/0, and such an address is IPv4 on the wire"}


def networks(texts):
    return [ipaddress.ip_network(text) for text in texts]


def guarded(text):
    listed = re.search(r"\bnot_public\{(.*?)\};", text, re.DOTALL)
    return networks(f"{address}/{length}" for address, length in re.findall(r'range\{"([^"]+)", (\d+)\}', listed[1] if listed else ""))


def blocks(text):
    """[(range that is allowed, what is excluded of it)]"""
    policy = next((one for one in text.split("\n---\n") if f"\n  name: {NAME}\n" in one), "")
    found = []
    for block in policy.split("- ipBlock:")[1:]:
        [cidr] = networks(re.findall(r'^ +cidr: "?([0-9a-f.:/]+)"?$', block, re.MULTILINE))
        found.append((cidr, networks(re.findall(r'^ +- "?([0-9a-f.:]+/\d+)"?(?: +#.*)?$', block, re.MULTILINE))))
    return found


def lies_in(one, others):
    same = [other for other in others if other.version == one.version]
    return any(one.subnet_of(other) for other in ipaddress.collapse_addresses(same))


def check(root):
    """(violations, how many ranges are guarded)"""
    guard, policy = (guarded((root / GUARD).read_text(encoding="utf-8")), blocks((root / POLICY).read_text(encoding="utf-8")))
    violations = []
    if {str(cidr) for cidr, _ in policy} != {"0.0.0.0/0", "::/0"} or len(policy) != 2:
        violations.append(f"{POLICY}: {NAME} does not allow all of IPv4 and all of IPv6, each once")
    if not guard:
        violations.append(f"{GUARD}: no ranges here")
    excluded = [one for _, excepted in policy for one in excepted]
    violations += [f"{POLICY}: {one} is not within {cidr}: the API server refuses it" for cidr, excepted in policy for one in excepted
                   if one.version != cidr.version or one == cidr]
    for one in guard:
        why = LEFT_OUT.get(str(one))
        if not why and not lies_in(one, excluded):
            violations.append(f"{POLICY}: {one} is not excluded, and not public to {GUARD}")
        if why and one in excluded:
            violations.append(f"{POLICY}: {one} is excluded: {why}")
    return violations, len(guard)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: check_public_ranges.py ROOT")
    violations, seen = check(pathlib.Path(sys.argv[1]))
    for line in violations:
        print(line)
    print(f"public ranges: {seen} ranges, {len(violations)} violations")
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
