"""What befalls the servers."""
from harness.etcd import compact


def suffer(cluster, fault, wait):
    if fault == "api hung":
        cluster.apiserver.pause()
        wait()
        cluster.apiserver.resume()
        return
    befall(cluster, fault, wait)
    # A new API server serves custom resources a moment after it is ready. A garbage collector that looks for kinds
    # then does not watch ours for half a minute, and never learns of owners that went meanwhile. Elsewhere it ends by
    # itself when it loses its Lease to an outage.
    cluster.manager.kill()
    cluster.start_manager()


def befall(cluster, fault, wait):
    if fault == "api killed":
        cluster.apiserver.kill()
        wait()
        cluster.start_apiserver()
    elif fault == "etcd killed":
        cluster.etcd.kill()
        wait()
        cluster.start_etcd()
        cluster.wait_for_apiserver()
    else:
        try:
            compact(cluster)
        except (OSError, AssertionError):
            return  # nothing to compact since the last time
        cluster.restart_apiserver()
