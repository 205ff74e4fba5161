#!/usr/bin/env python3
"""Idle time-outs: an hour for TCP and Envoy's minute for UDP, here seconds."""
import threading
import time

from harness import cases
from harness.cases import TrafficTest, eventually, peers, world
from harness.rendering import envoy_yaml, udp_idle_after

IDLE = 3


def shorter_tcp(text):
    return text.replace("idleTimeout: 3600s", f"idleTimeout: {IDLE}s")


class Idle(TrafficTest):
    def test_tcp_connections_that_say_nothing_are_closed_and_the_others_stay(self):
        self.resolver.set("idle.example.com", world.public(110))
        peers.Tcp(world.public(110), 443)
        gateway = self.gateway("idle", [443], change=shorter_tcp)
        self.assertIn("idleTimeout: 3600s", envoy_yaml(gateway.children))
        silent, talking = self.connect(gateway, 443), self.connect(gateway, 443)
        self.assertEqual({peers.read_line(one) for one in (silent, talking)}, {world.public(110)})
        begun, closed = time.monotonic(), threading.Event()
        threading.Thread(target=lambda: silent.recv(1) == b"" and closed.set(), daemon=True).start()
        while not closed.wait(0.2):
            self.assertTrue(peers.alive(talking))
            self.assertLess(time.monotonic() - begun, 3 * IDLE)
        self.assertGreater(time.monotonic() - begun, IDLE - 1)
        while time.monotonic() - begun < 2 * IDLE:
            self.assertTrue(peers.alive(talking), "what is said counts")
            closed.wait(0.1)

    def test_udp_sessions_end_and_begin_anew(self):
        self.resolver.set("idleudp.example.com", world.public(111))
        peers.Udp(world.public(111), 53)
        gateway = self.gateway("idleudp", ["53/UDP"], change=udp_idle_after(IDLE))
        self.assertTrue(peers.ask_udp(gateway.address, 53))

        def sessions():
            return sum(value for key, value in gateway.stats().items() if "downstream_sess_active" in key)

        self.assertEqual(sessions(), 1)
        eventually("the session has ended", lambda: sessions() == 0, 5 * IDLE, every=0.2)
        gateway.wait_for("its line is there", lambda: f'"{world.NODE}:' in gateway.output().splitlines()[-1], 10)
        self.assertTrue(peers.ask_udp(gateway.address, 53))


if __name__ == "__main__":
    cases.main()
