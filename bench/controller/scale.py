"""From N ExternalServices without children to all of them settled, and restarts with all in place."""
import time

from lab import Lab, memory, peak

RESTARTS = 3


def measure(options, count, tell):
    """In rounds, the floor before and after each; figures are the rounds' medians, ratios those of the rounds' own."""
    floors, made = [floor(options, count)], []
    rounds = options.rounds or min(9, max(1, 3000 // count))
    while len(made) < rounds:
        lab = Lab(options, count)
        try:
            lab.create_external_services()
            made.append(creation(lab))
            if len(made) == rounds:
                restarted = [restart(lab) for _ in range(RESTARTS)]
        finally:
            lab.stop()
        floors.append(floor(options, count))
    tell.creation(count, made, floors)
    tell.restart(count, restarted)


def floor(options, count):
    """On a server of its own: to delete 10,000 Services takes longer than to begin anew."""
    lab = Lab(options, count)
    try:
        lab.create_external_services()
        seconds, cpu = lab.floor_of_children()
        return {"children": seconds, "cpu": cpu, "settled": seconds + lab.floor_of_statuses()}
    finally:
        lab.stop()


def creation(lab):
    lab.audit.mark()
    began = time.time()
    operator = lab.start()
    lab.wait_until_settled(operator)
    writes = lab.writes()
    creates = [one for one in writes if one["verb"] == "create"]
    made = {"children": lab.seconds_until(began, creates), "settled": lab.seconds_until(began, writes),
            "cpu": operator.cpu(), "peak": peak(operator), "resident": operator.resident(),
            "writes": lab.audit.summary(writes)}
    assert len(creates) == 5 * lab.count, made["writes"]
    operator.stop()
    return made


def restart(lab):
    lab.rest()
    lists = lab.floor_of_lists()
    lab.rest()
    lab.audit.mark()
    began = time.monotonic()
    operator = lab.start(name="restarted")
    operator.wait_until_ready(120)
    ready, used = time.monotonic() - began, operator.cpu()
    lab.wait_until_settled(operator)
    made = {"ready": ready, "used": used, "lists": lists, "writes": len(lab.writes()),
            "resident": f"{memory(operator.resident())}, at most {memory(peak(operator))}"}
    operator.stop()
    return made
