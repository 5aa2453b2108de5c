"""Takes away the ReferenceGrant of one route and gives it back, under load on other routes, by both sets of rules."""
import time

import harness
from harness import Agent, Backend, Gateway, Load, expect, expect_equal, milliseconds, say, wait_until

RATE = 1000  # Requests per second on the other routes.
OTHERS = 20  # Routes under load.
CYCLES = 10
PROBES = 400  # Requests by which a share is counted.
WEIGHTS = {"local": 3, "shop": 1}
PORT = 8080
REACTION_LIMIT = 5.0
SHARE_TOLERANCE = 2  # Of PROBES: turns are exact, but a run may begin in the middle of one.

GRANT = """---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: routes, namespace: shop}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default}]
  to: [{group: "", kind: Service}]
"""


def manifests(controller, backends):
    text = harness.gateway_class("edge", controller) + harness.gateway("edge", "edge") + GRANT
    for name in ("a", "b", "local"):
        text += harness.service(name, backends[name].ip, backends[name].port)
    text += harness.service("shop", backends["shop"].ip, backends["shop"].port, "shop")
    for number in range(OTHERS):
        text += harness.http_route(f"other-{number}", "edge", f"/other-{number}",
                                   [f"{{name: {'ab'[number % 2]}, port: 80}}"])
    return text + harness.http_route("granted", "edge", "/granted", [
        f"{{name: local, port: 80, weight: {WEIGHTS['local']}}}",
        f"{{name: shop, namespace: shop, port: 80, weight: {WEIGHTS['shop']}}}"])


def verdict(answer, path):
    """Which of the known answers this is; anything else is wrong."""
    if answer.status == 200 and answer.text in (f"local {path}", f"shop {path}"):
        return answer.text.split(" ")[0]
    if answer.status in (404, 500):
        return answer.status
    raise harness.Wrong(f"{path}: neither backend, 404 nor 500: {answer.status} {answer.text[:200]!r}")


def counts(gateway):
    client, found = gateway.client(PORT), {}
    for number in range(PROBES):
        path = f"/granted/{number}"
        one = verdict(client.get(path), path)
        found[one] = found.get(one, 0) + 1
    return found


def expect_share(found, wanted, when):
    """wanted: kind of answer → weight."""
    expect_equal(set(found), set(wanted), f"kinds of answers {when}: {found}")
    for kind, weight in wanted.items():
        share = PROBES * weight / sum(wanted.values())
        expect(abs(found[kind] - share) <= SHARE_TOLERANCE,
               f"{when}: {kind} {found[kind]} of {PROBES}, expected {share}")


def attached(agent):
    status = agent.object("HTTPRoute", "granted")["status"]["parents"][0]["conditions"]
    return {it["type"]: (it["status"], it["reason"]) for it in status}


def seen(gateway, kinds):
    """A run of answers of these kinds alone, long enough to hold the rarest of them."""
    def probe():
        gateway.expect_alive()
        client = gateway.client(PORT)
        return {verdict(client.get("/granted/x"), "/granted/x") for _ in range(3 * sum(WEIGHTS.values()))} == kinds
    return probe


def cycle(agent, gateway, without, conditions, away, back):
    begin = time.monotonic()
    agent.delete_object("ReferenceGrant", "routes", "shop")
    wait_until(seen(gateway, set(without)), REACTION_LIMIT, f"/granted is answered by {without}", 0.002)
    away.append(time.monotonic() - begin)
    expect_share(counts(gateway), without, "without the grant")
    wait_until(lambda: conditions.items() <= attached(agent).items(), REACTION_LIMIT,
               f"conditions {conditions} of the route")
    begin = time.monotonic()
    agent.apply(GRANT)
    wait_until(seen(gateway, set(WEIGHTS)), REACTION_LIMIT, "/granted is answered by both backends again", 0.002)
    back.append(time.monotonic() - begin)
    expect_share(counts(gateway), WEIGHTS, "with the grant again")
    wait_until(lambda: attached(agent).get("ResolvedRefs", ("",))[0] == "True"
               and attached(agent)["Accepted"][0] == "True", REACTION_LIMIT, "the route's conditions are true again")


def rules(lab, number, controller, without, conditions, backends):
    agent = Agent(lab, f"dc{number}", lab.ip(2 * number - 1), datacenter=f"dc{number}").start_ready()
    agent.apply(manifests(controller, backends))
    gateway = Gateway(lab, f"edge{number}", lab.ip(2 * number), "default/edge", agent).start_ready()
    wait_until(seen(gateway, set(WEIGHTS)), REACTION_LIMIT, "/granted is answered by both backends")
    expect_share(counts(gateway), WEIGHTS, "with the grant")
    load = Load(lab, f"rules{number}", gateway.ip, PORT, RATE, [
        {"path": f"/other-{it}", "bodies": ["ab"[it % 2]]} for it in range(OTHERS)]).start()
    away, back = [], []
    for _ in range(CYCLES):
        cycle(agent, gateway, without, conditions, away, back)
        load.wait_answers(RATE // 2)
    say(f"  {controller}: without the grant {without}")
    say(f"    grant deleted → served so: {milliseconds(away)}; restored → both backends: {milliseconds(back)}")
    load.finish_clean()
    # The load itself: answers of another backend than the expected one must count as wrong.
    misled = Load(lab, f"misled{number}", gateway.ip, PORT, RATE, [{"path": "/other-0", "bodies": ["b"]}]).start()
    report = misled.finish()
    expect_equal(report["wrong"], report["answered"], "answers of the wrong backend that are called wrong")
    gateway.stop()
    agent.stop()


def test(lab):
    backends = {name: Backend(lab, name, lab.ip(0), 9000 + number).start()
                for number, name in enumerate(("a", "b", "local", "shop"))}
    rules(lab, 1, harness.CONSUL_CONTROLLER, {404: 1},
          {"Accepted": ("False", "RefNotPermitted"), "ResolvedRefs": ("False", "RefNotPermitted")}, backends)
    rules(lab, 2, harness.STRAIT_CONTROLLER, {"local": WEIGHTS["local"], 500: WEIGHTS["shop"]},
          {"Accepted": ("True", "Accepted"), "ResolvedRefs": ("False", "RefNotPermitted")}, backends)


if __name__ == "__main__":
    harness.run("revoked_grant", 24, test)
