#!/usr/bin/env python3
"""Two clusters, each with Strait installed by its chart, peered with each other.

A MeshService of one answers from the pods of the other, for HTTPRoutes and TCPRoutes; a Service whose pods are gone is
stood in for by the other cluster's, and takes over again when they are back; restarts of either controller are not
noticed. Every address is that of a Service of type LoadBalancer, as another cluster would see it.
"""
import json
import shutil
import threading
import time

import lab
from harness import (Client, Failed, expect, expect_equal, gateway, http_route, milliseconds, refuses, say,
                     wait_until)

HTTP_PORT, TCP_PORT, PEERING_PORT = 80, 9000, 8443
CONTROLLER_USER = 65532  # Of the image: who writes to the volume.
EXPORTED = "api-shop"  # Service api of namespace shop, with the suffix that the sync adds.
LOCAL, REMOTE = "default", "shop"  # By the namespace of the pod that answers.
RATE = 200
SEEN_LIMIT = 30.0
MESH = "{group: consul.hashicorp.com, kind: MeshService, name: api}"


# --- load ---


class Traffic:
    """Requests at a fixed rate over kept connections, and who answered each: the namespace of the pod, or what went
    wrong. Times are seconds of time.monotonic()."""
    LANES = 10

    def __init__(self, ip, port, path):
        self.ip, self.port, self.path = ip, port, path
        self.answers = []  # (due, done, who)
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._lane, args=(lane,), daemon=True) for lane in range(self.LANES)]
        self.begin = time.monotonic()
        for thread in self.threads:
            thread.start()

    def _lane(self, lane):
        client = Client(self.ip, self.port)
        for number in range(lane, 1 << 62, self.LANES):
            due = self.begin + number / RATE
            if self.ended.wait(max(0.0, due - time.monotonic())):
                return
            try:
                answer = client.get(f"{self.path}/{number}")
                who = answer.json()["namespace"] if answer.status == 200 else f"{answer.status} {answer.text[:80]}"
            except Exception as error:  # Whatever it was is what the client saw.
                who = f"{type(error).__name__}: {error}"
            self.answers.append((due, time.monotonic(), who))

    def of(self, who, since=0.0):
        return [it for it in list(self.answers) if it[2] == who and it[0] >= since]

    def failed(self, since=0.0):
        return [it for it in list(self.answers) if it[2] not in (LOCAL, REMOTE) and it[0] >= since]

    def wait_only(self, who, count, limit=SEEN_LIMIT):
        """Until the last `count` answers are all from there."""
        def settled():
            last = sorted(list(self.answers))[-count:]
            if len(last) == count and all(it[2] == who for it in last):
                return True
            raise Failed(f"the last answer: {last[-1:]}")
        wait_until(settled, limit, f"{count} answers of namespace {who}")

    def end(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        took = [done - due for due, done, who in self.answers]
        seconds = time.monotonic() - self.begin
        say(f"  {len(self.answers)} answers at {len(self.answers) / seconds:.0f}/s, {milliseconds(took)}; "
            f"{len(self.failed())} failed")
        expect(len(self.answers) >= 0.5 * RATE * seconds, "the load came to less than half of its rate")


# --- objects ---


def volume(cluster):
    """There is nobody here who makes volumes; the directory goes with the cluster."""
    path = lab.STRAIT_LAB / f"cluster-{cluster.name}" / "peering-data"
    path.mkdir(parents=True, exist_ok=True)
    shutil.chown(path, CONTROLLER_USER, CONTROLLER_USER)
    return f"""---
apiVersion: v1
kind: PersistentVolume
metadata: {{name: strait-data}}
spec:
  storageClassName: by-hand
  capacity: {{storage: 1Gi}}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  hostPath: {{path: {path}, type: Directory}}
"""


def namespace(name):
    return f"---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n"


def consul(kind, name, spec):
    return (f"---\napiVersion: consul.hashicorp.com/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\n"
            f"spec: {json.dumps(spec)}\n")


def tcp_route(name, gateway_name, section, backend):
    return f"""---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TCPRoute
metadata: {{name: {name}}}
spec:
  parentRefs: [{{name: {gateway_name}, sectionName: {section}}}]
  rules: [{{backendRefs: [{backend}]}}]
"""


# --- what is looked at ---


def peering(cluster, name):
    return json.loads(cluster.strait("peering", "read", "--name", name, "-o", "json"))


def wait_active(cluster, name, services=None, limit=SEEN_LIMIT):
    def active():
        it = peering(cluster, name)
        status = it["StreamStatus"]
        if it["State"] != "ACTIVE":
            raise Failed(f"{it['State']}: {status.get('LastError')}")
        if services is not None and sorted(status.get("ImportedServices") or []) != services:
            raise Failed(f"imported: {status.get('ImportedServices')}")
        return it
    return wait_until(active, limit, f"{cluster.name}'s peering {name} is ACTIVE with {services}", 0.1)


def pods(cluster, app, ns):
    """Those that are not on their way out."""
    return {it["metadata"]["name"]: it for it in cluster.list("pod", f"app={app}", ns)
            if "deletionTimestamp" not in it["metadata"]}


def who_answers(ip, path):
    answer = Client(ip, HTTP_PORT).get(path)
    if answer.status != 200:
        raise Failed(f"{path}: {answer.status} {answer.text[:200]}")
    return answer.json()


def controller(cluster):
    names = [it["metadata"]["name"] for it in cluster.list("pod", "app.kubernetes.io/component=controller",
                                                           lab.NAMESPACE)]
    expect_equal(len(names), 1, "controller pods")
    return names[0]


# --- steps ---


def install(cluster, datacenter):
    begin = time.monotonic()
    cluster.up()
    # The first address of the range: that Service is the first of its type.
    address = f"10.{cluster.index}.192.1"
    cluster.apply(volume(cluster))
    cluster.images()
    cluster.install(**{
        "global.datacenter": datacenter, "peering.enabled": True, "peering.advertise": address,
        "syncCatalog.enabled": True, "controller.persistence.enabled": True,
        "controller.persistence.storageClassName": "by-hand"})
    given = cluster.get("service", f"{lab.RELEASE}-peering", lab.NAMESPACE)["status"]["loadBalancer"]["ingress"]
    expect_equal([it["ip"] for it in given], [address], "the peering Service's addresses")
    say(f"{cluster.name}: Kubernetes and Strait are up after {time.monotonic() - begin:.1f} s, peers come in at "
        f"{address}")


def both(step, *pairs):
    """step(*pair) of each at the same time."""
    errors = []

    def one(pair):
        try:
            step(*pair)
        except BaseException as error:
            errors.append(error)
    threads = [threading.Thread(target=one, args=(pair,)) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def peer(near, far):
    token = far.strait("peering", "generate-token", "--name", "cluster-1").strip()
    expect_equal(peering(far, "cluster-1")["State"], "PENDING", "a peering of which only the token is made")
    begin = time.monotonic()
    near.strait("peering", "establish", "--name", "cluster-2", "--peering-token", "-", "--wait", "30s", input=token)
    wait_active(near, "cluster-2")
    wait_active(far, "cluster-1")
    say(f"a token of {len(token)} bytes made and used: ACTIVE on both sides {time.monotonic() - begin:.1f} s later")
    again = near.strait("peering", "establish", "--name", "cluster-3", "--peering-token", "-", input=token, check=False)
    expect_equal(again, "", "what establish says to a token that was used")
    listed = near.strait("peering", "list", "-o", "json")
    expect("cluster-3" not in listed, "a token can be used twice")


def export(near, far, ip):
    """Service api of the far cluster, from the moment it is exported until it answers in the near one."""
    far.apply(namespace(REMOTE) + lab.echo("api", 2, REMOTE) + lab.echo("hidden", 1, REMOTE).replace(
        "metadata: {name: hidden, namespace: shop}\nspec: {selector",
        "metadata: {name: hidden, namespace: shop, annotations: {consul.hashicorp.com/service-sync: \"false\"}}\n"
        "spec: {selector"))
    far.kubectl("rollout", "status", "deploy/api", "deploy/hidden", "-n", REMOTE, "--timeout=60s")
    services = wait_until(lambda: EXPORTED in (it := far.strait("catalog", "services")) and it, SEEN_LIMIT,
                          f"{EXPORTED} is in the catalog", 0.1)
    expect("hidden" not in services, f"a Service that is not to be synced is: {services}")
    expect("kube-dns" not in services, f"Services of kube-system are not to be synced: {services}")
    wait_active(near, "cluster-2", [])
    near.apply(consul("MeshService", "api", {"name": EXPORTED, "peer": "cluster-2"}) +
               http_route("mesh", "edge", "/mesh", [MESH]) + tcp_route("mesh", "edge", "tcp", MESH))
    refused = ("False", "BackendNotFound")
    wait_until(lambda: resolved_refs(near, "httproute") == refused, SEEN_LIMIT, "what is not exported is not found")
    begin = time.monotonic()
    far.apply(consul("ExportedServices", "default", {"services": [
        {"name": EXPORTED, "consumers": [{"peer": "cluster-1"}]}]}))
    wait_active(near, "cluster-2", [EXPORTED])
    say(f"{EXPORTED} exported: imported {time.monotonic() - begin:.1f} s later")
    resolved = ("True", "ResolvedRefs")
    wait_until(lambda: resolved_refs(near, "httproute") == resolved, SEEN_LIMIT, "the route is resolved")
    # Seeing it is not being let in.
    answer = wait_until(lambda: (it := Client(ip, HTTP_PORT).get("/mesh/x")).status >= 500 and it, SEEN_LIMIT,
                        "without an intention nobody is let in")
    say(f"without an intention: {answer.status}")
    begin = time.monotonic()
    far.apply(consul("ServiceIntentions", "api", {"destination": {"name": EXPORTED}, "sources": [
        {"name": "edge", "peer": "cluster-1", "action": "allow"}]}))
    first = wait_until(lambda: who_answers(ip, "/mesh/x"), SEEN_LIMIT, "the other cluster's pod answers")
    say(f"with one for Gateway edge: {first['namespace']}/{first['pod']} answers "
        f"{time.monotonic() - begin:.2f} s later")
    # What comes in through the peering is passed on by connection, and requests one after another share one.
    seen = {(it["namespace"], it["pod"]) for it in (who_answers(ip, f"/mesh/{n}") for n in range(20))}
    expected = {(REMOTE, pod) for pod in pods(far, "api", REMOTE)}
    expect(seen <= expected, f"who answers over 20 requests: {seen}, expected some of {expected}")
    say(f"HTTPRoute → MeshService: {', '.join(sorted(pod for _, pod in seen))} of {far.name} answers")


def resolved_refs(cluster, kind, name="mesh"):
    parents = cluster.get(kind, name).get("status", {}).get("parents", [])
    return lab.reasons(parents[0]).get("ResolvedRefs") if parents else None


def tcp(near, far, ip):
    expect_equal(resolved_refs(near, "tcproute"), ("True", "ResolvedRefs"), "the TCPRoute's references")
    client = Client(ip, TCP_PORT)
    answer = wait_until(lambda: client.get("/tcp/1").json(), SEEN_LIMIT, "the TCPRoute's backend answers")
    again = client.get("/tcp/2").json()
    expect_equal(again["pod"], answer["pod"], "who answers on one connection")
    expect_equal(answer["host"], f"{ip}:{TCP_PORT}", "the Host that the pod sees: bytes are passed on as they are")
    expect(answer["pod"] in pods(far, "api", REMOTE), f"{answer['pod']} is no pod of {far.name}")
    say(f"TCPRoute → MeshService: {answer['namespace']}/{answer['pod']} answers")


def restart(near, far, ip):
    """Controllers start anew from their volume: the peering is there, and traffic goes on."""
    for cluster, name in ((far, "cluster-1"), (near, "cluster-2")):
        before = peering(cluster, name)["ID"]
        pod = controller(cluster)
        traffic = Traffic(ip, HTTP_PORT, "/mesh")
        traffic.wait_only(REMOTE, RATE)
        begin = time.monotonic()
        cluster.kubectl("rollout", "restart", f"deploy/{lab.RELEASE}", "-n", lab.NAMESPACE)
        cluster.kubectl("rollout", "status", f"deploy/{lab.RELEASE}", "-n", lab.NAMESPACE, "--timeout=90s")
        expect(controller(cluster) != pod, "the controller's pod is the old one")
        ready = time.monotonic() - begin
        for side, side_name, services in ((near, "cluster-2", [EXPORTED]), (far, "cluster-1", None)):
            wait_active(side, side_name, services, 90)
        say(f"{cluster.name}: the controller started anew, ready after {ready:.1f} s, ACTIVE on both sides after "
            f"{time.monotonic() - begin:.1f} s")
        expect_equal(peering(cluster, name)["ID"], before, "the peering's ID")
        traffic.wait_only(REMOTE, RATE)
        traffic.end()
        expect_equal(traffic.failed()[:3], [], "requests that failed while a controller was away")


# --- failover ---


def scale(cluster, replicas):
    cluster.kubectl("scale", "deploy/api", "-n", LOCAL, f"--replicas={replicas}")


def kill(cluster, app):
    """As a crash would: every process of the pods' containers at once, with no word to anybody."""
    tasks = [it["containerID"].split("//")[1] for pod in pods(cluster, app, LOCAL).values()
             for it in pod["status"]["containerStatuses"]]
    ctr = ["ctr", "-a", lab.STRAIT_LAB / f"cluster-{cluster.name}" / "node" / "containerd.sock", "-n", "k8s.io"]
    for task in tasks:
        lab.command(*ctr, "tasks", "kill", "-s", "SIGKILL", task)
    return len(tasks)


def went_over(traffic, begin, to):
    """Until only `to` answers; since `begin`: how long the first took to come, and the last of the others."""
    traffic.wait_only(to, RATE // 2)
    first = traffic.of(to, begin)[0]
    other = traffic.of(LOCAL if to == REMOTE else REMOTE, begin)
    said = f"the first from {to} after {first[1] - begin:.2f} s"
    if other:
        said += f", the last from {other[-1][2]} after {other[-1][1] - begin:.2f} s"
    return said


def failover(near, far, ip):
    near.apply(lab.echo("api", 2, LOCAL) + http_route("api", "edge", "/api", ["{name: api, port: 80}"]) +
               consul("ServiceResolver", "api", {"failover": {"*": {"targets": [
                   {"peer": "cluster-2", "service": EXPORTED}]}}}))
    near.kubectl("rollout", "status", "deploy/api", "-n", LOCAL, "--timeout=60s")
    wait_until(lambda: who_answers(ip, "/api/x")["namespace"] == LOCAL, SEEN_LIMIT, "the local Service answers")
    traffic = Traffic(ip, HTTP_PORT, "/api")
    traffic.wait_only(LOCAL, 2 * RATE)
    expect_equal(traffic.of(REMOTE), [], "answers from the other cluster while the local pods are there")

    begin = time.monotonic()
    scale(near, 0)
    say(f"scaled to 0: {went_over(traffic, begin, REMOTE)}, {len(traffic.failed(begin))} failed")
    expect_equal(traffic.failed(begin)[:3], [], "requests that failed when the pods were ended in order")

    begin = time.monotonic()
    scale(near, 2)
    say(f"scaled to 2: {went_over(traffic, begin, LOCAL)}, {len(traffic.failed(begin))} failed")
    expect_equal(traffic.failed(begin)[:3], [], "requests that failed when the pods came back")

    begin = time.monotonic()
    killed = kill(near, "api")
    wait_until(lambda: traffic.of(REMOTE, begin), SEEN_LIMIT, "the other cluster answers for what was killed")
    said = f"{traffic.of(REMOTE, begin)[0][1] - begin:.2f} s"
    # The kubelet starts them again, by and by.
    traffic.wait_only(LOCAL, RATE, 90)
    failed = traffic.failed(begin)
    say(f"{killed} containers killed: the first from {REMOTE} after {said}, {len(traffic.of(REMOTE, begin))} in all, "
        f"{LOCAL} again after {traffic.of(REMOTE, begin)[-1][1] - begin:.1f} s; {len(failed)} failed {failed[:1]}")
    # What a pod had taken and not answered when it was killed cannot be asked again for certain.
    expect(len(failed) <= Traffic.LANES, f"{len(failed)} requests failed; at most those under way may: {failed[:3]}")

    begin = time.monotonic()
    near.kubectl("delete", "pod", "-n", LOCAL, "-l", "app=api", "--grace-period=0", "--force", "--wait=false")
    traffic.wait_only(LOCAL, RATE, 90)
    failed = traffic.failed(begin)
    say(f"pods deleted by force: {len(traffic.of(REMOTE, begin))} answers from {REMOTE}, {len(failed)} failed")
    expect(len(failed) <= Traffic.LANES, f"{len(failed)} requests failed: {failed[:3]}")
    traffic.end()

    # And where the other cluster is the one that is gone, nobody is to be asked.
    far.kubectl("scale", "deploy/api", "-n", REMOTE, "--replicas=0")
    scale(near, 0)
    answer = wait_until(lambda: (it := Client(ip, HTTP_PORT).get("/api/x")).status != 200 and it, SEEN_LIMIT,
                        "nobody is left to answer")
    # 502 as long as the other gateway has to say so by closing the connection.
    expect(answer.status in (502, 503), f"the answer when neither cluster has a pod: {answer.status}")
    far.kubectl("scale", "deploy/api", "-n", REMOTE, "--replicas=2")
    wait_until(lambda: who_answers(ip, "/api/x")["namespace"] == REMOTE, SEEN_LIMIT, "the other cluster is back")
    say(f"neither has a pod: {answer.status}; the other one has again: it answers")


def test(near, far, _):
    both(install, (near, "dc1"), (far, "dc2"))
    near.script("join", far.name)
    near.enter()
    near.apply(gateway("edge", "strait", f"""- {{name: http, port: {HTTP_PORT}, protocol: HTTP}}
  - {{name: tcp, port: {TCP_PORT}, protocol: TCP}}"""))
    far.apply(gateway("edge", "strait", f"- {{name: http, port: {HTTP_PORT}, protocol: HTTP}}",
                      f'{{strait.dev/peering-port: "{PEERING_PORT}"}}'))
    ip = near.gateway_address("edge")
    far_ip = far.gateway_address("edge")
    wait_until(lambda: not refuses(far_ip, PEERING_PORT), SEEN_LIMIT, f"{far_ip}:{PEERING_PORT} accepts")
    say(f"Gateways: {near.name} at {ip}, {far.name} at {far_ip}, which lets peers in at port {PEERING_PORT}")
    peer(near, far)
    export(near, far, ip)
    tcp(near, far, ip)
    restart(near, far, ip)
    failover(near, far, ip)


if __name__ == "__main__":
    lab.run("peered_clusters", [120, 121], test)
