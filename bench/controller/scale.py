"""From N ExternalServices without children to all of them settled, and a restart with all in place."""
import time

from lab import Lab, memory, peak


def measure(options, count, tell):
    before = floor(options, count)
    lab = Lab(options, count)
    try:
        lab.create_external_services()
        creation(lab, tell)
        restart(lab, tell)
    finally:
        lab.stop()
    tell.floor(count, before, floor(options, count))


def floor(options, count):
    """On a server of its own: to delete 10,000 Services takes longer than to begin anew."""
    lab = Lab(options, count)
    try:
        lab.create_external_services()
        return *lab.floor_of_children(), lab.floor_of_statuses()
    finally:
        lab.stop()


def creation(lab, tell):
    lab.audit.mark()
    began = time.time()
    operator = lab.start()
    lab.wait_until_settled(operator)
    writes = lab.writes()
    creates = [one for one in writes if one["verb"] == "create"]
    tell.creation(lab.count, {
        "children": lab.seconds_until(began, creates), "settled": lab.seconds_until(began, writes),
        "cpu": operator.cpu(), "peak": peak(operator), "resident": operator.resident(),
        "writes": lab.audit.summary(writes)})
    assert len(creates) == 5 * lab.count, lab.audit.summary(writes)
    operator.stop()


def restart(lab, tell):
    lists = lab.floor_of_lists()
    lab.audit.mark()
    began = time.monotonic()
    operator = lab.start(name="restarted")
    operator.wait_until_ready(120)
    ready, used = time.monotonic() - began, operator.cpu()
    lab.wait_until_settled(operator)
    tell.restart(f"{lab.count:,}: restart", {
        "ready": ready, "used": used, "lists": lists, "writes": len(lab.writes()),
        "resident": f"{memory(operator.resident())}, at most {memory(peak(operator))}"})
    operator.stop()
