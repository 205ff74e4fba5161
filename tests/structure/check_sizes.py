#!/usr/bin/env python3
"""Sizes that keep the program readable: files of at most 400 lines (tests 600, an actor's .cpp 250, main 120).

usage: check_sizes.py ROOT
"""
import pathlib
import re
import sys

from check_includes import SOURCES, is_actor


def most_lines(path):
    if path == "runtime/main.cpp":
        return 120
    if path.startswith(("tests/", "bench/")):
        return 600
    if is_actor(path) and path.endswith(".cpp"):
        return 250
    return 400


NOT_FUNCTIONS = re.compile(r"\s*(namespace|class|struct|enum|union|if|for|while|switch|else|do)\b")


def signature_start(lines, at):
    """Where the signature begins whose line `at` ends in an opening brace: wrapped parameters end in a comma or so."""
    while at > 0 and lines[at].startswith("   ") and lines[at - 1].rstrip().endswith((",", "(", "=", "&&", "||", ")")):
        at -= 1
    return at


def functions(lines):
    """(first line's number, length) of what looks like a function of a namespace or a class, as clang-format lays
    it out: a signature indented by two at most, to the closing brace of its indent."""
    inside = -1  # the last line of the function before: what opens in it is not another
    for brace, line in enumerate(lines):
        if brace <= inside or not line.endswith("{"):
            continue
        start = signature_start(lines, brace)
        indent = len(lines[start]) - len(lines[start].lstrip())
        if indent > 2 or NOT_FUNCTIONS.match(lines[start]) or "(" not in "".join(lines[start : brace + 1]):
            continue
        close = " " * indent + "}"
        for end in range(brace + 1, len(lines)):
            if lines[end].startswith(close):
                yield start + 1, end - start + 1
                inside = end
                break


def check(root):
    violations, seen = [], 0
    for top in ("runtime", "actors", "tests", "bench"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in SOURCES or "fixtures" in file.relative_to(root).parts:
                continue
            seen += 1
            path = file.relative_to(root).as_posix()
            lines = file.read_text(encoding="utf-8").splitlines()
            if len(lines) > most_lines(path):
                violations.append(f"{path}: {len(lines)} lines, more than {most_lines(path)}")
            if path.startswith(("tests/", "bench/")):
                continue  # a table of cases may be long
            violations += [f"{path}:{at}: a function of {length} lines, more than 40"
                           for at, length in functions(lines) if length > 40]
    if not seen:
        violations.append(f"{root}: no sources here")
    return violations, seen


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: check_sizes.py ROOT")
    violations, seen = check(pathlib.Path(sys.argv[1]))
    for line in violations:
        print(line)
    print(f"sizes: {seen} files, {len(violations)} violations")
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
