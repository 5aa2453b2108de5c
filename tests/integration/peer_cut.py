"""Two peered datacenters; one's agent goes away and comes back. dc1 dials dc2 through a relay that counts bytes."""
import time

import harness
from harness import Agent, Backend, Gateway, Load, Relay, expect, expect_equal, say, wait_until

SERVICES = 200  # Exported by dc2.
CHANGED = 2
PORT, PEERING_PORT = 8080, 8443
FAILING_LIMIT = 5.0  # Until the loss of a connection is said.
FAR_BELOW = 5  # A resume may take a fifth of the full exchange's bytes, handshake included; it is less.
DIAL_LIMIT = 90.0  # The next attempt comes after 64 s at most.


def peer(agent, name, state, services=None):
    def probe():
        agent.expect_alive()
        peering = agent.peering(name)
        status = peering["StreamStatus"]
        if services is not None and len(status["ImportedServices"] or []) != services:
            raise harness.Failed(f"{len(status['ImportedServices'] or [])} imported, {peering['State']}")
        if peering["State"] != state:
            raise harness.Failed(f"state {peering['State']}, last error {status.get('LastError')!r}")
        return peering
    return probe


def register(agent, backend, number, port=None):
    agent.register(f"svc-{number}", backend.ip, port or backend.port, node="machines")


def imported_ports(agent, number):
    answer = agent.client().ok("GET", f"/v1/health/service/svc-{number}?peer=dc2").json()
    return [it["Service"]["Port"] for it in answer]


def quiet(relay):
    """The count once nothing is on its way: unchanged for half a second."""
    last = [relay.bytes(), time.monotonic()]

    def still():
        now = relay.bytes()
        if now != last[0]:
            last[:] = [now, time.monotonic()]
        return time.monotonic() - last[1] > 0.5
    wait_until(still, harness.START_LIMIT, "the link is quiet")
    return relay.bytes()


def peer_up(lab, dc1, dc2, relay, backend):
    for number in range(SERVICES):
        register(dc2, backend, number)
    dc2.register("api", backend.ip, backend.port)
    dc2.client().ok("PUT", "/v1/config", {
        "Kind": "exported-services", "Name": "default",
        "Services": [{"Name": "*", "Consumers": [{"Peer": "dc1"}]}]})
    dc2.client().ok("PUT", "/v1/config", {
        "Kind": "service-intentions", "Name": "api", "Sources": [{"Name": "*", "Peer": "dc1", "Action": "allow"}]})
    dc2.apply(harness.gateway_class("edge") + harness.gateway("edge", "edge", annotations=(
        f'{{strait.dev/peering-port: "{PEERING_PORT}", strait.dev/peering-address: {lab.ip(3)}}}')))
    dc1.apply(harness.gateway_class("edge") + harness.gateway("edge", "edge") + """---
apiVersion: consul.hashicorp.com/v1alpha1
kind: MeshService
metadata: {name: api}
spec: {name: api, peer: dc2}
""" + harness.http_route("api", "edge", "/api", ["{group: consul.hashicorp.com, kind: MeshService, name: api}"]))
    token = dc2.client().ok("POST", "/v1/peering/token", {
        "PeerName": "dc1", "ServerExternalAddresses": [f"{relay[0]}:{relay[1]}"]}).json()["PeeringToken"]
    dc1.client().ok("POST", "/v1/peering/establish", {"PeerName": "dc2", "PeeringToken": token})


def exported(count):
    return count + 1  # "api" beside the numbered ones.


def test(lab):
    backend = Backend(lab, "api", lab.ip(0), 9000).start()
    dc1 = Agent(lab, "dc1", lab.ip(1), datacenter="dc1").start_ready()
    dc2 = Agent(lab, "dc2", lab.ip(2), datacenter="dc2").start_ready()
    gateway2 = Gateway(lab, "gateway-dc2", lab.ip(3), "default/edge", dc2).start()
    gateway1 = Gateway(lab, "gateway-dc1", lab.ip(4), "default/edge", dc1).start()
    relay = Relay(lab, lab.ip(5), 8503, (dc2.ip, dc2.tls_port))
    begin = time.monotonic()
    peer_up(lab, dc1, dc2, (lab.ip(5), 8503), backend)
    # The "consul" service is not exported by "*": everything else is.
    wait_until(peer(dc1, "dc2", "ACTIVE", exported(SERVICES)), 30, "dc1 has everything of dc2")
    wait_until(peer(dc2, "dc1", "ACTIVE"), 30, "dc2 is ACTIVE too")
    full = quiet(relay)
    say(f"  {exported(SERVICES)} services imported {time.monotonic() - begin:.1f} s after the token: {full} bytes on "
        "the wire, both ways, handshake included")

    def api_answers():
        gateway1.expect_alive()
        answer = gateway1.client(PORT).get("/api/x")
        return (answer.status, answer.text) == (200, "api /api/x") or None
    wait_until(api_answers, 30, "dc1's gateway answers from dc2's api")

    agent_stopped(lab, dc1, dc2, gateway1, backend)
    resume_nothing = resume(dc1, dc2, relay, backend, [])
    changed = resume(dc1, dc2, relay, backend, list(range(CHANGED)))
    say(f"  reconnected with nothing changed: {resume_nothing} bytes; with {CHANGED} services changed and one removed: "
        f"{changed} bytes; the full exchange: {full}")
    expect(changed * FAR_BELOW < full, "a resume is not far below the full exchange")
    per_service = full / exported(SERVICES)
    expect(changed - resume_nothing < 2 * (CHANGED + 1) * per_service + 1024,
           "the difference is more than what changed")
    gateway1.expect_alive()
    gateway2.expect_alive()
    dc1.stop()
    dc2.stop()


def agent_stopped(lab, dc1, dc2, gateway1, backend):
    """dc2's agent away: dc1 says so and serves on."""
    load = Load(lab, "api", gateway1.ip, PORT, 300, [{"path": "/api", "bodies": ["api"]}]).start()
    before = dc1.client().ok("GET", "/v1/health/service/api?peer=dc2").json()
    begin = time.monotonic()
    dc2.stop()
    stopped = time.monotonic() - begin
    peering = wait_until(peer(dc1, "dc2", "FAILING", exported(SERVICES)), FAILING_LIMIT, "dc1 says FAILING")
    took = time.monotonic() - begin
    reason = peering["StreamStatus"].get("LastError", "")
    expect(reason, "FAILING without a reason")
    load.wait_answers(300)
    after = dc1.client().ok("GET", "/v1/health/service/api?peer=dc2").json()
    expect_equal(after, before, "what dc1 has of dc2's api")
    say(f"  dc2's agent stopped in {stopped:.2f} s; FAILING after {took:.2f} s: {reason}")
    dc2.start_ready()
    wait_until(peer(dc1, "dc2", "ACTIVE", exported(SERVICES)), DIAL_LIMIT, "ACTIVE after dc2's return")
    wait_until(peer(dc2, "dc1", "ACTIVE"), DIAL_LIMIT, "dc2 says ACTIVE after its return")
    say(f"  ACTIVE {time.monotonic() - dc2.started:.2f} s after dc2's start")
    load.wait_answers(300)
    load.finish_clean()


def resume(dc1, dc2, relay, backend, numbers):
    """Cuts the link and restarts dc2's agent meanwhile; returns the bytes from the reconnection to quiet."""
    relay.cut()
    wait_until(peer(dc1, "dc2", "FAILING"), FAILING_LIMIT, "FAILING after the cut")
    dc2.stop()
    dc2.start_ready()
    new_port = backend.port + 1
    for number in numbers:
        register(dc2, backend, number, new_port)
    gone = SERVICES - 1
    if numbers:
        dc2.client().ok("PUT", "/v1/catalog/deregister", {"Node": "machines", "ServiceID": f"svc-{gone}"})
    before = relay.bytes()
    relay.mend()
    services = exported(SERVICES) - (1 if numbers else 0)
    wait_until(peer(dc1, "dc2", "ACTIVE", services), DIAL_LIMIT, "ACTIVE after the cut")
    for number in numbers:
        wait_until(lambda: imported_ports(dc1, number) == [new_port], 10, f"the change of svc-{number} arrives")
    if numbers:
        wait_until(lambda: imported_ports(dc1, gone) == [], 10, "what was removed meanwhile is gone")
    return quiet(relay) - before


if __name__ == "__main__":
    harness.run("peer_cut", 22, test)
