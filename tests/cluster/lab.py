"""What the tests on a whole Kubernetes share: a cluster of their own with Strait installed by its chart, objects
applied and looked at with kubectl, and the integration tests' harness (HTTP client, load, wait_until) from inside the
cluster's network. Python's standard library only; needs root and what build.sh builds.

A test is a program that calls run(): each gets clusters of its own name and number, so that tests run side by side.
"""
import argparse
import ctypes
import json
import os
import pathlib
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

import harness  # noqa: E402
from harness import Failed, expect, say, wait_until  # noqa: E402

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
STRAIT_LAB = pathlib.Path(os.environ.get("STRAIT_LAB") or CACHE / "strait-lab")
RELEASE, NAMESPACE = "strait", "strait-system"
APPLIED_LIMIT, READY_LIMIT = 60.0, 120.0
LOG_LINES = 40


def command(*words, input=None, env=None, check=True, limit=READY_LIMIT):
    """What the program prints; Failed with what it says if it fails."""
    done = subprocess.run([str(word) for word in words], input=input, env=env, capture_output=True, text=True,
                          timeout=limit)
    if check and done.returncode != 0:
        raise Failed(f"{' '.join(map(str, words))}: exit {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


class Cluster:
    """One Kubernetes. `index` is the second octet of its 10.x.0.0/16."""

    def __init__(self, name, index):
        self.name, self.index, self.tag = name, index, f"test-{name}"
        self.environment = {**os.environ, "CLUSTER": name, "CLUSTER_INDEX": str(index), "STRAIT_LAB": str(STRAIT_LAB)}

    # --- its life ---

    def script(self, *words, **more):
        return command(HERE / "cluster.sh", *words, env=self.environment, **more)

    def up(self, crds="experimental"):
        """Everything runs and the Gateway API's CRDs are there, nothing of Strait. crds: a channel, or none."""
        self.script("up")
        if crds:
            self.kubectl("apply", "--server-side", "-f", STRAIT_LAB / "crd" / crds)
            self.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        return self

    def down(self):
        self.script("down")

    def is_up(self):
        return pathlib.Path(f"/run/netns/{self.name}").exists()

    def enter(self):
        """Makes this process a part of the cluster's network: sockets made from now on, also those of programs that
        are started, reach its nodes, pods and Services."""
        with open(f"/run/netns/{self.name}") as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0) != 0:
                raise OSError(ctypes.get_errno(), f"setns {self.name}")

    # --- objects ---

    def kubectl(self, *words, input=None, check=True, limit=READY_LIMIT):
        return self.script("kubectl", *words, input=input, check=check, limit=limit)

    def apply(self, text):
        return self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=text)

    def delete(self, kind, name, namespace="default", wait=True):
        self.kubectl("delete", kind, name, "-n", namespace, "--ignore-not-found", f"--wait={str(wait).lower()}")

    def get(self, kind, name, namespace="default"):
        """As JSON; None if there is none."""
        text = self.kubectl("get", kind, name, "-n", namespace, "-o", "json", "--ignore-not-found")
        return json.loads(text) if text.strip() else None

    def list(self, kind, selector="", namespace=None):
        where = ["-n", namespace] if namespace else ["-A"]
        return json.loads(self.kubectl("get", kind, *where, "-l", selector, "-o", "json"))["items"]

    # --- Strait ---

    def images(self, programs=None):
        """Makes the images of the build's programs and gives them to the cluster."""
        out = ROOT / "build" / "images" / self.name
        command(sys.executable, ROOT / "deploy" / "image" / "build.py", "--out", out, "--tag", self.tag,
                "--programs", programs or harness.BUILD / "cmd")
        for image in sorted(out.glob("*.tar")):
            self.script("load", image)
        return self

    def helm(self, *words, check=True):
        return self.script("exec", STRAIT_LAB / "bin" / "helm", *words, check=check)

    def values(self, values):
        """The arguments for Helm: {"peering.enabled": True} and the images' tag."""
        values = {"controller.image.tag": self.tag, "gateway.image.tag": self.tag, **values}
        words = []
        for key, value in values.items():
            words += ["--set", f"{key}={str(value).lower() if isinstance(value, bool) else value}"]
        return words

    def install(self, **values):
        """By the chart, with values as "a.b" → value (use install(**{"a.b": 1})); returns when it is ready."""
        self.helm("install", RELEASE, ROOT / "deploy" / "helm" / "strait", "--namespace", NAMESPACE,
                  "--create-namespace", "--wait", "--timeout", f"{READY_LIMIT:g}s", *self.values(values))
        return self

    def strait(self, *words, input=None, check=True):
        """The CLI, inside a controller's pod."""
        return self.kubectl("exec", *(["-i"] if input else []), "-n", NAMESPACE, f"deploy/{RELEASE}", "--", "strait",
                            *words, input=input, check=check)

    def gateway_address(self, name, namespace="default"):
        """Once the Gateway is programmed and has one."""
        def address():
            status = (self.get("gateway", name, namespace) or {}).get("status", {})
            addresses = [it["value"] for it in status.get("addresses", [])]
            return addresses and conditions(status).get("Programmed") == "True" and addresses[0]
        return wait_until(address, READY_LIMIT, f"Gateway {namespace}/{name} is programmed and has an address", 0.1)

    def controller_log(self, lines=LOG_LINES):
        return self.kubectl("logs", "-n", NAMESPACE, "-l", "app.kubernetes.io/name=strait", f"--tail={lines}",
                            "--prefix", check=False)


def conditions(holder):
    """{"Accepted": "True", …} of anything that has conditions."""
    return {it["type"]: it["status"] for it in holder.get("conditions", [])}


def reasons(holder):
    """{"Accepted": ("True", "Accepted"), …}"""
    return {it["type"]: (it["status"], it["reason"]) for it in holder.get("conditions", [])}


def echo_image():
    """The suite's backend, under the name that it was imported by: answers every request with JSON that says in which
    pod it is and what it was asked."""
    import tarfile
    with tarfile.open(STRAIT_LAB / "images" / "echo.tar") as tar:
        return json.load(tar.extractfile("manifest.json"))[0]["RepoTags"][0]


def echo(name, replicas=1, namespace="default", port=80):
    """A Deployment of the suite's backend and its Service."""
    return f"""---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: echo
        image: {echo_image()}
        imagePullPolicy: Never
        env:
        - {{name: POD_NAME, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}
        - {{name: NAMESPACE, valueFrom: {{fieldRef: {{fieldPath: metadata.namespace}}}}}}
        - {{name: SERVICE_NAME, value: {name}}}
        readinessProbe: {{tcpSocket: {{port: 3000}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: {port}, targetPort: 3000}}]}}
"""


def missing():
    """Why no cluster can run here; empty: one can."""
    return command(HERE / "build.sh", "--missing").strip()


def run(name, indices, test, arguments=None):
    """Runs test(clusters..., options) as a program, with one Cluster per index, none of them up. Exit codes: 0, 1 with
    what failed, 77 skipped with the reason. --keep leaves the clusters as they are. `arguments` adds options to the
    parser."""
    parser = argparse.ArgumentParser(prog=f"tests/cluster/{name}.py", description=sys.modules["__main__"].__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="leave the clusters up, and say how to reach them")
    if arguments:
        arguments(parser)
    options = parser.parse_args()
    why = missing()
    if why:
        say(f"skipped: {why}")
        sys.exit(harness.SKIPPED)
    command(HERE / "build.sh", limit=3600)
    short = name.replace("_", "-")
    clusters = [Cluster(short if at == 0 else f"{short}-{at + 1}", index) for at, index in enumerate(indices)]
    for cluster in clusters:
        if cluster.is_up():  # Another run's, which this one must not end.
            say(f"FAILED: cluster {cluster.name} is up already: CLUSTER={cluster.name} tests/cluster/cluster.sh down")
            sys.exit(1)
    failed, begin = True, time.monotonic()
    try:
        test(*clusters, options)
        failed = False
    except Failed as error:
        say(f"FAILED: {error}")
        traceback.print_exc(file=sys.stdout)
    except Exception:  # Logs must be shown and clusters ended whatever went wrong.
        traceback.print_exc(file=sys.stdout)
    finally:
        for cluster in clusters:
            if failed and cluster.is_up():
                say(f"--- the controller of {cluster.name}")
                say(cluster.controller_log())
            if options.keep:
                say(f"stays up: CLUSTER={cluster.name} CLUSTER_INDEX={cluster.index} tests/cluster/cluster.sh status")
            else:
                cluster.down()
    if failed:
        sys.exit(1)
    say(f"{name}: passed in {time.monotonic() - begin:.1f} s")
