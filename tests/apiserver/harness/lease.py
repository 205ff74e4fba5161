"""Who held the Lease when, from a watch of it."""
import datetime
import json
import threading
import typing
import urllib.parse

from .audit import Audit, instant
from .objects import NAMESPACE

NAME = "egress-operator"
COLLECTION = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
LEASE = f"{COLLECTION}/{NAME}"


class Write(typing.NamedTuple):
    """One that was accepted, of the audit log."""
    author: str
    came: datetime.datetime
    done: datetime.datetime
    about: tuple

    @staticmethod
    def of(entry):
        about = entry["objectRef"]
        return Write(Audit.author(entry), instant(entry["requestReceivedTimestamp"]), instant(entry["stageTimestamp"]),
                     (about["resource"], about.get("subresource", ""), about.get("name", "")))


class LeaseLog:
    """Its terms: (holder, when it was taken), in order. Ends with the thread of the watch."""

    def __init__(self, client):
        self.terms, self.holder, self._changed = [], "", threading.Condition()
        query = urllib.parse.urlencode({"watch": "true", "fieldSelector": f"metadata.name={NAME}"})
        self._answer = client.open(f"{COLLECTION}?{query}")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for line in self._answer:
                event = json.loads(line)
                self._take({} if event["type"] == "DELETED" else event["object"]["spec"])
        except (OSError, ValueError, AttributeError):
            pass  # the connection was closed: the test is over

    def _take(self, spec):
        holder = spec.get("holderIdentity", "")
        with self._changed:
            if holder and (not self.terms or self.terms[-1] != (holder, spec["acquireTime"])):
                self.terms.append((holder, spec["acquireTime"]))
            self.holder = holder
            self._changed.notify_all()

    def wait_for_another(self, than, seconds):
        """The holder that is neither nobody nor `than`; "" when there is none in time."""
        with self._changed:
            self._changed.wait_for(lambda: self.holder not in ("", than), seconds)
            return self.holder if self.holder != than else ""

    def outside_their_term(self, writes):
        """[(write, end of its author's last term)] of those that did not come and end within a term of their author."""
        with self._changed:
            terms = [(holder, instant(taken)) for holder, taken in self.terms]
        ends = [taken for _, taken in terms[1:]] + [datetime.datetime.max.replace(tzinfo=datetime.timezone.utc)]
        made = []
        for one in writes:
            own = [(begin, end) for (holder, begin), end in zip(terms, ends)
                   if holder == one.author and begin <= one.came]
            if not own or one.done > own[-1][1]:
                made.append((one, own[-1][1] if own else None))
        return made
