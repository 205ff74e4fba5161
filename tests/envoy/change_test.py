#!/usr/bin/env python3
"""What happens to connections in flight at each kind of change, as docs/gateways.md has it."""
from harness import cases
from harness.cases import TrafficTest, peers, world
from harness.rendering import external_service, render

PORTS = [{"port": 443, "protocol": "TCP"}]
# Pods are replaced: connections in flight live as long as the drain.
RESTARTS = {
    "dnsName": "other.example.com", "ports": [*PORTS, {"port": 80, "protocol": "TCP"}], "ipOverride": ["192.0.2.1"],
    "resources": {"limits": {"cpu": "1"}}, "envoyClusterMaxConnections": 7, "envoyLogLevel": "warn", "envoyDnsRefreshRateS": 9,
    "envoyRespectDnsTTL": False, "envoyJsonAdminAccessLogs": True, "envoyJsonClusterAccessLogs": True, "tls": {"sni": "Enforce"},
    "configDelivery": "Reload",
}
# With configDelivery: Reload, pods are replaced for these alone.
RELOAD_RESTARTS = {"resources", "envoyLogLevel"}
# Nothing happens to pods.
KEEPS = {"hijackDns": False, "minReplicas": 5, "maxReplicas": 50, "targetCPUUtilizationPercentage": 70, "serviceTopologyMode": "Disabled",
         "dnsClients": ["10.0.0.0/8"], "allowPrivate": True}


class Change(TrafficTest):
    def template(self, **changes):
        before = external_service("changing", ports=PORTS)
        before["spec"].update(changes)
        return render([before])["changing"]["Deployment"]["spec"]["template"]

    def test_which_fields_replace_the_pods(self):
        plain = self.template()
        for field, value in RESTARTS.items():
            self.assertNotEqual(self.template(**{field: value}), plain, field)
        for field, value in KEEPS.items():
            self.assertEqual(self.template(**{field: value}), plain, field)

    def test_which_fields_replace_the_pods_that_take_up_changes(self):
        plain = self.template(configDelivery="Reload")
        for field, value in {**RESTARTS, **KEEPS}.items():
            if field != "configDelivery":
                same = self.template(configDelivery="Reload", **{field: value}) == plain
                self.assertEqual(same, field not in RELOAD_RESTARTS, field)

    def test_the_ttl_of_a_wildcard_is_always_respected(self):
        plain = self.template(dnsName="*.example.com")
        for wish in (True, False):
            self.assertEqual(self.template(dnsName="*.example.com", envoyRespectDnsTTL=wish), plain, wish)
        self.assertEqual(self.template(envoyRespectDnsTTL=True), self.template())

    def test_the_guard_of_a_wildcard_replaces_them(self):
        self.assertNotEqual(self.template(dnsName="*.example.com"), self.template(dnsName="*.example.com", allowPrivate=True))

    def test_every_field_is_known_to_this_test(self):
        fields = set(RESTARTS) | set(KEEPS)
        text = (cases.ROOT / "deploy" / "crd" / "externalservices.yaml").read_text(encoding="utf-8")
        missing = {field for field in cases.spec_fields(text) if field not in fields}
        self.assertEqual(missing, set())

    def test_a_configuration_file_that_changes_in_place_touches_nothing(self):
        """The ConfigMap is updated in running pods before they are replaced: Envoy does not look."""
        self.resolver.set("changing.example.com", world.public(140))
        peers.Tcp(world.public(140), 443)
        gateway = self.gateway("changing", [443])
        held = self.connect(gateway, 443)
        self.assertEqual(peers.read_line(held), world.public(140))
        gateway.deliver({"envoy.yaml": "admin: broken"})
        self.assertTrue(peers.alive(held))
        self.assertEqual(peers.who(gateway.address, 443), world.public(140))

    def test_a_replaced_pod_drains_while_the_new_one_serves(self):
        self.resolver.set("rolling.example.com", world.public(141))
        peers.Tcp(world.public(141), 443), peers.Tcp(world.public(142), 443)
        old = self.gateway("rolling", [443])
        held = self.connect(old, 443)
        self.assertEqual(peers.read_line(held), world.public(141))
        new = self.gateway("rolling", [443], ipOverride=[world.public(142)])
        self.assertNotEqual(new.template["metadata"]["annotations"], old.template["metadata"]["annotations"])
        self.assertEqual(peers.who(new.address, 443), world.public(142))
        self.assertTrue(peers.alive(held), "through the old pod, to where it was")
        self.assertEqual(old.stop(), 0)
        self.assertFalse(peers.alive(held))


if __name__ == "__main__":
    cases.main()
