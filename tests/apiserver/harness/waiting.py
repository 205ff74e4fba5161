"""Waiting on conditions: no test sleeps to be safe."""
import time


class TimedOut(AssertionError):
    pass


def eventually(what, probe, seconds=30.0, every=0.02):
    """Calls probe() until it returns something true, which is returned; says what was waited for otherwise.

    An exception of the probe (the object is not there) counts as "not yet", and is shown when the time is over.
    """
    end = time.monotonic() + seconds
    last = None
    while True:
        try:
            found = probe()
            if found:
                return found
            last = found
        except (AssertionError, OSError, LookupError, TypeError) as error:
            last = error
        if time.monotonic() > end:
            raise TimedOut(f"waited {seconds} s: {what}; last: {last!r}")
        time.sleep(every)


def stays(what, probe, seconds):
    """Fails as soon as probe() is not true within the time: for what must not happen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = probe()
        assert found, f"{what}: {found!r}"
        time.sleep(0.05)
