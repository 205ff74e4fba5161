"""What the operator asked of the API server, as the server's audit log tells it."""
import datetime
import json
import re

WRITES = ("create", "update", "patch", "delete", "deletecollection")


def instant(text):
    """Of an RFC 3339 time of the API server or of a Lease."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Audit:
    def __init__(self, log):
        self.log, self.at = log, 0
        self.starts = []  # [(from, to)] when an API server was not ready yet

    def mark(self):
        """From here on."""
        self.at += len(self._whole_lines())

    def _whole_lines(self, since=None):
        with open(self.log, "rb") as file:
            file.seek(self.at if since is None else since)
            text = file.read()
        # Behind the last end of line is one that is still being written, or nothing.
        return text[:text.rfind(b"\n") + 1]

    def entries(self, since=None):
        """Since the last mark, or another place in the log."""
        return [json.loads(line) for line in self._whole_lines(since).splitlines()]

    def take_writes(self):
        """The accepted writes up to here, each returned once."""
        text = self._whole_lines()
        self.at += len(text)
        return self._writes_of([json.loads(line) for line in text.splitlines()], None, True)

    def writes(self, resource=None, accepted_only=True):
        """Of Leases and Events only when they are asked for: they are about the operator, not its objects."""
        return self._writes_of(self.entries(), resource, accepted_only)

    @staticmethod
    def _writes_of(entries, resource, accepted_only):
        return [one for one in entries
                if one["verb"] in WRITES
                and (one["objectRef"]["resource"] == resource if resource
                     else one["objectRef"]["resource"] not in ("leases", "events"))
                and (not accepted_only or one["responseStatus"]["code"] < 300)]

    @staticmethod
    def author(entry):
        """The replica's identity, as the Lease shows it."""
        return re.search(r"\((.*)\)", entry["userAgent"]).group(1)

    def forbidden(self, since=None):
        """Without the answers of an API server that is not ready yet: it may not know of any rights. And for a while
        after it does, OwnerReferencesPermissionEnforcement may not know of custom resources: it looks for them while
        they are not served yet, and then not again for 30 s."""
        return [one for one in self.entries(since)
                if one.get("responseStatus", {}).get("code") == 403 and not self._is_at_a_start(one)]

    def _is_at_a_start(self, entry):
        at = instant(entry["requestReceivedTimestamp"])
        learns = re.search(r"cannot find RESTMapping for APIVersion egress\.monzo\.com/v1 Kind ExternalService",
                           entry["responseStatus"].get("message", ""))
        longer = datetime.timedelta(seconds=60 if learns else 0)
        return any(began <= at <= ended + longer for began, ended in self.starts)

    @staticmethod
    def reasons(entries):
        """{"create: services … is forbidden: why": 3}, without the names of objects"""
        counts = {}
        for one in entries:
            message = one["responseStatus"].get("message", one["requestURI"])
            key = f"{one['verb']}: " + re.sub(r'^(\S+) "[^"]*" is forbidden', r"\1 … is forbidden", message)
            counts[key] = counts.get(key, 0) + 1
        return dict(sorted(counts.items()))

    @staticmethod
    def summary(entries):
        """{"create services": 3, "patch externalservices/status": 1}"""
        counts = {}
        for one in entries:
            about = one["objectRef"]
            key = one["verb"] + " " + about["resource"] + ("/" + about["subresource"] if "subresource" in about else "")
            counts[key] = counts.get(key, 0) + 1
        return dict(sorted(counts.items()))
