#!/usr/bin/env python3
"""Many routes: 3,000 are created one after the other, each timed from the API server's acknowledgement until every
worker of the gateway answers it right; then 1,000 are attached to a Gateway at once, and detached: timed until the
Gateway counts them and every status is right, and counted how often the Gateway was written."""
import json
import os
import pathlib
import re
import subprocess

import lab
from harness import Failed, expect, gateway, percentile, say

SERIAL, ATTACHED = 3_000, 1_000
ENDS = 500  # Of the serial routes, the first and the last so many are compared.
# A turn of the API server's collector takes a third of a second and both cores: a watch may wait 80 ms for it. Turns
# are taken between two routes, so that the gateway is measured and not the collector.
COLLECT = 250
CONNECTIONS = 32  # To the pod; one per worker is chosen of them.
MEAN_GOAL_MS, P99_GOAL_MS, MAX_GOAL_MS, WRITES_GOAL, COUNTED_GOAL_MS = 5.0, 10.0, 25.0, 25, 500.0
# The last routes take at most so many times what the first did, each as a ratio to the API server's own part: the speed
# of a machine that others share may drift by a third within the minute that this takes.
FLAT_GOAL = 1.2
ROUTES = lab.STRAIT_LAB / "bin" / "strait-routes"
# Pods that ask for no CPU get 2 shares of it where every other program on the machine has 1,024: then what is measured
# is how long they wait for the API server to pause.
CONTROLLER_CPU, GATEWAY_CPU, BACKEND_CPU = "600m", "300m", "100m"
GATEWAY_RESOURCES = "connectInject.apiGateway.managedGatewayClass.resources.requests.cpu"


def routes(cluster, mode, *words, **more):
    return subprocess.Popen(
        [ROUTES, mode, "--server", f"https://10.{cluster.index}.0.1:6443", "--pki",
         lab.STRAIT_LAB / f"cluster-{cluster.name}" / "pki", *map(str, words)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more)


# --- which worker has which connection ---


def gateway_process(peer, port):
    """The id of the process in some pod that has the connection from peer:port, and /proc's folder of it."""
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text().strip().startswith("strait-gateway") and port in by_port(folder, peer):
                return folder
        except OSError:
            continue  # It ended meanwhile.
    raise Failed(f"no strait-gateway has a connection from {peer}:{port}")


def by_port(folder, peer):
    """{remote port: descriptor} of the process' connections from that address."""
    mine = "".join(f"{int(part):02X}" for part in reversed(peer.split(".")))
    inodes = {}
    for name in ("tcp", "tcp6"):
        for line in (folder / "net" / name).read_text().splitlines()[1:]:
            fields = line.split()
            address, port = fields[2].split(":")
            if address[-8:] == mine:
                inodes[f"socket:[{fields[9]}]"] = int(port, 16)
    ports = {}
    for link in (folder / "fd").iterdir():
        try:
            if (target := os.readlink(link)) in inodes:
                ports[inodes[target]] = int(link.name)
        except OSError:
            continue
    return ports


def workers(folder, peer):
    """[ports of the connections] for each of the process' event loops that has a listening socket or connection."""
    descriptors = {descriptor: port for port, descriptor in by_port(folder, peer).items()}
    loops = []
    for link in (folder / "fd").iterdir():
        if os.readlink(link) == "anon_inode:[eventpoll]":
            watched = re.findall(r"^tfd: *(\d+)", (folder / "fdinfo" / link.name).read_text(), re.M)
            loops.append(sorted(descriptors[int(it)] for it in watched if int(it) in descriptors))
    return [ports for ports in loops if ports]


def listeners(folder, port):
    """Sockets that listen there: one per worker (SO_REUSEPORT)."""
    lines = [line.split() for name in ("tcp", "tcp6") for line in (folder / "net" / name).read_text().splitlines()[1:]]
    return sum(fields[3] == "0A" and int(fields[1].split(":")[1], 16) == port for fields in lines)


# --- the two measurements ---


def slope(values):
    """Of the line through the values: per 1,000 routes."""
    count = len(values)
    mean_x, mean_y = (count - 1) / 2, sum(values) / count
    spread = sum((x - mean_x) ** 2 for x in range(count))
    return 1e3 * sum((x - mean_x) * (y - mean_y) for x, y in enumerate(values)) / spread if spread else 0.0


def one_after_the_other(cluster, options):
    pod = cluster.list("pod", "gateway.networking.k8s.io/gateway-name=edge", "default")[0]["status"]["podIP"]
    child = routes(cluster, "serial", "--address", f"{pod}:80", "--gateway", "edge", "--services", "a,b", "--count",
                   options.routes, "--connections", CONNECTIONS, "--collect", options.collect,
                   *(["--watch"] if options.watch else []))
    ours = json.loads(child.stdout.readline())
    peer = ours["address"]
    process = gateway_process(peer, ours["ports"][0])
    shared = workers(process, peer)
    expect(len(shared) == listeners(process, 80), f"{CONNECTIONS} connections are at {len(shared)} of "
           f"{listeners(process, 80)} workers")
    say(f"{len(shared)} workers with {[len(it) for it in shared]} connections; one of each is asked")
    child.stdin.write(json.dumps([it[0] for it in shared]) + "\n")
    child.stdin.close()
    lines = [json.loads(line) for line in child.stdout]
    expect(child.wait() == 0 and len(lines) == options.routes, f"strait-routes ended after {len(lines)} routes")
    if options.lines:
        pathlib.Path(options.lines).write_text("".join(json.dumps(it) + "\n" for it in lines))
    took = [max(it["ms"]) for it in lines]
    acknowledged = [it["ack_ms"] for it in lines]
    ends = min(ENDS, len(took) // 2)
    first, last = sum(took[:ends]) / ends, sum(took[-ends:]) / ends
    growth, server = last / first, sum(acknowledged[-ends:]) / sum(acknowledged[:ends])
    worst = sorted(range(len(took)), key=lambda at: -took[at])[:5]
    mean, p99, longest = sum(took) / len(took), percentile(took, 0.99), max(took)
    say(f"{len(took)} routes one after the other, from the acknowledgement to right answers of all workers: mean "
        f"{mean:.2f} ms, median {percentile(took, 0.5):.2f}, p99 {p99:.2f}, max {longest:.2f}; the API server's own "
        f"part before that: mean {sum(acknowledged) / len(acknowledged):.2f}, p99 {percentile(acknowledged, 0.99):.2f}")
    say(f"  first {ends}: {first:.2f} ms, last {ends}: {last:.2f} ms, {growth:.2f} times that, the server's own part "
        f"{server:.2f} times; slope {slope(took):+.3f} ms per 1,000 routes; slowest: "
        f"{[(at, took[at]) for at in worst]}")
    if options.watch:
        told = [it["watch_ms"] for it in lines]
        say(f"  a watch told of them after: mean {sum(told) / len(told):.2f} ms, median {percentile(told, 0.5):.2f}, "
            f"p99 {percentile(told, 0.99):.2f}, max {max(told):.2f}")
    return [(mean <= MEAN_GOAL_MS, f"mean {mean:.2f} ms <= {MEAN_GOAL_MS:g}"),
            (p99 <= P99_GOAL_MS, f"p99 {p99:.2f} ms <= {P99_GOAL_MS:g}"),
            (longest <= MAX_GOAL_MS, f"max {longest:.2f} ms <= {MAX_GOAL_MS:g}"),
            (growth <= FLAT_GOAL * server, f"last {ends} / first {ends}, to the server's own part: "
             f"{growth / server:.2f} <= {FLAT_GOAL:g}")]


def at_once(cluster, options, mode):
    child = routes(cluster, mode, "--gateway", "many", "--prefix", "many", "--services", "a,b", "--count",
                   options.attached)
    text, _ = child.communicate()
    expect(child.returncode == 0, f"strait-routes {mode} failed")
    got = json.loads(text)
    counts = got["counts"]
    direction = 1 if mode == "attach" else -1
    wrong = [(a, b) for a, b in zip(counts, counts[1:]) if (b - a) * direction < 0]
    say(f"{options.attached} routes, {mode} at once: {json.dumps({k: v for k, v in got.items() if k != 'counts'})}; "
        f"counted {counts}")
    goals = [(got["counted_ms"] <= COUNTED_GOAL_MS, f"{mode}: Gateway right {got['counted_ms']:.0f} ms after the last "
              f"acknowledgement <= {COUNTED_GOAL_MS:g}"),
             (got["gateway_writes"] <= WRITES_GOAL, f"{mode}: {got['gateway_writes']} writes to the Gateway <= "
              f"{WRITES_GOAL}"), (not wrong, f"{mode}: counts that go the wrong way: {wrong}")]
    if mode == "attach":
        goals.append((got["statuses_ms"] <= COUNTED_GOAL_MS, f"attach: every route's status right "
                      f"{got['statuses_ms']:.0f} ms after the last acknowledgement <= {COUNTED_GOAL_MS:g}"))
    return goals


def test(cluster, options):
    cluster.up().images(options.programs).install(**{
        "global.logLevel": options.log_level, "controller.resources.requests.cpu": CONTROLLER_CPU,
        GATEWAY_RESOURCES: GATEWAY_CPU})
    cluster.enter()
    listener = "- {name: http, port: 80, protocol: HTTP}"
    backends = (lab.echo("a") + lab.echo("b")).replace(
        "        imagePullPolicy: Never\n",
        f"        imagePullPolicy: Never\n        resources: {{requests: {{cpu: {BACKEND_CPU}}}}}\n")
    cluster.apply(backends + gateway("edge", "strait", listener) +
                  gateway("many", "strait", listener))
    for name in ("edge", "many"):
        cluster.gateway_address(name)
    for name in ("a", "b", "edge", "many"):
        cluster.kubectl("rollout", "status", f"deployment/{name}")
    os.sync()  # What loading the images left to be written would be written while it is measured.
    goals = []
    if options.routes:
        goals += one_after_the_other(cluster, options)
    if options.attached:
        goals += at_once(cluster, options, "attach")
        goals += at_once(cluster, options, "detach")
    for met, text in goals:
        say(f"{'ok    ' if met else 'MISSED'} {text}")
    expect(options.report or all(met for met, _ in goals), "goals were missed")


def arguments(parser):
    parser.add_argument("--routes", type=int, default=SERIAL, help="how many one after the other (%(default)s)")
    parser.add_argument("--attached", type=int, default=ATTACHED, help="how many at once (%(default)s)")
    parser.add_argument("--report", action="store_true", help="missed goals are said, but no failure")
    parser.add_argument("--lines", help="a file for the figures of each route")
    parser.add_argument("--collect", type=int, default=COLLECT, help="after so many routes the API server collects its "
                        "garbage, before the next one (%(default)s; 0: whenever it likes)")
    parser.add_argument("--watch", action="store_true",
                        help="also say when a plain watch tells of the routes: what no gateway is faster than")
    parser.add_argument("--programs", help="folder of the programs that the images are made of")
    parser.add_argument("--log-level", default="info", help="of the controller (%(default)s)")


if __name__ == "__main__":
    lab.run("scale", [int(os.environ.get("CLUSTER_INDEX", 95))], test, arguments)
