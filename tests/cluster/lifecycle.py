#!/usr/bin/env python3
"""The whole life of an installation: from nothing to the first answered request, an upgrade and a rollback under load
without a failed request, and an end that leaves no object. By Helm, and by `strait install` without Helm.

Objects are compared before and after, of every kind that the cluster has. Only CRDs stay, and what users made.
--quick: Helm alone, without load (about half a minute)."""
import io
import os
import re
import subprocess
import tarfile
import time

import lab
from harness import (SKIPPED, STRAIT, Backend, Client, Failed, Lab, Load, expect, expect_equal, gateway, http_route,
                     say, service, wait_until)

INDEX = 150
CLASS, GATEWAY, PATH, PORT = "strait", "edge", "/shop", 80
BACKEND, BACKEND_PORT = "shop", 9100
RATE, CONNECTIONS = 300, 24
ANSWER_LIMIT, GONE_LIMIT = 60.0, 60.0
AFTER_ANSWERS = 2 * RATE  # Of the load, once everything has rolled.
# Not objects that anybody makes: what happened, and what the cluster's own parts say every few seconds.
UNCOUNTED = {"events", "events.events.k8s.io", "componentstatuses"}
# By which a node and an API server say that they are alive: first some seconds after their start.
SIGNS_OF_LIFE = re.compile(r"\S+ Lease (kube-node-lease/|kube-system/apiserver-)")
FOREIGN_CRD = "meshservices.consul.hashicorp.com"
CHART = lab.ROOT / "deploy" / "helm" / "strait"
CHART_TEST = lab.ROOT / "tests" / "helm" / "chart.sh"
VALUES = sorted(CHART.glob("values-*.yaml"))


def objects(cluster):
    """"apiVersion Kind namespace/name" of everything that the cluster has."""
    kinds = cluster.kubectl("api-resources", "--verbs=list", "--cached=false", "-o", "name").split()
    wanted = ",".join(sorted(set(kinds) - UNCOUNTED))
    line = r'{range .items[*]}{.apiVersion} {.kind} {.metadata.namespace}/{.metadata.name}{"\n"}{end}'
    found = cluster.kubectl("get", wanted, "-A", "--chunk-size=0", "-o", f"jsonpath={line}").splitlines()
    return {it for it in found if not SIGNS_OF_LIFE.match(it)}


def of_crds():
    """Strait's CRDs, and what the API server makes of them itself: neither Helm nor `strait uninstall` removes CRDs,
    for every object of their kinds would go along."""
    text = "".join(path.read_text() for path in CHART.glob("crds/*.yaml"))
    crds = set(re.findall(r"^  name: (\S+)$", text, re.M))
    versions = set(re.findall(r"^  - name: (\S+)$", text, re.M))
    groups = {name.split(".", 1)[1] for name in crds}
    return ({f"apiextensions.k8s.io/v1 CustomResourceDefinition /{name}" for name in crds}
            | {f"apiregistration.k8s.io/v1 APIService /{version}.{group}" for version in versions for group in groups})


def expect_nothing_left(cluster, before, how):
    """All is as before, but for Strait's CRDs."""
    stays = before | of_crds()

    def same():
        now = objects(cluster)
        left, lost = now - stays, before - now
        if left or lost:
            raise Failed(f"left: {sorted(left)}, lost: {sorted(lost)}")
        return True
    begin = time.monotonic()
    wait_until(same, GONE_LIMIT, f"no object is left after {how}", 0.5)
    say(f"  {how} left no object (looked for {time.monotonic() - begin:.1f} s among {len(before)})")


def answers(cluster):
    """The address at which the Gateway answers with the backend's words; its status may still be an earlier life's."""
    def answer():
        status = cluster.get("gateway", GATEWAY).get("status", {})
        for address in status.get("addresses", []):
            answer = Client(address["value"], PORT, timeout=1.0).get(f"{PATH}/first")
            if answer.status == 200 and answer.text == f"{BACKEND} {PATH}/first":
                return address["value"]
        return None
    return wait_until(answer, ANSWER_LIMIT, f"Gateway {GATEWAY} answers", 0.05)


def images_rolled(cluster, namespace, controller, tag):
    """Every pod of the controller and of the gateway runs the image of that tag, and no other is left."""
    def rolled():
        for where, selector in ((namespace, "app.kubernetes.io/component=controller"),
                                ("default", f"gateway.networking.k8s.io/gateway-name={GATEWAY}")):
            pods = cluster.list("pods", selector, where)
            ready = [lab.conditions(pod["status"]).get("Ready") == "True" for pod in pods]
            if not pods or not all(ready) or any(
                    not pod["spec"]["containers"][0]["image"].endswith(f":{tag}") for pod in pods):
                return False
        return True
    wait_until(rolled, lab.READY_LIMIT, f"{controller} and its gateways run {tag}", 0.5)


def under_load(cluster, work, name, ip, change):
    """Runs change(), which rolls everything, under load; no request may fail."""
    load = Load(work, name, ip, PORT, RATE, [{"path": PATH, "bodies": [BACKEND]}], CONNECTIONS).start()
    begin = time.monotonic()
    change()
    took = time.monotonic() - begin
    load.wait_answers(AFTER_ANSWERS)
    report = load.finish()
    expect_equal(report["wrong"], 0, f"{name}: requests that failed of {report['answered']}; the first: "
                                     f"{report['samples']}")
    expect(report["answered"] >= 0.9 * RATE * took, f"{name}: only {report['answered']} answers in {took:.0f} s")
    say(f"  {name}: everything had rolled after {took:.1f} s, no request failed")


def foreign_crd(cluster):
    """A CRD of a kind of ours that somebody else brought, newer than ours."""
    text = next(path.read_text() for path in CHART.glob("crds/*.yaml") if f"name: {FOREIGN_CRD}\n" in path.read_text())
    document = text.replace(f"  name: {FOREIGN_CRD}\n",
                            f"  name: {FOREIGN_CRD}\n  labels: {{example.com/release: newer}}\n", 1)
    cluster.apply(document)
    return crd_state(cluster)


def crd_state(cluster):
    found = cluster.get("crd", FOREIGN_CRD)
    return found["metadata"]["uid"], found["metadata"]["generation"], found["metadata"]["labels"]


def by_helm(cluster, work, before, quick):
    say("By Helm:")
    begin = time.monotonic()
    cluster.install()
    installed = time.monotonic()
    cluster.apply(gateway(GATEWAY, CLASS, f"- {{name: http, port: {PORT}, protocol: HTTP}}")
                  + http_route(BACKEND, GATEWAY, PATH, [f"{{name: {BACKEND}, port: 80}}"]))
    ip = answers(cluster)
    say(f"  installed after {installed - begin:.1f} s; first answer {time.monotonic() - installed:.1f} s after the "
        f"Gateway was applied, {time.monotonic() - begin:.1f} s from nothing")
    # A class of the user's own, kept by our finalizer like that of the chart.
    cluster.apply("""---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: mine}
spec: {controllerName: strait.dev/gateway-controller}
""" + gateway("own", "mine"))
    wait_until(lambda: cluster.get("gatewayclass", "mine")["metadata"].get("finalizers"), ANSWER_LIMIT,
               "the class mine has the finalizer")
    crd = crd_state(cluster)
    if not quick:
        under_load(cluster, work, "upgrade by Helm", ip, lambda: upgrade_by_helm(cluster))
        under_load(cluster, work, "rollback by Helm", ip, lambda: rollback_by_helm(cluster))
        expect_equal(crd_state(cluster), crd, f"CRD {FOREIGN_CRD} after an upgrade")
    users = {"gateway.networking.k8s.io/v1 Gateway default/edge", "gateway.networking.k8s.io/v1 Gateway default/own",
             "gateway.networking.k8s.io/v1 GatewayClass /mine",
             "gateway.networking.k8s.io/v1 HTTPRoute default/shop"}
    begin = time.monotonic()
    cluster.helm("uninstall", lab.RELEASE, "--namespace", lab.NAMESPACE, "--wait", "--timeout", f"{lab.READY_LIMIT:g}s")
    say(f"  uninstalled after {time.monotonic() - begin:.1f} s")
    expect_nothing_left(cluster, before | users, "helm uninstall")
    cluster.delete("gateway", "own")
    cluster.delete("gatewayclass", "mine")  # Waits: nothing holds it back.
    return users


def upgrade_by_helm(cluster):
    cluster.helm("upgrade", lab.RELEASE, CHART, "--namespace", lab.NAMESPACE, "--wait", "--timeout",
                 f"{lab.READY_LIMIT:g}s", *cluster.values({
                     "controller.image.tag": next_tag(cluster), "gateway.image.tag": next_tag(cluster),
                     "controller.replicas": 2, "global.logLevel": "debug"}))
    images_rolled(cluster, lab.NAMESPACE, lab.RELEASE, next_tag(cluster))


def rollback_by_helm(cluster):
    cluster.helm("rollback", lab.RELEASE, "1", "--namespace", lab.NAMESPACE, "--wait", "--timeout",
                 f"{lab.READY_LIMIT:g}s")
    images_rolled(cluster, lab.NAMESPACE, lab.RELEASE, cluster.tag)


def images_again(cluster):
    """The same programs under another tag: what rolls does not depend on what is new."""
    made = lab.ROOT / "build" / "images" / cluster.name
    for image in sorted(made.glob("*.tar")):
        again = made / "next" / image.name
        again.parent.mkdir(exist_ok=True)
        with tarfile.open(image) as old, tarfile.open(again, "w") as new:
            for member in old:
                content = old.extractfile(member).read()
                if member.name == "manifest.json":
                    content = content.replace(f":{cluster.tag}\"".encode(), f":{next_tag(cluster)}\"".encode())
                    member.size = len(content)
                new.addfile(member, io.BytesIO(content))
        cluster.script("load", again)


def next_tag(cluster):
    return f"{cluster.tag}-next"


def strait(cluster, *words):
    """The CLI on this machine, as an administrator's."""
    return cluster.script("exec", STRAIT, *words, limit=2 * lab.READY_LIMIT)


def by_strait(cluster, work, before):
    say("By strait install:")

    def images(tag):
        return ["--image", f"strait:{tag}", "--gateway-image", f"strait-gateway:{tag}"]
    begin = time.monotonic()
    strait(cluster, "install", *images(cluster.tag))
    installed = time.monotonic()
    ip = answers(cluster)
    say(f"  installed after {installed - begin:.1f} s, first answer {time.monotonic() - installed:.1f} s later")
    crd = crd_state(cluster)

    def upgrade():
        strait(cluster, "upgrade", *images(next_tag(cluster)), "--replicas", "2", "--log-level", "debug")
        images_rolled(cluster, "strait", "strait", next_tag(cluster))
    under_load(cluster, work, "strait upgrade", ip, upgrade)
    expect_equal(crd_state(cluster), crd, f"CRD {FOREIGN_CRD} after an upgrade")
    begin = time.monotonic()
    strait(cluster, "uninstall")
    say(f"  uninstalled after {time.monotonic() - begin:.1f} s")
    expect_nothing_left(cluster, before, "strait uninstall")


def chart_by_itself():
    done = subprocess.run([CHART_TEST], env={**os.environ, "HELM": str(lab.STRAIT_LAB / "bin" / "helm")},
                          capture_output=True, text=True)
    last = (done.stdout.strip().splitlines() or [""])[-1]
    expect(done.returncode in (0, SKIPPED), f"{CHART_TEST.name}: exit {done.returncode}: {done.stdout}{done.stderr}")
    say(f"The chart by itself: {last}")


def values_files(cluster):
    """What the chart makes with each of them is taken by a real API server, which makes nothing of it."""
    for values in VALUES:
        made = cluster.helm("template", lab.RELEASE, CHART, "--namespace", lab.NAMESPACE, "--no-hooks",
                            "--api-versions", "gateway.networking.k8s.io/v1/GatewayClass", "--kube-version", "1.37.0",
                            "-f", values)
        taken = cluster.kubectl("apply", "--dry-run=server", "-f", "-", input=made).splitlines()
        expect(len(taken) >= 10 and all("(server dry run)" in line for line in taken), f"{values.name}: {taken}")
    say(f"{', '.join(path.stem for path in VALUES)}: taken by the API server")


def test(cluster, options):
    chart_by_itself()
    cluster.up()
    cluster.images()
    if not options.quick:
        images_again(cluster)
    cluster.enter()
    work = Lab("lifecycle", 0)
    failed = True
    try:
        Backend(work, BACKEND, f"10.{cluster.index}.0.1", BACKEND_PORT).start()
        cluster.apply(service(BACKEND, f"10.{cluster.index}.0.1", BACKEND_PORT))
        cluster.kubectl("create", "namespace", lab.NAMESPACE)  # The user's: neither way of installing removes it.
        wait_until(lambda: cluster.get("configmap", "kube-root-ca.crt", lab.NAMESPACE), ANSWER_LIMIT,
                   "the namespace is furnished")
        foreign_crd(cluster)
        before = objects(cluster)
        users = by_helm(cluster, work, before, options.quick)
        if not options.quick:
            users -= {it for it in users if it.endswith(("/own", "/mine"))}
            values_files(cluster)
            by_strait(cluster, work, before | users)
        failed = False
    finally:
        work.close(failed)


def arguments(parser):
    parser.add_argument("--quick", action="store_true", help="install by Helm, one request, uninstall; no load")


if __name__ == "__main__":
    lab.run("lifecycle", [INDEX], test, arguments)
