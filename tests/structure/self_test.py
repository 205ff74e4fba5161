#!/usr/bin/env python3
"""Breaks every rule of check_includes.py, check_sizes.py and check_public_ranges.py in a small tree, and wants to be told of each."""
import pathlib
import sys
import tempfile

import check_includes
import check_public_ranges
import check_sizes

# (file, its text, what the complaint must say; None: must pass)
CASES = [
    ("runtime/base/good.cpp", '#include "runtime/base/time.hpp"\n', None),
    ("runtime/base/up.cpp", '#include "runtime/kube/api.hpp"\n', "base must not know kube"),
    ("runtime/net/up.cpp", '#include "runtime/http/client.hpp"\n', "net must not know http"),
    ("runtime/kube/up.cpp", '#include "actors/dns/wire.hpp"\n', "kube must not know pure"),
    ("runtime/kube/dev.cpp", '#include "runtime/devserver/server.hpp"\n', "kube must not know devserver"),
    ("runtime/devserver/up.cpp", '#include "actors/reconciler/plan.hpp"\n', "devserver must not know pure"),
    ("actors/dns/pure.cpp", '#include "actors/dns/io/listener.hpp"\n', "pure must not know io"),
    ("actors/dns/io/up.cpp", '#include "runtime/actor/actors.hpp"\n', "io must not know actor"),
    ("actors/reconciler/plan2.cpp", '#include "actors/reconciler/reconciler_actor.hpp"\n', "pure must not know shell"),
    ("actors/dns/dns_actor.cpp", '#include "actors/leader/leader_actor.hpp"\n', "actors never include each other"),
    ("actors/dns/worker_actor.cpp", '#include "actors/dns/dns_actor.hpp"\n', None),
    ("runtime/main.cpp", '#include "runtime/devserver/server.hpp"\n', "dev step"),
    ("runtime/program/dev.cpp", '#include "runtime/devserver/server.hpp"\n', None),
    ("runtime/program/run.cpp", '#include "runtime/devserver/server.hpp"\n', "dev step"),
    ("runtime/base/root.cpp", '#include "time.hpp"\n', "from the project's root"),
    ("runtime/base/test.cpp", '#include "tests/support/fake.hpp"\n', "only tests include tests"),
    ("runtime/kube/caf.cpp", "#include <caf/error.hpp>\n", "CAF is not at home"),
    ("actors/leader/leader_actor.cpp", "#include <caf/error.hpp>\n", None),
    ("actors/leader/all_actor.cpp", "#include <caf/all.hpp>\n", "costs every file"),
    ("tests/actor/all_test.cpp", "#include <caf/all.hpp>\n", "costs every file"),
    ("actors/dns/cache.cpp", "#include <ldns/ldns.h>\n", "ldns is not at home"),
    ("runtime/kube/list.cpp", "#include <simdjson.h>\n", "simdjson is not at home"),
    ("runtime/base/yaml.cpp", "#include <yaml-cpp/yaml.h>\n", "yaml-cpp is not at home"),
    ("runtime/kube/ssl.cpp", "#include <openssl/ssl.h>\n", "OpenSSL is not at home"),
    ("runtime/kube/beast.cpp", "#include <boost/beast/http.hpp>\n", "Beast is not at home"),
    ("actors/reconciler/json.cpp", "#include <boost/json/value.hpp>\n", "Boost.JSON"),
    ("actors/informer/asio.cpp", "#include <boost/asio/steady_timer.hpp>\n", "Asio is not at home"),
    ("actors/leader/prom.cpp", "#include <prometheus/counter.h>\n", "prometheus-cpp is not at home"),
    ("actors/leader/log.cpp", "#include <spdlog/spdlog.h>\n", "spdlog is not at home"),
]

LONG_FUNCTION = "void f(int a) {\n" + "  ++a;\n" * 40 + "}\n"
SIZES = [
    ("runtime/base/short.cpp", "int a;\n" * 400, None),
    ("runtime/base/long.cpp", "int a;\n" * 401, "401 lines, more than 400"),
    ("actors/dns/dns_actor.cpp", "int a;\n" * 251, "251 lines, more than 250"),
    ("runtime/main.cpp", "int a;\n" * 121, "121 lines, more than 120"),
    ("tests/unit/a_test.cpp", "int a;\n" * 600, None),
    ("tests/unit/b_test.cpp", "int a;\n" * 601, "601 lines, more than 600"),
    ("runtime/base/function.cpp", LONG_FUNCTION, "a function of 42 lines"),
    ("runtime/base/lambda.cpp", "void f() {\n  call(1)\n      .then(\n          [] {\n" + "  ++a;\n" * 30 + "          });\n}\n"
     + "void g() {\n" + "  ++a;\n" * 30 + "}\n", None),
    ("runtime/base/wrapped.cpp", LONG_FUNCTION.replace("f(int a)", "f(int a,\n       int b)"), "a function of"),
]

GUARD = 'constexpr std::array not_public{\n    range{"10.0.0.0", 8}, range{"224.0.0.0", 3},\n    range{"::ffff:0:0", 96}, range{"fc00::", 7},\n};\n'
POLICY = """kind: NetworkPolicy
metadata:
  name: egress-gateways-public-egress
spec:
  egress:
    - to:
        - ipBlock:
            cidr: 0.0.0.0/0
            except:
              - 10.0.0.0/8    # a reason
              - 224.0.0.0/4
              - 240.0.0.0/4
        - ipBlock:
            cidr: "::/0"
            except:
              - "fc00::/7"
---
kind: NetworkPolicy
"""
# What is put in place of what in the policy.
RANGES = [
    ("", "", None),
    ("              - 10.0.0.0/8    # a reason\n", "", "10.0.0.0/8 is not excluded"),
    ("10.0.0.0/8", "10.0.0.0/9", "10.0.0.0/8 is not excluded"),
    ("- 240.0.0.0/4", "- 248.0.0.0/5", "224.0.0.0/3 is not excluded"),
    ('- "fc00::/7"', '- "fc00::/7"\n              - "::ffff:0:0/96"', "::ffff:0:0/96 is excluded"),
    ('- "fc00::/7"', '- "fc00::/7"\n              - "::/0"', "::/0 is not within"),
    ('cidr: "::/0"', 'cidr: "2000::/3"', "not allow all of IPv4 and all of IPv6"),
    ('- "fc00::/7"\n', '- "fc00::/7"\n        - ipBlock:\n            cidr: 10.0.0.0/8\n', "not allow all of IPv4 and all of IPv6"),
]


def complaints(checker, files):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        return checker.check(root)[0]


def main():
    failures = []
    for checker, cases in ((check_includes, CASES), (check_sizes, SIZES)):
        for path, text, expected in cases:
            said = complaints(checker, [(path, text)])
            right = not said if expected is None else len(said) == 1 and expected in said[0] and path in said[0]
            if not right:
                failures.append(f"{checker.__name__}: {path}: expected {expected!r}, got {said}")
        if not complaints(checker, []):
            failures.append(f"{checker.__name__}: an empty tree passed")
    for old, new, expected in RANGES:
        files = [(check_public_ranges.GUARD, GUARD), (check_public_ranges.POLICY, POLICY.replace(old, new) if old else POLICY)]
        said = complaints(check_public_ranges, files)
        if said if expected is None else not any(expected in one for one in said):
            failures.append(f"check_public_ranges: {new!r} for {old!r}: expected {expected!r}, got {said}")
    heavy = [(f"runtime/http/h{i}.cpp", "#include <boost/beast/http.hpp>\n") for i in range(31)]
    if complaints(check_includes, heavy[:30]) or len(complaints(check_includes, heavy)) != 1:
        failures.append("the bound on files with Beast or Asio coroutines does not hold")
    for line in failures:
        print(line)
    print(f"self test: {len(CASES) + len(SIZES) + len(RANGES) + 3} cases, {len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
