#!/usr/bin/env python3
"""CPU per request of HTTP proxies, side by side in one run.

Every proxy does the same job: HTTP/1.1 with keep-alive, one worker, one route by host, one backend on loopback. The
proxy has one core for itself; the load generator (wrk, closed loop) and the backend (nginx, constant answer) share
another. CPU is what the scheduler counted for all threads of the proxy (user and kernel), divided by the requests
answered. Two controls stand beside: "direct" is wrk against the backend, its CPU is the backend's own; "null" copies
bytes between sockets and is the floor for any proxy.

Rounds run in turn forwards and backwards (A B C, C B A, …), so that a drift of the machine falls on all alike. A ratio
is the median of the ratios within each round; its range is given. A round whose direct control is more than 10 % off
the median of all is left out. Each answer's status is counted, bodies and headers are looked at before and after each
measurement, and the backend must have seen as many requests as were answered.

Wall-clock figures say little here: generator and backend fill their core first. "waited" is the share of the time in
which a proxy's threads were ready but had no core: over a few percent, something else was running beside it.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BODY = "0123456789abcdef0123456789abcdef"
HOST = "bench.test"
SUBJECTS = ["direct", "null", "haproxy", "nginx", "strait"]
WARM_UP_SECONDS = 1
START_SECONDS_MAX = 15
CONTROL_DRIFT_MAX = 0.10
PROBES = 20  # Answers looked at before and after each measurement.
# The agent with its proxy in the same process: what it costs at rest is counted too.
GATEWAY_COMMAND = ("{build}/cmd/strait agent --node-name bench --data-dir :memory: --manifests {config_dir} "
                   "--workers 1 --ready-port 0 --http-port 18500 --grpc-port 0 --grpc-tls-port 0")


class BenchError(Exception):
    pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def fill(template, target, values):
    text = (HERE / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    left = re.search(r"@[A-Z_]+@", text)
    if left:
        raise BenchError(f"{template}: no value for {left.group(0)}")
    target.write_text(text)
    return target


def descendants(pid):
    """pid and all processes below it."""
    found = [pid]
    for process in found:
        for task in pathlib.Path(f"/proc/{process}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += [int(child) for child in task.read_text().split()]
    return found


def scheduled_ns(pid):
    """What all threads of pid and its children have run, and have waited for a core, as the scheduler counted it."""
    ran = waited = 0
    for process in descendants(pid):
        for task in pathlib.Path(f"/proc/{process}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                fields = task.read_text().split()
                ran, waited = ran + int(fields[0]), waited + int(fields[1])
    return ran, waited


def resident_kib(pid):
    total = 0
    for process in descendants(pid):
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1])
    return total


def get(port, path="/", host=HOST):
    """One request on a connection of its own: (status, headers, body)."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        raw = b""
        while chunk := s.recv(65536):
            raw += chunk
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]), headers, body.decode("latin-1")


def probe(name, port):
    for _ in range(PROBES):
        status, headers, body = get(port, "/some/path?x=1")
        if status != 200 or BODY not in body or headers.get("x-backend") != "bench":
            raise BenchError(f"{name}: wrong answer: status {status}, X-Backend {headers.get('x-backend')}, {body!r}")


class Process:
    """A server pinned to one core; its output goes to a log beside its configuration."""

    def __init__(self, name, command, core, state, port, check=None):
        self.name, self.port, self.log = name, port, state / f"{name}.out"
        if shutil.which(command[0]) is None:
            raise BenchError(f"{name}: {command[0]} is not installed (./dev deps bench)")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", str(core), *command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )
        self.pid = self.process.pid
        self.await_answer(check or (lambda: probe(name, port)))

    def await_answer(self, check):
        end = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                return check()
            except (OSError, ValueError, IndexError, BenchError) as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    log = self.log.read_text(errors="replace")[-2000:]
                    self.stop()
                    raise BenchError(f"{self.name} does not serve: {error}\n{log}") from error
                time.sleep(0.05)

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()


class Bench:
    def __init__(self, options, state, cores):
        self.options, self.state = options, state
        self.proxy_core, self.load_core = cores
        self.backend_port, self.status_port = free_port(), free_port()
        self.values = {
            "STATE": state,
            "BODY": BODY,
            "BACKEND_PORT": self.backend_port,
            "STATUS_PORT": self.status_port,
            "IDLE_CONNECTIONS": max(64, 2 * options.connections),
            "USER": "user root;" if os.geteuid() == 0 else "",
        }

    def config(self, template, name, port):
        return fill(template, self.state / name, {**self.values, "PORT": port})

    def start_backend(self):
        config = self.config("backend.conf.in", "backend.conf", self.backend_port)
        command = ["nginx", "-p", str(self.state), "-c", str(config)]
        return Process("backend", command, self.load_core, self.state, self.backend_port)

    def start(self, name):
        port = free_port()
        if name == "null":
            command = [f"{self.options.build}/tests/bench/null_proxy", str(port), str(self.backend_port)]
        elif name == "haproxy":
            command = ["haproxy", "-db", "-f", str(self.config("haproxy.cfg.in", "haproxy.cfg", port))]
        elif name == "nginx":
            config = self.config("nginx.conf.in", "nginx.conf", port)
            command = ["nginx", "-p", str(self.state), "-c", str(config)]
        elif name == "strait":
            folder = self.state / "strait"
            folder.mkdir(exist_ok=True)
            config = self.config("strait.yaml.in", "strait/bench.yaml", port)
            text = self.options.gateway_cmd.format(
                build=self.options.build, config=config, config_dir=folder, state=self.state,
                port=port, backend_port=self.backend_port,
            )
            command = shlex.split(text)
        return Process(name, command, self.proxy_core, self.state, port)

    def backend_requests(self):
        _, _, body = get(self.status_port)
        return int(body.split("\n")[2].split()[2])

    def load(self, port, seconds):
        out = subprocess.run(
            ["taskset", "-c", str(self.load_core), "wrk", "-t1", f"-c{self.options.connections}", f"-d{seconds}s",
             "--timeout", "5s", "-s", str(HERE / "report.lua"), f"http://127.0.0.1:{port}/some/path?x=1"],
            capture_output=True, text=True, check=False,
        )
        match = re.search(r"^RESULT (.*)$", out.stdout, re.M)
        if not match:
            raise BenchError(f"wrk gave no result: {out.stdout}{out.stderr}")
        return json.loads(match.group(1))

    def measure(self, name, server):
        probe(name, server.port)
        seen = self.backend_requests()
        before = scheduled_ns(server.pid)
        result = self.load(server.port, self.options.seconds)
        ran, waited = (after - start for after, start in zip(scheduled_ns(server.pid), before))
        seen = self.backend_requests() - seen - 1  # The question itself was a request too.
        probe(name, server.port)
        requests = result["requests"]
        if requests == 0 or result["bad_status"] or result["socket_errors"]:
            raise BenchError(f"{name}: {result}")
        # wrk stops counting at the end of its time, with one request a connection under way at the most.
        if not 0 <= seen - requests <= 2 * self.options.connections:
            raise BenchError(f"{name}: {requests} requests answered, but the backend saw {seen}")
        if result["bytes"] < requests * len(BODY):
            raise BenchError(f"{name}: answers are shorter than their body")
        return {
            "cpu_us": ran / 1000 / requests,
            "waited": waited / (result["microseconds"] * 1000),
            "requests_per_second": requests / (result["microseconds"] / 1e6),
            "p50_us": result["p50_us"],
            "p99_us": result["p99_us"],
            "resident_kib": resident_kib(server.pid),
        }


def run(options, subjects):
    with tempfile.TemporaryDirectory(prefix="strait-bench-") as folder, contextlib.ExitStack() as stack:
        bench = Bench(options, pathlib.Path(folder), options.cores)
        backend = bench.start_backend()
        stack.callback(backend.stop)
        servers = {"direct": backend}
        for name in subjects:
            if name != "direct":
                servers[name] = bench.start(name)
                stack.callback(servers[name].stop)
        for name in subjects:
            bench.load(servers[name].port, WARM_UP_SECONDS)
        rounds = []
        for number in range(options.rounds):
            order = subjects if number % 2 == 0 else subjects[::-1]
            rounds.append({name: bench.measure(name, servers[name]) for name in order})
            print(f"round {number + 1} of {options.rounds}: " + ", ".join(
                f"{name} {rounds[-1][name]['cpu_us']:.1f}" for name in subjects) + " us", flush=True)
        return rounds


def steady(rounds):
    """The rounds in which the machine was as in the others, by the direct control."""
    if "direct" not in rounds[0]:
        return rounds
    middle = statistics.median(r["direct"]["cpu_us"] for r in rounds)
    return [r for r in rounds if abs(r["direct"]["cpu_us"] / middle - 1) <= CONTROL_DRIFT_MAX]


def ratio(rounds, name, other):
    values = [r[name]["cpu_us"] / r[other]["cpu_us"] for r in rounds]
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def table(rounds, subjects):
    columns = [other for other in ("null", "haproxy", "nginx") if other in subjects]
    rows = [["", "CPU us/request", *[f"/ {c}" for c in columns], "requests/s", "p50 us", "p99 us", "RSS MiB", "waited"]]
    for name in subjects:
        def middle(key):
            return statistics.median(r[name][key] for r in rounds)
        rows.append([
            name, f"{middle('cpu_us'):.2f}",
            *["–" if "direct" in (name, c) or c == name else ratio(rounds, name, c) for c in columns],
            f"{middle('requests_per_second'):.0f}", f"{middle('p50_us'):.0f}", f"{middle('p99_us'):.0f}",
            f"{middle('resident_kib') / 1024:.1f}", f"{middle('waited'):.0%}",
        ])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join([row[0].ljust(widths[0]), *cells]).rstrip())


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/release", help="build folder with null_proxy and strait")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement; 10 for figures to publish")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--only", default=",".join(SUBJECTS), help="of: " + ",".join(SUBJECTS))
    parser.add_argument("--json", help="writes every round to this file")
    parser.add_argument("--gateway-cmd", default=GATEWAY_COMMAND,
                        help="how Strait's gateway is started; knows {build} {config} {config_dir} {state} {port} "
                             "{backend_port}. Default: %(default)s")
    options = parser.parse_args(arguments)
    unknown = set(options.only.split(",")) - set(SUBJECTS)
    if unknown or options.rounds < 1 or options.seconds < 1 or options.connections < 1:
        parser.error(f"unknown in --only: {', '.join(unknown)}" if unknown else "numbers must be at least 1")
    return options


def main():
    options = parse(sys.argv[1:])
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        print("bench: needs two cores, one for the proxy and one for the load", file=sys.stderr)
        return 1
    options.cores = cores[0], cores[1]
    subjects = [name for name in SUBJECTS if name in options.only.split(",")]
    program = shlex.split(options.gateway_cmd.replace("{build}", options.build))[0]
    if "strait" in subjects and shutil.which(program) is None:
        print(f"strait: skipped, there is no {program}")
        subjects.remove("strait")
    print(f"{options.rounds} rounds of {options.seconds} s each, {options.connections} connections; "
          f"proxy on core {cores[0]}, load and backend on core {cores[1]}; load average {os.getloadavg()[0]:.1f}")
    try:
        rounds = run(options, subjects)
    except (BenchError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rounds, indent=1) + "\n")
    kept = steady(rounds)
    if len(kept) < len(rounds):
        print(f"{len(rounds) - len(kept)} of {len(rounds)} rounds left out: the direct control moved over "
              f"{CONTROL_DRIFT_MAX:.0%}")
    if not kept:
        print("bench: the machine was too restless for any figure", file=sys.stderr)
        return 1
    print()
    table(kept, subjects)
    return 0


if __name__ == "__main__":
    sys.exit(main())
