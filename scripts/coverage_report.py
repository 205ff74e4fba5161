#!/usr/bin/env python3
"""Sums llvm-cov's export up by pure folder; exit 1 below the least.   usage: coverage_report.py JSON ROOT LEAST"""
import json
import re
import sys

# The folders of the pure parts, and what in them does I/O after all.
PURE = ["runtime/base/", "runtime/kube/", "actors/dns/", "actors/informer/", "actors/leader/", "actors/metrics/",
        "actors/reconciler/"]
NOT_PURE = re.compile(
    r"/io/|_actor(_[a-z_]+)?\.(cpp|hpp)$"
    r"|^runtime/base/log(_[a-z]+)?\."
    r"|^runtime/kube/(client|connection|credential|exec|pool|pooled|request_|throttle|token|watch_stream|kubeconfig_file|load|in_cluster)[a-z_]*\."
    r"|^actors/metrics/(server|process)[a-z_]*\.")


def folder_of(path):
    return next((folder for folder in PURE if path.startswith(folder)), None)


def main():
    export, root, least = sys.argv[1], sys.argv[2].rstrip("/") + "/", float(sys.argv[3])
    sums, worst = {folder: [0, 0] for folder in PURE}, []
    for file in json.load(open(export, encoding="utf-8"))["data"][0]["files"]:
        path = file["filename"].removeprefix(root)
        folder = folder_of(path)
        if folder is None or NOT_PURE.search(path):
            continue
        lines = file["summary"]["lines"]
        sums[folder][0] += lines["covered"]
        sums[folder][1] += lines["count"]
        worst.append((lines["count"] - lines["covered"], path))
    for folder, (covered, count) in sums.items():
        if count:
            print(f"coverage: {folder:<22} {100 * covered / count:6.1f} %  {covered} of {count} lines")
    covered, count = (sum(column) for column in zip(*sums.values()))
    if not count:
        sys.exit("coverage: no line of the pure parts was measured")
    for missed, path in sorted(worst, reverse=True)[:5]:
        if missed:
            print(f"coverage: {missed:4} lines missed in {path}")
    total = 100 * covered / count
    print(f"coverage: the pure parts in all  {total:.1f} % of {count} lines (at least {least:g} %)")
    sys.exit(0 if total >= least else 1)


if __name__ == "__main__":
    main()
