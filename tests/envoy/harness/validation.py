"""`envoy --mode validate` on many configurations, as many at once as there are cores."""
import concurrent.futures
import os
import re
import subprocess

from .rendering import container, static_configuration


class Verdict:
    def __init__(self, name, done):
        self.name, self.accepted, self.output = name, done.returncode == 0, done.stderr + done.stdout

    def deprecated(self):
        return [line for line in self.output.splitlines() if "Deprecated field" in line]

    def __repr__(self):
        problems = [line for line in self.output.splitlines() if re.search(r"critical|error|Deprecated field", line)]
        return f"{self.name}: " + " | ".join(problems or self.output.splitlines()[-3:])


def load(program, name, text, arguments, folder):
    """As the pod starts it, but for the log level: at `off` nobody would see what is deprecated."""
    path = os.path.join(folder, f"{name}.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    kept = list(arguments)
    for flag in ("-c", "--log-level"):
        if flag in kept:
            del kept[kept.index(flag):kept.index(flag) + 2]
    done = subprocess.run([program, "--mode", "validate", "-c", path, "--log-level", "warn", *kept], text=True,
                          capture_output=True, timeout=120, check=False)
    os.unlink(path)
    return Verdict(name, done)


def load_all(program, rendered, folder, text_of=static_configuration):
    """rendered: the children by name, of rendering.render."""
    def run(item):
        name, children = item
        return load(program, name, text_of(children), container(children).get("args", []), folder)

    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(run, rendered.items()))
