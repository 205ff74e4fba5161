#!/usr/bin/env python3
"""configDelivery: Reload on a real API server: the Service gets a new port when every ready pod reports its listener. The pods
are played: addresses in EndpointSlices, and a web server on each."""
import http.server
import threading

from harness import own_network
from harness.suite import ClusterTest, eventually, main, objects
from harness.waiting import stays

SLICES = f"/apis/discovery.k8s.io/v1/namespaces/{objects.NAMESPACE}/endpointslices"
ADMIN_PORT = 11000


class Pod:
    """GET /listeners as Envoy answers it."""

    def __init__(self, address):
        self.address, self.listeners, self.asked = address, {"admin"}, 0
        pod = self

        class Answers(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                pod.asked += 1
                self.send_response(200 if self.path == "/listeners" else 404)
                self.end_headers()
                self.wfile.write("".join(f"{one}::0.0.0.0:1\n" for one in sorted(pod.listeners)).encode())

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer((address, ADMIN_PORT), Answers)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def end(self):
        self._server.shutdown()
        self._server.server_close()


class Reload(ClusterTest):
    def pods(self, count):
        made = [Pod(f"{own_network.NET}.{index + 1}") for index in range(count)]
        for one in made:
            self.addCleanup(one.end)
        return made

    def publish(self, name, ready):
        """ready: by pod, is it? None: no more."""
        self.api.create(SLICES, {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"{name}-1", "labels": {"kubernetes.io/service-name": name}},
            "endpoints": [{"addresses": [pod.address], "conditions": {"ready": bool(yes), "terminating": yes is None}}
                          for pod, yes in ready.items()]})

    def change_ports(self, name, *numbers):
        self.api.patch(objects.path(name), {"spec": {"ports": [{"port": number} for number in numbers]}})

    def ports(self, name):
        return [one["port"] for one in self.child("service", name)["spec"]["ports"]]

    def test_a_new_port_waits_for_every_ready_pod(self):
        operator = self.operator()
        first, second, ending = self.pods(3)
        self.create("api", configDelivery="Reload")
        self.wait_for_children("api")
        self.publish("api", {first: True, second: True, ending: None})
        template = self.child("deployment", "api")["spec"]["template"]
        self.wait_settled(operator)
        self.assertEqual([first.asked, second.asked], [0, 0], "nobody is asked without a reason")
        self.change_ports("api", 443, 8443)
        eventually("pods are asked", lambda: first.asked and second.asked)
        self.assertIn("8443", self.child("configmap", "api")["data"]["lds.yaml"])
        eventually("the policy lets it through", lambda: "8443" in str(self.child("networkpolicy", "api")["spec"]))
        first.listeners.add("api_TCP_8443")
        self.set_ready("api", 2)
        found = self.wait_for_condition("api", "Ready", "False", "WaitingForListeners")
        self.assertIn("8443/TCP", found["message"])
        stays("one of them does not listen", lambda: self.ports("api") == [443], 2)
        second.listeners.add("api_TCP_8443")
        eventually("both listen", lambda: self.ports("api") == [443, 8443], 30)
        self.assertEqual(ending.asked, 0)
        self.wait_settled(operator)
        asked = first.asked
        self.cluster.audit.mark()
        self.change_ports("api", 443)
        eventually("it goes at once", lambda: self.ports("api") == [443])
        self.wait_settled(operator)
        self.assertEqual(first.asked, asked, "a removal asks nobody")
        self.assertEqual(self.child("deployment", "api")["spec"]["template"], template)

    def test_a_new_port_waits_for_a_pod_that_comes_up(self):
        self.operator()
        first, starting = self.pods(2)
        for one in first, starting:
            one.listeners.add("late_TCP_8443")
        self.create("late", configDelivery="Reload")
        self.wait_for_children("late")
        self.publish("late", {first: True, starting: False})
        self.change_ports("late", 443, 8443)
        self.set_ready("late", 1)
        eventually("it is waited for", lambda: "1 of 2 pods are coming up" in self.condition("late", "Ready")["message"])
        self.assertEqual((self.ports("late"), first.asked), ([443], 0))
        self.api.patch(f"{SLICES}/late-1", {"endpoints": [
            {"addresses": [pod.address], "conditions": {"ready": True}} for pod in (first, starting)]})
        eventually("both listen", lambda: self.ports("late") == [443, 8443], 30)
        self.assertGreater(starting.asked, 0)

    def test_the_switch_rolls_the_pods_once_and_leaves_nothing_behind(self):
        operator = self.operator()
        self.create("api")
        before = self.wait_for_children("api")["deployment"]
        self.wait_settled(operator)
        self.cluster.audit.mark()
        self.api.patch(objects.path("api"), {"spec": {"configDelivery": "Reload"}})
        eventually("other pods", lambda: self.child("deployment", "api")["metadata"]["generation"] > before["metadata"]["generation"])
        self.wait_settled(operator)
        writes = [one for one in self.cluster.audit.writes() if one["objectRef"]["resource"] == "deployments"]
        self.assertEqual(len(writes), 1)
        pods = self.child("deployment", "api")["spec"]["template"]
        self.assertNotIn("egress.monzo.com/dns-name", pods["metadata"]["annotations"])
        self.assertNotIn("ports", pods["spec"]["containers"][0])
        self.cluster.audit.mark()
        operator.stop()
        again = self.operator(name="again")
        self.wait_settled(again)
        self.assertEqual(self.cluster.audit.writes(), [])


if __name__ == "__main__":
    own_network.enter()
    main()
