"""What befalls the servers."""
from harness.client import ApiError, Client
from harness.etcd import compact
from harness.throttle import throttled
from harness.waiting import eventually
from harness.objects import NAMESPACE

ACCOUNTS = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"


def suffer(cluster, replicas, fault, wait):
    if fault == "api hung":
        cluster.apiserver.pause()
        wait()
        cluster.apiserver.resume()
    elif fault == "throttled":
        with throttled(cluster.admin):
            wait()
    elif fault == "tokens revoked":
        revoke_tokens(cluster, replicas, wait)
    else:
        restart(cluster, fault, wait)
        # A new API server serves custom resources a moment after it is ready. A garbage collector that looks for kinds
        # then does not watch ours for half a minute, and never learns of owners that went meanwhile. Elsewhere it ends
        # by itself when it loses its Lease to an outage.
        cluster.manager.kill()
        cluster.start_manager()


def restart(cluster, fault, wait):
    if fault == "api killed":
        cluster.apiserver.kill()
        wait()
        cluster.start_apiserver()
    elif fault == "etcd killed":
        cluster.etcd.kill()
        wait()
        cluster.start_etcd()
        cluster.wait_for_apiserver()
    elif fault == "certificates replaced":
        cluster.replace_certificates(wait)
    else:
        try:
            compact(cluster)
        except (OSError, AssertionError):
            return  # nothing to compact since the last time
        cluster.restart_apiserver()


def revoke_tokens(cluster, replicas, wait):
    """A token is good for the service account that it was made for, and not for the next of that name."""
    old = Client(cluster.port, cluster.authority.certificate, cluster.operator_token())
    eventually("the service account is gone", lambda: remove_account(cluster.admin), 90)
    eventually("there is another", lambda: make_account(cluster.admin), 90)
    eventually("the tokens are refused", lambda: is_refused(old), 90, every=0.2)
    wait()
    for one in replicas:
        # One that starts just now may have asked for its token before.
        with one.lock:
            one.operator.write_token(cluster.operator_token())


def remove_account(admin):
    if admin.find(f"{ACCOUNTS}/egress-operator"):
        admin.delete(f"{ACCOUNTS}/egress-operator")
    return True


def make_account(admin):
    return admin.find(f"{ACCOUNTS}/egress-operator") or admin.create(ACCOUNTS, {
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "egress-operator"}})


def is_refused(client):
    try:
        client.get("/version")
    except ApiError as error:
        return error.status == 401
    return False
