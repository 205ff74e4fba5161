#!/usr/bin/env python3
"""The architecture as a test: who may include whom, and where each third-party header lives.

usage: check_includes.py ROOT
Prints one line a violation and exits 1 when there is any. Rules are ARCHITECTURE.md's; self_test.py breaks each.
"""
import pathlib
import re
import sys

SOURCES = {".cpp", ".hpp"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
ASYNC = re.compile(r"^(boost/beast(/|\.hpp)|boost/asio/(awaitable|co_spawn|use_awaitable|experimental/awaitable_operators)\.hpp)")
MOST_ASYNC_FILES = 30


def is_actor(path):
    return path.startswith("actors/") and re.search(r"_actor(_[a-z_]+)?\.(cpp|hpp)$", path) is not None


def layer(path):
    """The place of a file on the one-way street; None for what stands outside it (tests, bench)."""
    if path == "runtime/main.cpp" or path.startswith("runtime/program/"):
        return "main"
    for prefix, name in (
        ("runtime/base/", "base"), ("runtime/net/", "net"), ("runtime/http/", "http"), ("runtime/kube/", "kube"),
        ("runtime/devserver/", "devserver"), ("runtime/actor/", "actor"),
    ):
        if path.startswith(prefix):
            return name
    if not path.startswith("actors/"):
        return None
    if is_actor(path):
        return "shell"
    return "io" if "/io/" in path else "pure"


# What each layer may include of ours.
STREET = ["base", "net", "http", "kube", "pure", "io", "actor", "shell", "main"]
MAY = {name: set(STREET[: i + 1]) for i, name in enumerate(STREET)}
MAY["devserver"] = {"base", "net", "http", "kube", "devserver"}
MAY["main"] |= {"devserver"}  # its dev step; narrowed below


def home(*prefixes):
    return lambda path: path.startswith(prefixes)


# Third-party header -> the files that may include it. Tests may include all but what is forbidden everywhere.
HOMES = [
    (re.compile(r"^caf/"), lambda p: p.startswith(("runtime/actor/", "runtime/program/")) or is_actor(p), "CAF"),
    (re.compile(r"^ldns/"), home("actors/dns/wire"), "ldns"),
    (re.compile(r"^simdjson"), home("runtime/kube/decode", "runtime/program/version"), "simdjson"),
    (re.compile(r"^yaml-cpp/"), home("runtime/kube/kubeconfig", "runtime/kube/manifest", "runtime/kube/yaml"), "yaml-cpp"),
    (re.compile(r"^openssl/"), home("runtime/net/", "runtime/program/version"), "OpenSSL"),
    (re.compile(r"^boost/asio/ssl"), home("runtime/net/", "runtime/http/", "runtime/kube/credentials"), "Asio's TLS"),
    (re.compile(r"^boost/beast"), home("runtime/http/", "runtime/net/asio.cpp"), "Beast"),
    (re.compile(r"^boost/asio"), home("runtime/net/", "runtime/http/", "runtime/kube/", "runtime/devserver/", "runtime/actor/",
                                      "actors/dns/io/", "actors/gateways/io/", "runtime/program/"), "Asio"),
    (re.compile(r"^boost/json"), home("runtime/kube/json", "runtime/devserver/"), "Boost.JSON (use runtime/kube/json.hpp)"),
    (re.compile(r"^spdlog/"), home("runtime/base/log"), "spdlog"),
    (re.compile(r"^prometheus/"), home("actors/metrics/"), "prometheus-cpp"),
]
FORBIDDEN = [
    (re.compile(r"^caf/all\.hpp$"), "costs every file that includes it seconds"),
    (re.compile(r"^caf/test/dsl\.hpp$"), "does not live beside GoogleTest"),
]


def includes(file):
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1) == '"', found.group(2)


def judge_ours(path, included):
    """Why this include of one of our own headers is wrong, or None."""
    target = layer(included)
    mine = layer(path)
    if included.startswith(("tests/", "bench/")):
        return "only tests include tests" if mine is not None else None
    if target is None:
        return "includes are written from the project's root"
    if mine is None:
        return None
    if mine == "shell" and target == "shell" and included.split("/")[1] != path.split("/")[1]:
        return "actors never include each other: they meet in runtime/actor/actors.hpp"
    if mine == "main" and target == "devserver" and "dev" not in pathlib.PurePath(path).stem:
        return "the devserver is reached by main's dev step and by tests only"
    if target not in MAY[mine]:
        return f"{mine} must not know {target}"
    return None


def judge_third_party(path, included):
    for pattern, why in FORBIDDEN:
        if pattern.match(included):
            return why
    if layer(path) is None:
        return None
    for pattern, at_home, name in HOMES:
        if pattern.match(included):
            # The first that matches decides: boost/asio/ssl is not judged as boost/asio again.
            return None if at_home(path) else f"{name} is not at home here"
    return None


def check(root):
    violations, heavy, seen = [], [], 0
    for top in ("runtime", "actors", "tests", "bench"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in SOURCES or "fixtures" in file.relative_to(root).parts:
                continue
            seen += 1
            path = file.relative_to(root).as_posix()
            found = list(includes(file))
            for number, ours, included in found:
                why = judge_ours(path, included) if ours else judge_third_party(path, included)
                if why:
                    violations.append(f"{path}:{number}: {included}: {why}")
            if any(ASYNC.match(included) for _, ours, included in found if not ours):
                heavy.append(path)
    if not seen:
        violations.append(f"{root}: no sources here")
    if len(heavy) > MOST_ASYNC_FILES:
        violations.append(f"{len(heavy)} files include Beast or Asio coroutines, more than {MOST_ASYNC_FILES}: {' '.join(heavy)}")
    return violations, seen, len(heavy)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: check_includes.py ROOT")
    violations, seen, heavy = check(pathlib.Path(sys.argv[1]))
    for line in violations:
        print(line)
    print(f"includes: {seen} files, {heavy} with Beast or Asio coroutines, {len(violations)} violations")
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
