"""What is asked of etcd itself, by its HTTP gateway."""
import json
import urllib.request

from .objects import EXTERNAL_SERVICES


def compact(cluster):
    """Up to now: what is older is gone, so that a watch or a page of an older version ends with 410."""
    revision = int(cluster.admin.get(EXTERNAL_SERVICES + "?limit=1")["metadata"]["resourceVersion"])
    body = json.dumps({"revision": str(revision), "physical": True}).encode()
    urllib.request.urlopen(urllib.request.Request(
        f"http://127.0.0.1:{cluster.etcd_port}/v3/kv/compaction", body), timeout=20).read()
