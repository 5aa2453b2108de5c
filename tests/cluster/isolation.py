#!/usr/bin/env python3
"""No object's mistake touches another object's traffic or status: many routes serve under load, each answer compared,
while over a hundred kinds of broken objects (broken_objects.py) come and go. Of each it is seen what is said of it and
where; of the healthy ones nothing may be written at all: their resourceVersions stay what they are."""
import json
import pathlib
import random
import tempfile
import time

import broken_objects
import harness
import lab
from api import Api, Refused, make
from harness import expect, expect_equal, say, wait_until

SAID_LIMIT = 15.0  # Seconds until what is wrong with an object must be said.
GONE_LIMIT = 120.0  # Until Kubernetes has removed a namespace with all that is in it.
EVERY = 3  # Of the rows, one in so many is there when a controller starts anew.
CONTROLLERS = "app.kubernetes.io/name=strait"
PORT = 18080
NAMESPACE = "default"
HEALTHY = ("HTTPRoute", "Gateway", "TCPRoute")
NAMED_IN_TABLE = 150  # Characters of what was seen.
FAILED = "FAILED: "


def healthy(count, node, pems):
    everywhere = {"namespaces": {"from": "All"}}
    listeners = [broken_objects.listener("http", 80, allowedRoutes=everywhere),
                 broken_objects.https("edge", name="https", port=443), broken_objects.listener("tcp", 9000, "TCP")]
    yield make("Service", "web", {"ports": [{"name": "http", "port": 80}]})
    yield make("EndpointSlice", "web-1", labels={"kubernetes.io/service-name": "web"}, addressType="IPv4",
               endpoints=[{"addresses": [node]}], ports=[{"name": "http", "port": PORT}])
    yield broken_objects.secret("edge", pems["good.crt"], pems["good.key"], ns=NAMESPACE)
    yield make("Gateway", "edge", {"gatewayClassName": "strait", "listeners": listeners,
                                   "allowedListeners": {"namespaces": {"from": "All"}}})
    yield make("TCPRoute", "raw", {"parentRefs": [{"name": "edge", "sectionName": "tcp"}],
                                   "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]})
    for i in range(count):
        match = {"path": {"type": "PathPrefix", "value": f"/r{i}"}}
        yield make("HTTPRoute", f"r{i}", {"parentRefs": [{"name": "edge"}], "rules": [
            {"matches": [match], "backendRefs": [{"name": "web", "port": 80}]}]})


def without_counts(gateway):
    """Of the Gateway that broken routes may attach to, all that they must not change."""
    status = {**gateway["status"]}
    status.pop("attachedListenerSets", None)
    status["listeners"] = [{key: value for key, value in it.items() if key != "attachedRoutes"}
                           for it in status["listeners"]]
    return gateway["spec"], status


class Watcher:
    """What must not change: every write to the healthy objects, and every version of their Gateway."""

    def __init__(self, api):
        self.api = api
        self.before = self.versions()
        self.gateway = without_counts(api.get("Gateway", "edge"))
        self.gateways_seen, self.wrong = 0, []
        api.watch("Gateway", NAMESPACE, "edge", self.saw)

    def saw(self, gateway):
        self.gateways_seen += 1
        if without_counts(gateway) != self.gateway:
            self.wrong.append(f"Gateway edge: {without_counts(gateway)}, before: {self.gateway}")

    def versions(self):
        return {kind: self.api.versions(kind, NAMESPACE) for kind in HEALTHY} | {
            "GatewayClass": {"strait": self.api.get("GatewayClass", "strait")["metadata"]["resourceVersion"]}}

    def compare(self, shared):
        """Empty, or what changed. shared: something is attached to the Gateway, so that it counts."""
        now, changed = self.versions(), self.wrong[:]
        for kind, before in self.before.items():
            if shared and kind == "Gateway":
                continue
            changed += [f"{kind} {name}" for name in sorted(before.keys() | now[kind].keys())
                        if before.get(name) != now[kind].get(name)]
        return "; ".join(changed[:5])


def parts(status, part):
    if not part:
        return [status]
    if part.startswith("listeners/"):
        return [it for it in status.get("listeners", []) if it["name"] == part[10:]]
    return status.get(part, [])


def said(api, says, ns):
    """The message, once the condition is there as it must be for the object's last generation."""
    it = api.get(says.kind, says.name, ns)
    status = it.get("status", {}) if it else {}
    found = [condition for part in parts(status, says.part) for condition in part.get("conditions", [])]
    for condition in found:
        if (condition["type"], condition["status"], condition["reason"]) == (says.type, says.status, says.reason) and \
                condition["observedGeneration"] == it["metadata"]["generation"] and \
                all(word in condition["message"] for word in says.words):
            return condition["message"] or "(nothing more)"
    raise harness.Failed("; ".join(f"{it['type']}={it['status']} {it['reason']} ({it['message']})" for it in found)
                         or "no condition at all")


def come(api, row):
    """What was seen of it: a text for each thing that is said."""
    for it in row.objects[:-1]:
        api.apply(it)
    try:
        api.apply(row.objects[-1])
    except Refused as refused:
        expect(row.refused, f"the API server refuses it: {refused}")
        for word in row.refused:
            expect(word in str(refused), f"the API server's refusal says nothing of {word!r}: {refused}")
        return [f"refused: {str(refused).split(': ', 2)[2]}"]
    expect(not row.refused, f"the API server takes it; expected a refusal that says {row.refused}")
    seen = []
    for says in row.says:
        ns = broken_objects.NS if says.kind != "GatewayClass" else None
        message = wait_until(lambda s=says, n=ns: said(api, s, n), SAID_LIMIT, f"{says.text()} with {says.words}", 0.05)
        seen.append(f"{says.text()}: {message}")
    return seen


def go(api, row):
    for it in reversed(row.objects):
        api.delete(it)


def on_shared(rows):
    """The broken HTTPRoutes once more, on the listener that the healthy ones serve on."""
    for row in rows:
        last = row.objects[-1]
        if last["kind"] == "HTTPRoute" and not row.refused and row.name not in SCRATCH_ONLY:
            parent = {"name": "edge", "namespace": NAMESPACE, "sectionName": "http"}
            moved = {**last, "spec": {**last["spec"], "parentRefs": [parent]}}
            yield broken_objects.Row(f"{row.name}, shared", row.wrong, [*row.objects[:-1], moved], row.says)


# What is wrong with them lies in their parent.
SCRATCH_ONLY = {"httproute-hostname", "httproute-section", "httproute-parent-port", "httproute-namespace",
                "httproute-listener-of-tcp", "httproute-hidden"}


def line(name, wrong, seen):
    return f"  {name:44} {wrong[:44]:44} {seen if seen.startswith(FAILED) else seen[:NAMED_IN_TABLE]}"


def pass_over(api, rows, watcher, shared):
    """Each comes, is seen and goes. Names of rows that failed, with why."""
    failed = {}
    for row in rows:
        try:
            seen = come(api, row)
            for one in seen:
                say(line(row.name, row.wrong, one))
        except harness.Failed as error:
            failed[row.name] = str(error)
            say(line(row.name, row.wrong, FAILED + str(error)[:2000]))
        finally:
            go(api, row)
        if changed := watcher.compare(shared):
            failed[row.name] = f"healthy objects were written to: {changed}"
            say(line(row.name, row.wrong, FAILED + failed[row.name]))
            watcher.before, watcher.wrong = watcher.versions(), []
    return failed


def all_at_once(cluster, api, rows, rng):
    """Many of them in one namespace, where the controller that starts anew finds them; then the namespace goes with all
    that is in it."""
    ns = "doomed"
    api.apply(make("Namespace", ns))
    objects = []
    for n, row in enumerate(rows[::EVERY]):
        for it in row.objects:
            if it["metadata"].get("namespace") != broken_objects.NS:
                continue
            it = json.loads(json.dumps(it))
            it["metadata"] |= {"namespace": ns, "name": f"{it['metadata']['name']}-{n}"}
            for parent in it.get("spec", {}).get("parentRefs", []):
                parent["namespace"] = broken_objects.NS
            objects.append(it)
    rng.shuffle(objects)
    taken = 0
    for it in objects:
        try:
            api.apply(it)
            taken += 1
        except Refused:
            pass  # The API server's to refuse, as in the table.
    before = {it["metadata"]["uid"] for it in controllers(api)}
    cluster.kubectl("delete", "pod", "-n", lab.NAMESPACE, "-l", CONTROLLERS, "--wait=false")

    def anew():
        return [it for it in controllers(api) if it["metadata"]["uid"] not in before and
                lab.conditions(it["status"]).get("Ready") == "True"]
    wait_until(anew, lab.READY_LIMIT, "another controller is ready", 0.1)
    # What is said from now on is said by the new one.
    row = next(row for row in rows if row.name == "httproute-backend-missing")
    come(api, row)
    go(api, row)
    api.delete(make("Namespace", ns))
    wait_until(lambda: api.get("Namespace", ns) is None, GONE_LIMIT, "the namespace is gone", 0.2)
    say(f"  {taken} broken objects in one namespace: a new controller found them, and then they were deleted with it")


def controllers(api):
    return api.list("Pod", lab.NAMESPACE, CONTROLLERS)


def test(cluster, options):
    node = f"10.{cluster.index}.0.1"
    cluster.up()
    cluster.images(options.programs)
    cluster.install()
    cluster.enter()
    api, rng = Api(cluster), random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="strait-isolation-") as directory:
        pems = broken_objects.certificates(directory)
        machines = harness.Lab("isolation", 0)
        machines.directory = pathlib.Path(directory)
        try:
            run_under_load(cluster, api, machines, node, pems, rng, options)
        finally:
            for process in reversed(machines.processes):
                process.end()


def run_under_load(cluster, api, machines, node, pems, rng, options):
    harness.Backend(machines, "web", node, PORT).start()
    begin = time.monotonic()
    for it in healthy(options.routes, node, pems):
        api.apply(it)
    address = cluster.gateway_address("edge")
    client = harness.Client(address, 80)
    for i in (0, options.routes - 1):
        wait_until(lambda path=f"/r{i}/x": client.get(path).text == f"web {path}", 60, f"/r{i} serves")
    for it in broken_objects.ground(pems, node):
        api.apply(it)
    settled(api, options.routes)
    say(f"  {options.routes} routes serve after {time.monotonic() - begin:.1f} s, at {address}")

    rows = broken_objects.table(pems, node)
    if options.only:
        rows = [row for row in rows if options.only in row.name]
    targets = [{"path": f"/r{i}", "bodies": ["web"]} for i in range(options.routes)]
    load = harness.Load(machines, "healthy", address, 80, options.rate, targets).start()
    watcher = Watcher(api)
    failed = pass_over(api, rows, watcher, shared=False)
    if not options.only:
        all_at_once(cluster, api, rows, rng)
        if changed := watcher.compare(shared=False):
            failed["a new controller"] = f"healthy objects were written to: {changed}"
            watcher.before, watcher.wrong = watcher.versions(), []
        failed |= pass_over(api, on_shared(rows), watcher, shared=True)
    expect(watcher.gateways_seen > 0, "the watch of the Gateway has seen none of it")
    report = load.finish_clean()
    # A count comes some 300 ms after what it counts.
    wait_until(lambda: api.get("Gateway", "edge")["status"]["listeners"][0]["attachedRoutes"] == options.routes,
               SAID_LIMIT, f"the Gateway counts {options.routes} routes in the end", 0.05)
    refused = sum(1 for row in rows if row.refused)
    say(f"  {len(rows)} kinds of broken objects ({refused} of them the API server's to refuse) came and went under "
        f"{report['answered']} requests: {len(failed)} rows failed")
    expect(not failed, "; ".join(f"{name}: {why}" for name, why in failed.items()))


def settled(api, count):
    """Until every healthy object says what it will say from now on: two looks that see the same."""
    def accepted():
        routes = api.list("HTTPRoute", NAMESPACE)
        return len(routes) == count and all(
            lab.conditions(it.get("status", {}).get("parents", [{}])[0]).get("Accepted") == "True" for it in routes)
    wait_until(accepted, 60, "every healthy route is accepted", 0.5)
    scratch = lambda: lab.conditions(api.get("Gateway", "scratch", broken_objects.NS).get("status", {}))  # noqa: E731
    wait_until(lambda: scratch().get("Accepted") == "True", 60, "the Gateway of the broken ones is accepted", 0.2)
    seen = []

    def quiet():
        seen.append({kind: api.versions(kind, NAMESPACE) for kind in HEALTHY})
        return len(seen) > 1 and seen[-1] == seen[-2]
    wait_until(quiet, 60, "the healthy objects rest", 2.0)


def arguments(parser):
    parser.add_argument("--routes", type=int, default=500, help="healthy routes (%(default)s)")
    parser.add_argument("--rate", type=int, default=500, help="requests per second over them (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the order in which many come at once (%(default)s)")
    parser.add_argument("--only", help="only the rows with this in their name")
    parser.add_argument("--programs", help="the directory of strait and strait-gateway, if not build/release/cmd")


if __name__ == "__main__":
    lab.run("isolation", [131], test, arguments)
