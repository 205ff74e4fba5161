"""What the operator asked of the API server, as the server's audit log tells it."""
import json

WRITES = ("create", "update", "patch", "delete", "deletecollection")


class Audit:
    def __init__(self, log):
        self.log, self.at = log, 0

    def mark(self):
        """From here on."""
        with open(self.log, "rb") as file:
            self.at = file.seek(0, 2)

    def entries(self):
        with open(self.log, "rb") as file:
            file.seek(self.at)
            lines = file.read().split(b"\n")
        # The last piece is a line that is still being written, or nothing.
        return [json.loads(line) for line in lines[:-1]]

    def writes(self, resource=None, accepted_only=True):
        """Leases and Events are none: they are about the operator, not its objects."""
        return [one for one in self.entries()
                if one["verb"] in WRITES and one["objectRef"]["resource"] not in ("leases", "events")
                and (resource is None or one["objectRef"]["resource"] == resource)
                and (not accepted_only or one["responseStatus"]["code"] < 300)]

    def forbidden(self):
        return [one for one in self.entries() if one.get("responseStatus", {}).get("code") == 403]

    @staticmethod
    def summary(entries):
        """{"create services": 3, "patch externalservices/status": 1}"""
        counts = {}
        for one in entries:
            about = one["objectRef"]
            key = one["verb"] + " " + about["resource"] + ("/" + about["subresource"] if "subresource" in about else "")
            counts[key] = counts.get(key, 0) + 1
        return dict(sorted(counts.items()))
