"""A strait-gateway without its agent: goes on serving, starts from its last configuration, is not ready without one."""
import re
import time

import harness
from harness import Agent, Backend, Gateway, Load, expect, expect_equal, milliseconds, refuses, say, wait_until

RESTARTS = 11
RESTART_LIMIT = 0.300  # Seconds from exec to the first right answer; of the median, since machines stall.
PORT = 8080


def manifests(backend):
    return (harness.gateway_class("edge") + harness.gateway("edge", "edge")
            + harness.service(backend.label, backend.ip, backend.port)
            + harness.http_route("web", "edge", "/web", [f"{{name: {backend.label}, port: 80}}"]))


def answers(gateway, body):
    def probe():
        gateway.expect_alive()
        answer = gateway.client(PORT).get("/web/x")
        return answer.status == 200 and answer.text == f"{body} /web/x"
    return probe


def not_ready_without_configuration(gateway):
    gateway.start()
    status = wait_until(lambda: gateway.expect_alive() and gateway.ready_status(), harness.START_LIMIT,
                        "GET /ready is answered")
    expect_equal(status, 503, "GET /ready without a configuration")
    expect(refuses(gateway.ip, PORT), "something is served without a configuration")


def test(lab):
    old = Backend(lab, "old", lab.ip(0), 9000).start()
    new = Backend(lab, "new", lab.ip(0), 9001).start()
    agent = Agent(lab, "dc1", lab.ip(1))
    gateway = Gateway(lab, "edge", lab.ip(2), "default/edge", agent)

    not_ready_without_configuration(gateway)
    agent.start_ready()
    agent.apply(manifests(old))
    # Ready and serving are the same moment: whoever was told "ready" may send.
    wait_until(lambda: gateway.expect_alive() and gateway.ready_status() == 200, harness.START_LIMIT, "ready")
    answer = gateway.client(PORT).get("/web/x")
    expect_equal((answer.status, answer.text), (200, "old /web/x"), "the first answer once /ready says 200")
    say("  without a configuration: 503 on /ready and no listener; with the first one: ready and serving")

    load = Load(lab, "agent-gone", gateway.ip, PORT, 500, [{"path": "/web", "bodies": ["old"]}]).start()
    agent.stop()
    load.wait_answers(500)
    expect_equal(gateway.ready_status(), 200, "GET /ready with the agent stopped")
    agent.start_ready()
    load.wait_answers(500)
    complaints = [line for line in agent.log_text().splitlines() if re.search(" (warning|error) ", line)]
    expect_equal(complaints, [], "complaints of an agent that started twice and ended once, all in order")
    agent.kill()
    load.wait_answers(500)
    load.finish_clean()
    say("  the agent stopped, returned and was killed under that load")

    times = []
    for _ in range(RESTARTS):
        gateway.kill()
        gateway.start()
        wait_until(answers(gateway, "old"), harness.START_LIMIT, "the last configuration is served without an agent",
                   poll=0.001)
        times.append(time.monotonic() - gateway.started)
        # The worker that answered may be ahead of the others.
        wait_until(lambda: gateway.ready_status() == 200, harness.START_LIMIT, "ready with the last configuration",
                   poll=0.001)
    say(f"  killed and started alone, exec to first right answer: {milliseconds(times)} "
        f"(limit {1e3 * RESTART_LIMIT:.0f} ms for the median)")
    expect(harness.percentile(times, 0.5) <= RESTART_LIMIT, "the last configuration is served too late")
    gateway.stop()
    gateway.start()
    wait_until(answers(gateway, "old"), harness.START_LIMIT, "the last configuration is served after an end in order")

    agent.start_ready()
    agent.apply(manifests(new))
    wait_until(answers(gateway, "new"), 30, "the agent is back, and its news are served")
    say(f"  the agent's return: news served {time.monotonic() - agent.started:.2f} s after its start")

    gateway.kill()
    agent.stop()
    damage(gateway)


def damage(gateway):
    """Half of a saved configuration is none: said, and not served."""
    files = [path for path in gateway.data_dir.rglob("*") if path.is_file() and path.stat().st_size > 100]
    expect(files, f"no saved configuration under {gateway.data_dir}")
    for path in files:
        path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    before = len(gateway.log_text())
    not_ready_without_configuration(gateway)
    said = gateway.log_text()[before:]
    expect(any(path.name in said for path in files), f"the damaged file is not named in the log: {said[-500:]}")
    say("  a truncated saved configuration: named in the log, 503 on /ready, nothing served")


if __name__ == "__main__":
    harness.run("lone_gateway", 23, test)
