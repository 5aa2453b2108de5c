"""The gateways of one Gateway are replaced one after the other, as a rollout does, under clients that keep their
connections: no request may fail. Who is told to end is not ready at once and serves on while load balancers learn it.
"""
import http.client
import os
import signal
import threading
import time

import harness
from harness import Agent, Backend, Gateway, expect, expect_equal, say, wait_until

ROUNDS = 2  # Of both gateways.
DELAY = 3  # Seconds of --shutdown-delay.
LAG = 1.0  # Seconds until clients learn who is ready: well within the delay, as a cluster's endpoints are.
BUSY, SLOW, SLOW_PAUSE = 6, 2, 0.3  # Clients that ask without pause, and with one: at most once in so many seconds.
PORT = 8080


class Endpoints:
    """Who is ready, as clients see it: some time later."""

    def __init__(self, gateways):
        self.gateways, self.known, self.ended = gateways, [g.ip for g in gateways], threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        seen = []  # (when, who was ready)
        while not self.ended.wait(0.05):
            ready = []
            for gateway in self.gateways:
                try:
                    if gateway.ready_status() == 200:
                        ready.append(gateway.ip)
                except (OSError, http.client.HTTPException):
                    pass
            seen.append((time.monotonic(), ready))
            while seen and seen[0][0] + LAG <= time.monotonic():
                self.known = seen.pop(0)[1]

    def end(self):
        self.ended.set()
        self.thread.join()


class Visitor:
    """Asks on one kept connection until it is told that it ends, then on another one to somebody who is known."""

    def __init__(self, endpoints, number, pause):
        self.endpoints, self.number, self.pause = endpoints, number, pause
        self.answered = self.told = 0
        self.failures = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._visit, daemon=True)
        self.thread.start()

    def _visit(self):
        client = None
        while not self.ended.wait(self.pause):
            if client is None:
                known = self.endpoints.known
                if not known:
                    self.failures.append("nobody is known to be ready")
                    return
                client = harness.Client(known[(self.number + self.told) % len(known)], PORT)
            path = f"/web/{self.number}-{self.answered}"
            try:
                answer = client.get(path)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(f"{client.ip} {path}: {type(error).__name__}: {error}")
                client = None
                continue
            self.answered += 1
            if (answer.status, answer.text) != (200, f"web {path}"):
                self.failures.append(f"{client.ip} {path}: {answer.status} {answer.text[:100]!r}")
            if client.connection is None:
                self.told += 1
                client = None

    def end(self):
        self.ended.set()
        self.thread.join()


def replace(gateway, visitors):
    """One pod goes and comes; the time from the signal to its end."""
    begin = time.monotonic()
    os.kill(gateway.child.pid, signal.SIGTERM)
    wait_until(lambda: gateway.ready_status() == 503, DELAY / 2, f"{gateway.name} is not ready once it is told to end",
               poll=0.002)
    answer = gateway.client(PORT).get("/web/late")
    expect_equal((answer.status, answer.headers["Connection"]), (200, "close"), "a new connection, winding down")
    expect_equal(gateway.wait_exit(), 0, f"exit code of {gateway.name}")
    took = time.monotonic() - begin
    expect(took >= DELAY, f"{gateway.name} ended after {took:.1f} s, within its delay")
    gateway.start()
    wait_until(lambda: gateway.expect_alive() and gateway.ready_status() == 200, harness.START_LIMIT, "ready again")
    before = [visitor.answered for visitor in visitors]
    time_to_learn = time.monotonic() + LAG
    wait_until(lambda: time.monotonic() > time_to_learn and all(
        visitor.failures or visitor.answered > had for visitor, had in zip(visitors, before)),
        harness.START_LIMIT, "all visitors are answered")
    return took


def test(lab):
    backend = Backend(lab, "web", lab.ip(0), 9000).start()
    agent = Agent(lab, "dc1", lab.ip(1)).start_ready()
    gateways = [Gateway(lab, f"edge-{i}", lab.ip(2 + i), "default/edge", agent) for i in range(2)]
    agent.apply(harness.gateway_class("edge") + harness.gateway("edge", "edge")
                + harness.service(backend.label, backend.ip, backend.port)
                + harness.http_route("web", "edge", "/web", [f"{{name: {backend.label}, port: 80}}"]))
    for gateway in gateways:
        gateway.command += ["--shutdown-delay", str(DELAY)]
        gateway.start()
    for gateway in gateways:
        wait_until(lambda: gateway.expect_alive() and gateway.ready_status() == 200, harness.START_LIMIT, "ready")
    endpoints = Endpoints(gateways)
    visitors = ([Visitor(endpoints, i, 0.001) for i in range(BUSY)]
                + [Visitor(endpoints, BUSY + i, SLOW_PAUSE) for i in range(SLOW)])
    try:
        wait_until(lambda: all(visitor.answered for visitor in visitors), harness.START_LIMIT, "all are answered")
        expect_equal(sum(visitor.told for visitor in visitors), 0, "connections that were told to end before a rollout")
        ends = [replace(gateway, visitors) for _ in range(ROUNDS) for gateway in gateways]
    finally:
        for visitor in visitors:
            visitor.end()
        endpoints.end()
    failures = [failure for visitor in visitors for failure in visitor.failures]
    answered = sum(visitor.answered for visitor in visitors)
    told = sum(visitor.told for visitor in visitors)
    say(f"  {len(ends)} gateways replaced under {answered} requests: {len(failures)} failed, {told} connections told "
        f"to end; from the signal to the end of a process at most {max(ends):.1f} s")
    expect_equal(failures, [], "requests that failed")
    expect(told >= len(visitors), "hardly a connection was told to end")


if __name__ == "__main__":
    harness.run("rolling_gateway", 27, test)
