"""What the integration tests share: programs under test on loopback addresses of their own, backends, an HTTP client,
an open-loop load generator, a relay that counts bytes. Python's standard library only.

Nothing here sleeps for a fixed time: everything waits for something it can see, with a limit (wait_until). Processes
are ended by their process id. Logs stay in the lab's directory; when a test fails their ends are printed and the
directory is kept.
"""
import http.client
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRAFFIC = pathlib.Path(__file__).resolve().parent / "traffic.py"
BUILD = pathlib.Path(os.environ.get("STRAIT_BUILD", ROOT / "build" / "release"))
STRAIT = BUILD / "cmd" / "strait"
GATEWAY = BUILD / "cmd" / "strait-gateway"
SKIPPED = 77
LOG_TAIL_LINES = 30
POLL = 0.01  # Seconds between two looks at what is waited for.
START_LIMIT = 20.0  # Until a program answers; far above what is measured, for busy machines.
STOP_LIMIT = 15.0
REQUEST_LIMIT = 10.0


class Failed(Exception):
    """An expectation that did not hold."""


class Wrong(Failed):
    """One that waiting cannot mend: ends wait_until at once."""


def expect(holds, what):
    if not holds:
        raise Failed(what)


def expect_equal(got, wanted, what):
    if got != wanted:
        raise Failed(f"{what}: expected {wanted!r}, got {got!r}")


def wait_until(predicate, timeout, what, poll=POLL):
    """The first true value of predicate(); Failed after `timeout` seconds, with the last error or value seen."""
    end = time.monotonic() + timeout
    last = None
    while True:
        try:
            value = predicate()
            if value:
                return value
            last = value
        except Wrong:
            raise
        except (OSError, http.client.HTTPException, KeyError, ValueError, Failed) as error:
            last = f"{type(error).__name__}: {error}"
        if time.monotonic() >= end:
            raise Failed(f"not within {timeout:g} s: {what} (last seen: {last!r})")
        time.sleep(poll)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def milliseconds(values):
    """One line about durations in seconds."""
    return (f"median {1e3 * percentile(values, 0.5):.0f} ms, p90 {1e3 * percentile(values, 0.9):.0f} ms, "
            f"max {1e3 * max(values):.0f} ms of {len(values)}")


def say(text):
    print(text, flush=True)


# --- HTTP client ---


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)

    @property
    def index(self):
        return int(self.headers["X-Consul-Index"])


class Client:
    """Requests to one address over one kept connection; a new one after an error. One thread at a time."""

    def __init__(self, ip, port, timeout=REQUEST_LIMIT):
        self.ip, self.port, self.timeout = ip, port, timeout
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def request(self, method, path, body=None, headers=None):
        if isinstance(body, str):
            body = body.encode()
        elif body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.ip, self.port, timeout=self.timeout)
            self.connection.connect()
            self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.connection.request(method, path, body=body, headers=headers or {})
            response = self.connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        except BaseException:
            self.close()
            raise
        if response.will_close:
            self.close()
        return answer

    def get(self, path, headers=None):
        return self.request("GET", path, headers=headers)

    def ok(self, method, path, body=None, headers=None):
        """The answer, which must have status 200."""
        answer = self.request(method, path, body, headers)
        if answer.status != 200:
            raise Failed(f"{method} {path}: expected 200, got {answer.status}: {answer.text[:500]}")
        return answer


def refuses(ip, port):
    """Whether nobody listens there."""
    with socket.socket() as probe:
        probe.settimeout(REQUEST_LIMIT)
        return probe.connect_ex((ip, port)) != 0


def raw_exchange(ip, port, data, timeout=REQUEST_LIMIT, limit=1 << 20):
    """Sends bytes as they are and returns what comes back until the other side ends; for requests no client makes."""
    received = b""
    with socket.create_connection((ip, port), timeout=timeout) as connection:
        try:
            connection.sendall(data)
        except OSError:
            pass  # Refused before the end: the answer says why.
        try:
            while len(received) < limit:
                piece = connection.recv(65536)
                if not piece:
                    break
                received += piece
        except OSError:
            pass
    return received


# --- processes ---


class Process:
    """A program that the lab started. Its output goes to a log, appended over restarts."""

    def __init__(self, lab, name, command):
        self.lab, self.name = lab, name
        self.command = [str(word) for word in command]
        self.log = lab.directory / f"{name}.log"
        self.child = None
        self.started = 0.0  # time.monotonic() just before exec
        lab.processes.append(self)

    def start(self):
        expect(self.child is None or self.child.poll() is not None, f"{self.name} runs already")
        with open(self.log, "ab") as log:
            self.started = time.monotonic()
            self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def alive(self):
        return self.child is not None and self.child.poll() is None

    def expect_alive(self):
        if not self.alive():
            raise Wrong(f"{self.name} ended by itself with {self.child.poll() if self.child else None}")
        return True

    def kill(self):
        """As a power cut would: no word to the program."""
        os.kill(self.child.pid, signal.SIGKILL)
        self.child.wait(STOP_LIMIT)

    def stop(self):
        """In order; the exit code must be 0."""
        self.expect_alive()
        os.kill(self.child.pid, signal.SIGTERM)
        try:
            code = self.child.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} did not end within {STOP_LIMIT:g} s of SIGTERM") from None
        expect_equal(code, 0, f"exit code of {self.name} after SIGTERM")

    def end(self):
        if self.alive():
            os.kill(self.child.pid, signal.SIGTERM)
            try:
                self.child.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self.kill()

    def log_text(self):
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def wait_exit(self, timeout=START_LIMIT):
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} did not end within {timeout:g} s") from None


class Agent(Process):
    http_port, grpc_port, tls_port = 8500, 8502, 8503

    def __init__(self, lab, name, ip, *more, datacenter="dc1", data_dir=None, proxy="external"):
        self.ip = ip
        self.data_dir = pathlib.Path(data_dir or lab.directory / f"{name}-data")
        super().__init__(lab, name, [
            STRAIT, "agent", "--datacenter", datacenter, "--node-name", name, "--bind", ip, "--data-dir", self.data_dir,
            "--ready-address", ip, "--proxy", proxy, *more])

    def client(self, timeout=REQUEST_LIMIT):
        return Client(self.ip, self.http_port, timeout)

    def wait_ready(self):
        """Until it answers from its catalog; returns the seconds since its start."""
        def answers():
            self.expect_alive()
            return self.client().ok("GET", "/v1/catalog/nodes").json()
        wait_until(answers, START_LIMIT, f"{self.name} answers /v1/catalog/nodes", poll=0.002)
        return time.monotonic() - self.started

    def start_ready(self):
        self.start()
        self.wait_ready()
        return self

    def apply(self, yaml):
        return self.client().ok("POST", "/strait/v1/apply", yaml).json()

    def delete_object(self, kind, name, namespace="default"):
        return self.client().ok("DELETE", f"/strait/v1/objects/{kind}/{namespace}/{name}")

    def object(self, kind, name, namespace="default"):
        return self.client().ok("GET", f"/strait/v1/objects/{kind}/{namespace}/{name}").json()

    def register(self, service, address, port, *, id=None, node=None, meta=None, client=None):
        body = {"Node": node or "machines", "Address": "127.0.0.1", "SkipNodeUpdate": False,
                "Service": {"ID": id or service, "Service": service, "Address": address, "Port": port,
                            "Meta": meta or {}}}
        (client or self.client()).ok("PUT", "/v1/catalog/register", body)

    def peering(self, name):
        return self.client().ok("GET", f"/v1/peering/{name}").json()


class Gateway(Process):
    ready_port = 20000

    def __init__(self, lab, name, ip, gateway, agent, data_dir=None):
        self.ip = ip
        self.data_dir = pathlib.Path(data_dir or lab.directory / f"{name}-data")
        super().__init__(lab, name, [
            GATEWAY, "--gateway", gateway, "--agent", f"{agent.ip}:{agent.grpc_port}", "--data-dir", self.data_dir,
            "--address", ip, "--ready-address", ip, "--ready-port", self.ready_port, "--workers", "2"])

    def client(self, port, timeout=REQUEST_LIMIT):
        return Client(self.ip, port, timeout)

    def ready_status(self):
        return self.client(self.ready_port).get("/ready").status

    def wait_ready(self):
        def ready():
            self.expect_alive()
            return self.ready_status() == 200
        wait_until(ready, START_LIMIT, f"{self.name} is ready", poll=0.002)
        return time.monotonic() - self.started

    def start_ready(self):
        self.start()
        self.wait_ready()
        return self


class Backend(Process):
    """Answers every HTTP request with "NAME PATH", in a process of its own."""

    def __init__(self, lab, name, ip, port):
        self.ip, self.port, self.label = ip, port, name
        super().__init__(lab, f"backend-{name}",
                         [sys.executable, TRAFFIC, "backend", ip, port, name])

    def start(self):
        super().start()
        wait_until(lambda: self.expect_alive() and not refuses(self.ip, self.port), START_LIMIT,
                   f"{self.name} listens")
        return self


class Load(Process):
    """Requests at a fixed rate, whatever the answers (open loop), each body compared. A target is a dictionary: path
    (a prefix, to which a number is added), host, bodies (the backends that may answer)."""

    def __init__(self, lab, name, ip, port, rate, targets, connections=32):
        self.plan = {"ip": ip, "port": port, "rate": rate, "targets": targets, "connections": connections}
        super().__init__(lab, f"load-{name}", [sys.executable, TRAFFIC, "load"])
        self.errors = None

    def start(self):
        self.errors = open(self.log, "ab")
        self.child = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                      text=True)
        self.child.stdin.write(json.dumps(self.plan) + "\n")
        self.child.stdin.flush()
        self.wait_answers(100)
        return self

    def wait_answers(self, count):
        """Until that many more answers have come, so that what is changed is changed under load."""
        self.child.stdin.write(f"{count}\n")
        self.child.stdin.flush()
        ready, _, _ = select.select([self.child.stdout], [], [], START_LIMIT + count / self.plan["rate"])
        expect(ready and self.child.stdout.readline() == "reached\n", f"{self.name}: {count} more answers do not come")

    def finish(self):
        """Ends the load; its report, with one line printed."""
        self.child.stdin.close()
        report = json.loads(self.child.stdout.read())
        self.child.wait(STOP_LIMIT)
        self.errors.close()
        say(f"  load {self.name[5:]}: {report['answered']} answers at {report['rate']:.0f}/s, "
            f"p50 {report['p50_ms']:.1f} ms, p99 {report['p99_ms']:.1f} ms, max {report['max_ms']:.0f} ms from due "
            f"time; {report['wrong']} wrong, {report['closed']} connections closed, late {report['late']}")
        return report

    def finish_clean(self):
        """…which must have seen nothing but right answers, at the rate asked for, on connections that lasted."""
        report = self.finish()
        expect_equal(report["wrong"], 0, f"wrong answers; the first: {report['samples']}")
        expect_equal(report["closed"], 0, "connections closed under the load")
        expect(report["rate"] >= 0.95 * self.plan["rate"],
               f"the load reached only {report['rate']:.0f} of {self.plan['rate']} requests/s")
        return report

    def end(self):
        if self.alive():
            self.child.stdin.close()
            try:
                self.child.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self.kill()


class Relay:
    """Passes TCP on and counts the bytes of each direction; can be cut and mended. Threads of this process."""

    def __init__(self, lab, ip, port, to):
        self.to = to
        self.lock = threading.Lock()
        self.up = self.down = self.accepted = 0
        self.is_open = True
        self.pairs = set()
        self.listener = socket.create_server((ip, port))
        lab.relays.append(self)
        threading.Thread(target=self._accept, daemon=True).start()

    def bytes(self):
        with self.lock:
            return self.up + self.down

    def cut(self):
        with self.lock:
            self.is_open = False
            ended = list(self.pairs)
        for one in ended:
            self._shut(one)

    def mend(self):
        with self.lock:
            self.is_open = True

    def close(self):
        self.cut()
        self.listener.close()

    @staticmethod
    def _shut(connection):
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = None
                with self.lock:
                    is_open = self.is_open
                if is_open:
                    server = socket.create_connection(self.to, timeout=REQUEST_LIMIT)
                    server.settimeout(None)
            except OSError:
                pass
            if server is None:
                client.close()
                continue
            with self.lock:
                self.accepted += 1
                self.pairs |= {client, server}
                if not self.is_open:
                    self._shut(client)
            threading.Thread(target=self._pass, args=(client, server, "up"), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, "down"), daemon=True).start()

    def _pass(self, source, sink, direction):
        try:
            while True:
                piece = source.recv(65536)
                if not piece:
                    break
                with self.lock:
                    setattr(self, direction, getattr(self, direction) + len(piece))
                sink.sendall(piece)
        except OSError:
            pass
        self._shut(source)
        self._shut(sink)
        with self.lock:
            self.pairs.discard(source)


# --- the lab ---


class Lab:
    """One test's directory, addresses and processes. `octet` is the test's own: 127.0.OCTET.x."""

    def __init__(self, name, octet):
        self.name, self.octet = name, octet
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"strait-{name}-"))
        self.processes, self.relays, self.closing = [], [], []

    def ip(self, number):
        """Of machine 0…9; other runs at the same time have others."""
        return f"127.0.{self.octet}.{(os.getpid() % 25) * 10 + number + 1}"

    def close(self, failed):
        for process in reversed(self.processes):
            try:
                process.end()
            except (OSError, Failed) as error:
                say(f"ending {process.name}: {error}")
        for relay in self.relays:
            relay.close()
        if failed:
            for process in self.processes:
                lines = process.log_text().splitlines()
                if lines:
                    say(f"--- the end of {process.log} ({len(lines)} lines)")
                    say("\n".join(lines[-LOG_TAIL_LINES:]))
            say(f"kept: {self.directory}")
        for close in self.closing:
            close()
        if not failed:
            shutil.rmtree(self.directory, ignore_errors=True)


def run(name, octet, test):
    """Runs test(lab) as a program: exit 0, 1 with what failed, or 77 with the reason as the last line."""
    for program in (STRAIT, GATEWAY):
        if not os.access(program, os.X_OK):
            say(f"{program} is not built")
            sys.exit(SKIPPED)
    lab = Lab(name, octet)
    failed = True
    begin = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        test(lab)
        failed = False
    except Failed as error:
        say(f"FAILED: {error}")
        traceback.print_exc(file=sys.stdout)
    except Exception:  # The lab must be closed and its logs shown whatever went wrong.
        traceback.print_exc(file=sys.stdout)
    finally:
        lab.close(failed)
    if failed:
        sys.exit(1)
    say(f"{name}: passed in {time.monotonic() - begin:.1f} s")


# --- manifests ---

STRAIT_CONTROLLER = "strait.dev/gateway-controller"
CONSUL_CONTROLLER = "hashicorp.com/consul-api-gateway-controller"


def gateway_class(name, controller=STRAIT_CONTROLLER):
    return f"""---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: {name}}}
spec: {{controllerName: {controller}}}
"""


def gateway(name, cls, listeners="- {name: http, port: 8080, protocol: HTTP}", annotations="{}"):
    return f"""---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: {name}, annotations: {annotations}}}
spec:
  gatewayClassName: {cls}
  listeners:
  {listeners}
"""


def service(name, ip, port, namespace="default"):
    return f"""---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{ports: [{{name: http, port: 80}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: {name}-1, namespace: {namespace}, labels: {{kubernetes.io/service-name: {name}}}}}
addressType: IPv4
endpoints: [{{addresses: [{ip}]}}]
ports: [{{name: http, port: {port}}}]
"""


def http_route(name, gateway_name, path, backends):
    """backends: the text of each backendRef."""
    return f"""---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {name}}}
spec:
  parentRefs: [{{name: {gateway_name}}}]
  rules:
  - matches: [{{path: {{type: PathPrefix, value: {path}}}}}]
    backendRefs: [{", ".join(backends)}]
"""
