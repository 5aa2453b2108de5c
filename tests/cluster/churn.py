#!/usr/bin/env python3
"""Everything changes under load: routes at 10 changes a second, a listener's certificate, backends, the gateway's own
pods, the controller, its leader, the API server. No request may fail, every status must come to say the newest version
of its route, and each route must serve as that version says. Prints a timeline with what failed when."""
import base64
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import lab
from api import Api, Refused, collection
from harness import Client, Failed, expect, gateway, milliseconds, say, wait_until

RATE, SECURE_SHARE = 2_000, 0.25  # Requests a second, and how much of that by HTTPS.
CHANGES, CHANGES_PER_SECOND, ROUTES, STEADY = 1_000, 10.0, 50, 20
CONNECTIONS, REQUESTS_PER_SECURE_CONNECTION = 48, 20
ROTATIONS = 10
INSTANCES = 2  # Of the gateway.
CONVERGED_LIMIT, ROLLED_OUT_LIMIT, FED_LIMIT = 30.0, 180.0, 60.0
HOST, SECRET = "churn.test", "/api/v1/namespaces/default/secrets/edge"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{lab.NAMESPACE}/leases/strait-controller"
LOAD = lab.STRAIT_LAB / "bin" / "strait-load"
ROUTES_PATH = collection("HTTPRoute", "default")
NOT_YET = (401, 403, 429, 500, 502, 503, 504)  # Of an API server that starts, to an administrator.
AWAY = (OSError, http.client.HTTPException, ValueError)
# Pods that ask for no CPU get 2 shares of it where every other program on the machine has 1,024. There is room for one
# more of each, which roll-outs need.
CONTROLLER_CPU, GATEWAY_CPU, BACKEND_CPU = "150m", "300m", "50m"
GATEWAY_CLASS = "connectInject.apiGateway.managedGatewayClass"


class ApiServer(Api):
    """One that may be away: then, AWAY."""

    def request(self, method, path, *more, **keywords):
        try:
            return super().request(method, path, *more, **keywords)
        except Refused as error:
            if error.status in NOT_YET:
                raise http.client.HTTPException(str(error)) from None
            raise

    def patch(self, path, body):
        return self.request("PATCH", path, body, "application/merge-patch+json")


def is_right(route, name):
    """Whether the Gateway of that name accepts the route's newest version, finds its backends, and all of its proxies
    serve it."""
    generation = route["metadata"]["generation"]
    for parent in route.get("status", {}).get("parents", []):
        if parent["parentRef"]["name"] == name:
            good = [it["type"] for it in parent["conditions"]
                    if it["status"] == "True" and it.get("observedGeneration") == generation]
            return {"Accepted", "ResolvedRefs", "strait.dev/Serving"} <= set(good)
    return False


# --- what is there ---


def backends():
    """With two words more than usual: Kubernetes takes them out of service before they end."""
    text = lab.echo("a", replicas=3) + lab.echo("b", replicas=3)
    old = "      terminationGracePeriodSeconds: 5\n"
    expect(text.count(old) == 2, "lab.echo changed: where does its grace period stand?")
    text = text.replace(old, "      terminationGracePeriodSeconds: 15\n")
    return text.replace("        imagePullPolicy: Never\n", "        imagePullPolicy: Never\n"
                        f"        resources: {{requests: {{cpu: {BACKEND_CPU}}}}}\n"
                        "        lifecycle: {preStop: {sleep: {seconds: 4}}}\n")


def route(name, version):
    """Version by version it goes to the other backend, and says which version it is."""
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": name}, "spec": {
        "parentRefs": [{"name": "edge"}], "rules": [{
            "matches": [{"path": {"type": "PathPrefix", "value": f"/{name}"}}],
            "filters": [{"type": "ResponseHeaderModifier",
                         "responseHeaderModifier": {"set": [{"name": "x-version", "value": str(version)}]}}],
            "backendRefs": [{"name": backend(version), "port": 80}]}]}}


def backend(version):
    return "ab"[version % 2]


class Authority:
    """Signs certificates for the listener."""

    def __init__(self, folder):
        self.folder = folder
        self.serial = 0
        lab.command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "30", "-subj", "/CN=churn-ca", "-keyout", folder / "ca.key", "-out", folder / "ca.crt")

    def certificate(self):
        """The data of a Secret; its serial number is self.serial."""
        self.serial += 1
        key, request, made = self.folder / "key", self.folder / "csr", self.folder / "crt"
        extension = self.folder / "extension"
        extension.write_text(f"subjectAltName=DNS:{HOST}\n")
        lab.command("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    f"/CN={HOST}", "-keyout", key, "-out", request)
        lab.command("openssl", "x509", "-req", "-in", request, "-CA", self.folder / "ca.crt", "-CAkey",
                    self.folder / "ca.key", "-set_serial", self.serial, "-days", "30", "-extfile", extension,
                    "-out", made)
        return {"tls.crt": base64.b64encode(made.read_bytes()).decode(),
                "tls.key": base64.b64encode(key.read_bytes()).decode()}


    def seen(self, address):
        """The serial number of the certificate that a client is shown, which it has checked."""
        context = ssl.create_default_context(cafile=self.folder / "ca.crt")
        with socket.create_connection((address, 443), 5.0) as raw, \
                context.wrap_socket(raw, server_hostname=HOST) as secure:
            return int(secure.getpeercert()["serialNumber"], 16)


class Load:
    """One strait-load."""

    def __init__(self, name, **plan):
        self.name, self.rate = name, plan["rate"]
        self.child = subprocess.Popen([LOAD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.child.stdin.write(json.dumps(plan) + "\n")
        self.child.stdin.flush()
        expect(self.child.stdout.readline() == "ready\n", f"the load by {name} does not start")

    def finish(self):
        self.child.stdin.close()
        report = json.loads(self.child.stdout.readline())
        self.child.wait()
        say(f"load by {self.name}: {report['answered']} answers at {report['rate']:.0f}/s, {report['failed']} failed; "
            f"p50 {report['p50_ms']:.1f} ms, p99 {report['p99_ms']:.1f}, max {report['max_ms']:.0f} from due time; "
            f"{report['late']} sent late; {report['dialed']} connections, {report['announced']} ended by a word of the "
            f"gateway, {report['idle']} ended while idle")
        return report


# --- what changes ---


class Changer(threading.Thread):
    """Changes one route after the other, at a fixed rate, and tries again what the API server did not acknowledge."""

    def __init__(self, cluster, options):
        super().__init__(daemon=True)
        self.api, self.options = ApiServer(cluster), options
        self.versions = {f"c{number:03}": 0 for number in range(options.routes)}
        self.acknowledged = {}  # When the newest version of each was, by time.monotonic().
        self.count = self.repeated = 0
        self.enough = threading.Event()  # Set: end once there are as many as asked for.
        self.error = None

    def run(self):
        try:
            begin = time.monotonic()
            while self.count < self.options.changes or not self.enough.is_set():
                time.sleep(max(0.0, begin + self.count / CHANGES_PER_SECOND - time.monotonic()))
                self.change(f"c{self.count % self.options.routes:03}")
                self.count += 1
        except Exception as error:  # Shown by whoever joins.
            self.error = error

    def change(self, name):
        version = self.versions[name] + 1
        end = time.monotonic() + CONVERGED_LIMIT
        while True:
            try:
                self.api.patch(f"{ROUTES_PATH}/{name}",
                               {"spec": {"rules": route(name, version)["spec"]["rules"]}})
                break
            except AWAY:
                self.repeated += 1
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        self.versions[name] = version
        self.acknowledged[name] = time.monotonic()


class Observer(threading.Thread):
    """How far statuses are behind: the age of the oldest acknowledged change that its route's status does not say."""

    def __init__(self, cluster, changer):
        super().__init__(daemon=True)
        self.api, self.changer = ApiServer(cluster), changer
        self.samples = []  # (time.time(), seconds behind)
        self.ended = threading.Event()

    def behind(self):
        now = time.monotonic()
        late = [it["metadata"]["name"] for it in self.api.list("HTTPRoute", "default") if not is_right(it, "edge")]
        return max((now - self.changer.acknowledged.get(name, now) for name in late), default=0.0)

    def run(self):
        while not self.ended.wait(0.5):
            try:
                self.samples.append((time.time(), self.behind()))
            except AWAY:
                continue  # The API server is away: nobody can see statuses.


class Churn:
    def __init__(self, cluster, address, authority):
        self.cluster, self.address, self.authority = cluster, address, authority
        self.api = ApiServer(cluster)
        self.events = []  # (begin, what, said)

    def event(self, what, do):
        begin = time.time()
        say(f"… {what}")
        said = do() or ""
        self.events.append((begin, what, said))

    def roll_out(self, *deployments, namespace="default"):
        for it in deployments:
            self.cluster.kubectl("rollout", "restart", f"deployment/{it}", "-n", namespace)
        for it in deployments:
            self.cluster.kubectl("rollout", "status", f"deployment/{it}", "-n", namespace, limit=ROLLED_OUT_LIMIT)
        # A roll-out is over when the last old pod is gone.
        wait_until(lambda: not [pod for it in deployments for pod in self.cluster.list("pod", "", namespace)
                                if pod["metadata"]["name"].startswith(f"{it}-") and
                                pod["metadata"].get("deletionTimestamp")],
                   ROLLED_OUT_LIMIT, "the old pods are gone", 0.5)

    def rotate(self):
        """One after the other, each once clients see the one before."""
        took = []
        for _ in range(ROTATIONS):
            data = self.authority.certificate()
            self.api.patch(SECRET, {"data": data})
            begin = time.monotonic()
            wait_until(lambda: self.authority.seen(self.address) == self.authority.serial, CONVERGED_LIMIT,
                       f"clients see certificate {self.authority.serial}")
            took.append(time.monotonic() - begin)
        return f"{ROTATIONS} times, seen after {milliseconds(took)}"

    def leader(self):
        """The name of the pod."""
        try:
            return self.api.request("GET", LEASE)["spec"].get("holderIdentity", "")
        except AWAY:
            return ""

    def new_leader(self, old, begin):
        wait_until(lambda: (now := self.leader()) and now != old, 60.0, f"another leader than {old}", 0.1)
        return f"another leads after {time.monotonic() - begin:.1f} s"

    def ready_again(self):
        self.cluster.kubectl("rollout", "status", f"deployment/{lab.RELEASE}", "-n", lab.NAMESPACE,
                             limit=ROLLED_OUT_LIMIT)

    def fed_by_leader(self):
        """Waits until the gateway's pods are at the replica that writes their statuses, and at no other."""
        begin = time.monotonic()

        def fed():
            leader = self.leader().rsplit("_", 1)[0]
            proxies = {}
            for it in self.cluster.list("pod", "app.kubernetes.io/name=strait", lab.NAMESPACE):
                name = it["metadata"]["name"]
                try:
                    said = self.cluster.kubectl("exec", name, "-n", lab.NAMESPACE, "--", "/usr/local/bin/strait",
                                                "gateway", "status", "edge", "-o", "json")
                except Failed:
                    return False  # It starts, or ends.
                proxies[name] = len(json.loads(said)["proxies"])
            return proxies.pop(leader, 0) == INSTANCES and not any(proxies.values())
        wait_until(fed, FED_LIMIT, "the gateway's pods are at the leader", 0.2)
        return f"both pods of the gateway are at the leader {time.monotonic() - begin:.1f} s later"

    def delete_leader(self):
        old, begin = self.leader(), time.monotonic()
        self.cluster.kubectl("delete", "pod", old.rsplit("_", 1)[0], "-n", lab.NAMESPACE, "--wait=false")
        said = self.new_leader(old, begin)
        self.ready_again()
        return f"{said}; {self.fed_by_leader()}"

    def kill(self, leader):
        """The program in the container of the leader, or of another replica, as a crash would."""
        old, begin = self.leader(), time.monotonic()
        pods = [it["metadata"]["name"] for it in
                self.cluster.list("pod", "app.kubernetes.io/name=strait", lab.NAMESPACE)]
        name = next(it for it in pods if old.startswith(f"{it}_") == leader)
        killed = [folder.name for folder in pathlib.Path("/proc").glob("[0-9]*") if in_pod(folder, name)]
        expect(len(killed) == 1, f"pod {name} has processes {killed}, expected one strait")
        os.kill(int(killed[0]), signal.SIGKILL)
        said = self.new_leader(old, begin) if leader else ""
        # Not before kubelet has seen the end of the old one.
        wait_until(lambda: all(it["restartCount"] > 0 and it["ready"] for it in
                               self.cluster.get("pod", name, lab.NAMESPACE)["status"]["containerStatuses"]),
                   60.0, f"pod {name} runs again", 0.5)
        return "; ".join(it for it in (said, self.fed_by_leader()) if it)

    def restart_api_server(self):
        begin = time.monotonic()
        self.cluster.script("restart", "apiserver")

        wait_until(lambda: self.api.request("GET", LEASE), 60.0, "the API server answers", 0.1)
        return f"it answers after {time.monotonic() - begin:.1f} s"

    def all(self):
        self.event("certificates", self.rotate)
        self.event("roll-out of backends", lambda: self.roll_out("a", "b"))
        self.event("roll-out of the gateway's pods", lambda: self.roll_out("edge"))
        self.event("controller that does not lead killed", lambda: self.kill(False))
        self.event("leader's pod deleted", self.delete_leader)
        self.event("leader killed", lambda: self.kill(True))
        self.event("roll-out of the controller", lambda: [
            self.roll_out(lab.RELEASE, namespace=lab.NAMESPACE), self.fed_by_leader()][-1])
        self.event("API server restarted", self.restart_api_server)


def in_pod(folder, pod):
    """Whether the process is a controller with the host name of the pod."""
    try:
        return ((folder / "comm").read_text().strip() == "strait" and
                f"HOSTNAME={pod}\0".encode() in (folder / "environ").read_bytes())
    except OSError:
        return False  # It ended meanwhile.


# --- the test ---


def serves(address, versions):
    """Each route answers as its newest version says."""
    client, wrong = Client(address, 80), []
    for name, version in versions.items():
        answer = client.get(f"/{name}/end")
        if answer.status != 200 or answer.headers["x-version"] != str(version) or \
                answer.json()["service"] != backend(version):
            wrong.append(f"{name}: {answer.status} x-version {answer.headers['x-version']}, expected {version}")
    if wrong:
        raise Failed(f"{len(wrong)} routes: {wrong[:3]}")
    return True


def report(churn, observer, reports, begin):
    failures = sorted((it["at"], it["text"]) for one in reports for it in one["failures"])
    parts = [(begin, "before", "")] + churn.events
    say("timeline, s since the load began:")
    for number, (at, what, said) in enumerate(parts):
        end = parts[number + 1][0] if number + 1 < len(parts) else float("inf")
        behind = max((seconds for when, seconds in observer.samples if at <= when < end), default=0.0)
        failed = [text for when, text in failures if at <= when < end]
        say(f"  {at - begin:6.1f}  {what}{': ' if said else ''}{said}; statuses up to {behind:.1f} s behind; "
            f"{len(failed)} failed{': ' if failed else ''}{'; '.join(failed[:3])}")
    return failures


def test(cluster, options):
    with tempfile.TemporaryDirectory() as folder:
        measure(cluster, options, Authority(pathlib.Path(folder)))


def measure(cluster, options, authority):
    cluster.up().images(options.programs).install(**{
        "controller.replicas": 2, "controller.resources.requests.cpu": CONTROLLER_CPU,
        f"{GATEWAY_CLASS}.deployment.defaultInstances": INSTANCES,
        f"{GATEWAY_CLASS}.resources.requests.cpu": GATEWAY_CPU})
    cluster.enter()
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "edge"}, "type": "kubernetes.io/tls",
              "data": authority.certificate()}
    steady = [f"s{number:03}" for number in range(STEADY)]
    churned = [f"c{number:03}" for number in range(options.routes)]
    cluster.apply(backends() + gateway("edge", "strait", "- {name: http, port: 80, protocol: HTTP}\n"
                                       "  - {name: https, port: 443, protocol: HTTPS, "
                                       "tls: {certificateRefs: [{name: edge}]}}"))
    cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": [secret] + [
        route(name, 0) for name in steady + churned]}))
    address = cluster.gateway_address("edge")
    for name in ("a", "b", "edge"):
        cluster.kubectl("rollout", "status", f"deployment/{name}")
    wait_until(lambda: serves(address, {name: 0 for name in steady + churned}), 30.0, "all routes serve")
    wait_until(lambda: authority.seen(address) == authority.serial, 30.0, "the HTTPS listener answers")
    targets = [{"host": HOST, "path": f"/{name}", "services": ["a", "b"]} for name in steady + churned]
    begin = time.time()
    loads = [Load("HTTP", address=f"{address}:80", rate=options.rate * (1 - SECURE_SHARE), connections=CONNECTIONS,
                  targets=targets),
             Load("HTTPS", address=f"{address}:443", rate=options.rate * SECURE_SHARE, connections=CONNECTIONS // 3,
                  targets=targets, authority=str(authority.folder / "ca.crt"), server_name=HOST,
                  requests_per_connection=REQUESTS_PER_SECURE_CONNECTION)]
    changer = Changer(cluster, options)
    observer = Observer(cluster, changer)
    changer.start()
    observer.start()
    churn = Churn(cluster, address, authority)
    churn.all()
    changer.enough.set()
    changer.join()
    if changer.error:
        raise Failed(f"after {changer.count} changes: {changer.error}")
    last = max(changer.acknowledged.values())

    def converged():
        return observer.behind() == 0.0
    observer.ended.set()
    observer.join()
    wait_until(lambda: serves(address, changer.versions), CONVERGED_LIMIT, "each route serves its newest version")
    served = time.monotonic() - last
    wait_until(converged, CONVERGED_LIMIT, "every status says the newest version of its route")
    stated = time.monotonic() - last
    reports = [it.finish() for it in loads]
    failures = report(churn, observer, reports, begin)
    say(f"{changer.count} changes, {changer.repeated} of them sent again; after the last, every route served its "
        f"newest version within {served:.2f} s, every status said so within {stated:.2f} s")
    expect(len(reports[1]["certificates"]) > 1, "the load saw one certificate only")
    if failures:
        say(cluster.kubectl("get", "events", "--sort-by=.lastTimestamp"))
    failed = sum(it["failed"] for it in reports)
    expect(failed == 0, f"{failed} requests failed, the first: {failures[:3]}")
    expect(sum(it["rate"] for it in reports) >= 0.95 * options.rate, "the load did not reach its rate")


def arguments(parser):
    parser.add_argument("--rate", type=float, default=RATE, help="requests a second (%(default)s)")
    parser.add_argument("--changes", type=int, default=CHANGES, help="of routes, at least (%(default)s)")
    parser.add_argument("--routes", type=int, default=ROUTES, help="that are changed in turn (%(default)s)")
    parser.add_argument("--programs", help="folder of the programs that the images are made of")


if __name__ == "__main__":
    lab.run("churn", [int(os.environ.get("CLUSTER_INDEX", 94))], test, arguments)
