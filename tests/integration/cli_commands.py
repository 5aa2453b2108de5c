"""The commands of `strait` against a real agent: what they write, and what they end with."""
import json
import os
import subprocess

import harness
from harness import expect, expect_equal, say, wait_until

OK, FAILED, USAGE, NOT_FOUND, UNREACHABLE, INVALID = range(6)
OBJECTS = 2_500  # More rows than a table keeps before it writes.


class Commands:
    """`strait` towards one agent."""

    def __init__(self, agent):
        self.address = f"{agent.ip}:{agent.http_port}"

    def run(self, *arguments, input=""):
        environment = {"PATH": os.environ["PATH"], "STRAIT_HTTP_ADDR": self.address}
        return subprocess.run([harness.STRAIT, *arguments], input=input, capture_output=True, text=True,
                              env=environment, timeout=60)

    def ends(self, code, *arguments, input="", out=None, err=None):
        """Runs it and demands the exit code, and texts in what it writes."""
        ran = self.run(*arguments, input=input)
        shown = f"strait {' '.join(arguments)}\n--- out\n{ran.stdout[:2000]}\n--- err\n{ran.stderr[:2000]}"
        expect_equal(ran.returncode, code, f"exit code of {shown}")
        for wanted, got in ((out, ran.stdout), (err, ran.stderr)):
            expect(wanted is None or wanted in got, f"{wanted!r} is missing: {shown}")
        expect(code == OK or ran.stderr, f"nothing is said: {shown}")
        return ran.stdout


def objects(strait, lab):
    documents = harness.gateway_class("c") + harness.gateway("edge", "c") + harness.service("web", "127.0.0.1", 9)
    route = harness.http_route("shop", "edge", "/", ["{name: web, port: 80}"])
    folder = lab.directory / "manifests"
    folder.mkdir()
    (folder / "a.yaml").write_text(documents)
    (folder / "b.yml").write_text(route)
    strait.ends(OK, "validate", "-f", str(folder), out="valid: 5 object(s) in 2 file(s)")
    strait.ends(OK, "apply", "--dry-run", "-f", str(folder), out="HTTPRoute default/shop valid")
    strait.ends(NOT_FOUND, "get", "httproute", "shop", err="does not exist")
    strait.ends(OK, "apply", "-f", str(folder), out="HTTPRoute default/shop created")
    strait.ends(OK, "apply", "-f", str(folder), out="HTTPRoute default/shop unchanged")
    strait.ends(OK, "apply", "-f", "-", input=route.replace("value: /", "value: /new"), out="shop configured")
    wait_until(lambda: "True" in strait.ends(OK, "get", "httproutes", out="ACCEPTED"), 20, "the route is accepted")
    strait.ends(OK, "get", "gatewayclass", "c", "-o", "wide", out="strait.dev/gateway-controller")
    got = json.loads(strait.ends(OK, "get", "httproute", "shop", "-o", "json"))
    expect_equal(got["spec"]["rules"][0]["matches"][0]["path"]["value"], "/new", "the route's path")
    expect(got["status"]["parents"], "the route has no status")
    again = strait.ends(OK, "get", "httproute", "shop", "-o", "yaml", out="value: /new")
    strait.ends(OK, "apply", "-f", "-", input=again, out="HTTPRoute default/shop unchanged")
    strait.ends(OK, "get", "secret", err="There is no Secret in namespace default.")
    wait_until(lambda: "no proxy serves it" in strait.ends(OK, "gateway", "status", "edge", out="default/edge"), 20,
               "the gateway's status says that it has no proxy")
    strait.ends(NOT_FOUND, "gateway", "status", "none")
    bad = route.replace("backendRefs", "backendrefs")
    strait.ends(INVALID, "validate", "-f", "-", input=bad, err="stdin:")
    strait.ends(INVALID, "apply", "-f", "-", input=bad, err="nothing was applied")
    strait.ends(INVALID, "apply", "-f", "-", input=route + route, err="stands twice")
    strait.ends(NOT_FOUND, "apply", "-f", str(folder / "none.yaml"))
    strait.ends(USAGE, "get", "jobs", err="there are GatewayClass")
    strait.ends(OK, "delete", "httproute", "shop", out="HTTPRoute default/shop deleted")
    strait.ends(NOT_FOUND, "delete", "httproute", "shop")
    strait.ends(OK, "delete", "httproute", "shop", "--ignore-not-found")
    strait.ends(OK, "delete", "-f", str(folder), out="HTTPRoute default/shop not-found\n")
    strait.ends(OK, "get", "gateways", err="There is no Gateway")
    say("  objects: apply, get, validate, delete")


def many(strait):
    text = "".join(f"---\napiVersion: consul.hashicorp.com/v1alpha1\nkind: MeshService\nmetadata: {{name: s{i}}}\n"
                   for i in range(OBJECTS))
    strait.ends(OK, "apply", "-f", "-", input=text)
    lines = strait.ends(OK, "get", "meshservice", "-A").splitlines()
    expect_equal(len(lines), OBJECTS + 1, "lines of the listing")
    expect_equal(len(json.loads(strait.ends(OK, "get", "meshservice", "-o", "json"))["items"]), OBJECTS, "items")
    say(f"  a listing of {OBJECTS} objects")


def catalog(strait, agent):
    agent.register("db", "10.1.2.3", 5432)
    strait.ends(OK, "catalog", "services", out="db")
    strait.ends(OK, "catalog", "nodes", out="machines")
    strait.ends(OK, "catalog", "datacenters", out="dc1")
    strait.ends(OK, "catalog", "service", "db", out="10.1.2.3")
    strait.ends(NOT_FOUND, "catalog", "service", "none", err="has no instance")
    strait.ends(OK, "health", "db", out="10.1.2.3:5432")
    expect_equal(len(json.loads(strait.ends(OK, "health", "db", "--passing", "-o", "json"))), 1, "instances")
    strait.ends(OK, "members", out=agent.name)
    say("  catalog, health, members")


def watch(strait, agent):
    """A change is shown while the command runs, and the agent's end ends it."""
    watching = subprocess.Popen([harness.STRAIT, "--http-addr", strait.address, "catalog", "service", "db", "--watch"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        seen = iter(watching.stdout.readline, "")
        expect(any("10.1.2.3" in line for line in seen), "the first answer is not shown")
        agent.register("db", "10.9.9.9", 5432)
        expect(any("10.9.9.9" in line for line in seen), "the change is not shown")
        agent.stop()
        expect_equal(watching.wait(harness.STOP_LIMIT), UNREACHABLE, "exit code when the agent has gone")
    finally:
        if watching.poll() is None:
            watching.kill()
        watching.communicate()
    strait.ends(UNREACHABLE, "catalog", "nodes", err="Is `strait agent` running there?")
    say("  watching, and an agent that goes away")


def config(strait):
    entry = json.dumps({"Kind": "service-intentions", "Name": "db",
                        "Sources": [{"Name": "web", "Peer": "dc2", "Action": "allow"}]})
    strait.ends(OK, "config", "write", "-", input=entry, out="Config entry written: service-intentions/db")
    strait.ends(FAILED, "config", "write", "--cas", "0", "-", input=entry, err="has changed meanwhile")
    got = json.loads(strait.ends(OK, "config", "read", "--kind", "service-intentions", "--name", "db"))
    expect_equal(got["Sources"][0]["Peer"], "dc2", "the peer of the source")
    strait.ends(OK, "config", "list", "--kind", "service-intentions", out="db")
    strait.ends(OK, "config", "delete", "-kind", "service-intentions", "-name=db")
    strait.ends(NOT_FOUND, "config", "read", "--kind", "service-intentions", "--name", "db")
    strait.ends(INVALID, "config", "write", "-", input='{"Kind":"service-intentions","Name":"db","Colour":1}')
    say("  config entries")


def peering(one, two, second):
    for by in ("HTTP", "gRPC"):
        more = ["--grpc-addr", f"{second.ip}:{second.grpc_port}"] if by == "gRPC" else []
        token = two.ends(OK, "peering", "generate-token", "--name", "dc1", *more)
        one.ends(OK, "peering", "establish", "--name", "dc2", "--peering-token", "-", "--wait", "30s", input=token,
                 out="Peering with dc2 is ACTIVE")
        one.ends(FAILED, "peering", "establish", "--name", "other", "--peering-token", token.strip())
        one.ends(OK, "peering", "list", "-o", "wide", out="ACTIVE")
        one.ends(OK, "peering", "read", "--name", "dc2", out="Datacenter:         dc2")
        one.ends(OK, "peering", "delete", "--name", "dc2")
        wait_until(lambda: one.run("peering", "read", "--name", "dc2").returncode == NOT_FOUND, 20, "dc2 is gone")
        two.ends(OK, "peering", "delete", "--name", "dc1")
        wait_until(lambda: two.run("peering", "read", "--name", "dc1").returncode == NOT_FOUND, 20, "dc1 is gone")
        say(f"  peering by {by}")
    one.ends(NOT_FOUND, "peering", "read", "--name", "dc2", err="Peering not found")
    one.ends(FAILED, "peering", "establish", "--name", "dc2", "--peering-token", "nonsense")


def test(lab):
    first = harness.Agent(lab, "agent-1", lab.ip(0), datacenter="dc1", data_dir=":memory:").start_ready()
    second = harness.Agent(lab, "agent-2", lab.ip(1), datacenter="dc2", data_dir=":memory:").start_ready()
    strait = Commands(first)
    objects(strait, lab)
    many(strait)
    catalog(strait, first)
    config(strait)
    peering(strait, Commands(second), second)
    watch(strait, first)


if __name__ == "__main__":
    harness.run("cli_commands", 26, test)
