"""The addresses that ever were right for a name: those of the Services made for it, from a watch."""
import http.client
import json
import threading

from harness import objects


class Addresses(threading.Thread):
    def __init__(self, api, names):
        super().__init__(daemon=True)
        self.api, self.names, self.enough, self.version = api, names, threading.Event(), ""

    def run(self):
        while not self.enough.wait(0.05):
            try:
                self.list()
                self.watch()
            except (OSError, AssertionError, ValueError, KeyError, AttributeError, http.client.HTTPException):
                continue  # the server is gone, or the version is: from a new list

    def list(self):
        made = self.api.get(objects.CHILDREN["service"])
        for one in made["items"]:
            self.take(one)
        self.version = made["metadata"]["resourceVersion"]

    def watch(self):
        lines = self.api.open(f"{objects.CHILDREN['service']}?watch=true&resourceVersion={self.version}")
        for line in lines:
            event = json.loads(line)
            self.take(event["object"])
            self.version = event["object"]["metadata"]["resourceVersion"]

    def take(self, service):
        name = service["metadata"].get("annotations", {}).get("egress.monzo.com/dns-name")
        if name:
            self.names.expect_also(name, service["spec"]["clusterIP"])
