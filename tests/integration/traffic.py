"""The programs that tests run beside the one under test (harness.Backend, harness.Load), in processes of their own: the
interpreter's lock would couple them to the test and to each other."""
import json
import os
import select
import socket
import sys
import threading
import time

import harness


def backend_main(ip, port, name):
    """HTTP/1.1 with keep-alive over threads; nothing is parsed but what an answer needs."""
    listener = socket.create_server((ip, int(port)), backlog=512)
    label = name.encode()

    def serve(connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pending = b""
        with connection:
            try:
                while True:
                    while (end := pending.find(b"\r\n\r\n")) < 0:
                        piece = connection.recv(65536)
                        if not piece:
                            return
                        pending += piece
                    body = label + b" " + pending.split(b" ", 2)[1]
                    pending = pending[end + 4:]
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            except OSError:
                return

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


class Lane:
    """One connection of the load, with at most one request on it."""

    def __init__(self, plan):
        self.plan, self.socket, self.received = plan, None, b""
        self.target = self.path = None
        self.due = 0.0
        self.ending = False  # The gateway said that this answer is the connection's last.

    def open(self):
        self.socket = socket.create_connection((self.plan["ip"], self.plan["port"]), timeout=harness.REQUEST_LIMIT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.ending = False

    def close(self):
        self.socket.close()
        self.socket = None

    def send(self, number, due):
        self.target = self.plan["targets"][number % len(self.plan["targets"])]
        self.path = f"{self.target['path']}/{number}"
        self.due = due
        self.socket.sendall(f"GET {self.path} HTTP/1.1\r\nHost: {self.target.get('host', 'load')}\r\n\r\n".encode())

    def answer(self):
        """None: more to come; else "" for a right answer, or what was wrong with it. b"" at the end: OSError."""
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("closed by the gateway")
        self.received += piece
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self.received[:end].lower()
        self.ending = b"\r\nconnection: close" in head
        at = head.find(b"content-length:")
        if at < 0:
            return f"{self.path}: no Content-Length: {head!r}"
        length = int(head[at + 15:].split(b"\r\n", 1)[0])
        if len(self.received) < end + 4 + length:
            return None
        body = self.received[end + 4:].decode("utf-8", "replace")
        status = head.split(b" ", 2)[1]
        self.received = b""
        if status == b"200" and body in [f"{name} {self.path}" for name in self.target["bodies"]]:
            return ""
        return f"{self.path}: {status.decode()} {body[:200]!r}"


def load_main():
    """Plan on the first line of input; a number N on a line: say "reached" N answers later; end of input: finish."""
    first = b""
    while b"\n" not in first:
        first += os.read(0, 65536)
    first, commands = first.split(b"\n", 1)
    plan = json.loads(first)
    interval, clock = 1.0 / plan["rate"], time.monotonic
    poller = select.epoll()
    lanes, free = {}, []
    answered = wrong = closed = late = 0
    samples, latencies = [], []
    reach = None

    def fault(text):
        nonlocal wrong
        wrong += 1
        if len(samples) < 10:
            samples.append(text)

    for _ in range(plan["connections"]):
        lane = Lane(plan)
        lane.open()
        lanes[lane.socket.fileno()] = lane
        poller.register(lane.socket.fileno(), select.EPOLLIN)
        free.append(lane)
    os.set_blocking(0, False)
    poller.register(0, select.EPOLLIN)
    begin = clock()
    sent, finishing, last = 0, False, begin

    def reopen(lane, error):
        """The request at hand, if any, got no answer: that is wrong too. A lane that cannot connect is out of use."""
        nonlocal closed
        closed += 1
        if lane in free:
            free.remove(lane)
        else:
            fault(f"{lane.path}: {error}")
        poller.unregister(lane.socket.fileno())
        lanes.pop(lane.socket.fileno())
        lane.close()
        try:
            lane.open()
        except OSError as failure:
            fault(f"cannot connect: {failure}")
            return
        lanes[lane.socket.fileno()] = lane
        poller.register(lane.socket.fileno(), select.EPOLLIN)
        free.append(lane)

    while True:
        while b"\n" in commands:
            line, commands = commands.split(b"\n", 1)
            reach = answered + int(line)
        now = clock()
        while not finishing and free and begin + sent * interval <= now:
            lane, due = free.pop(0), begin + sent * interval
            late += now - due > 0.1
            try:
                lane.send(sent, due)
            except OSError as error:
                reopen(lane, error)
            sent += 1
        if not lanes and not finishing:
            finishing, last = True, clock()
            fault("no connection is left")
        if finishing and (len(free) == len(lanes) or now - last > harness.REQUEST_LIMIT):
            break
        wait = max(0.0, begin + sent * interval - clock()) if free and not finishing else 0.1
        for descriptor, _ in poller.poll(wait):
            if descriptor == 0:
                piece = os.read(0, 4096)
                commands += piece
                if not piece:
                    finishing, last = True, clock()
                    poller.unregister(0)
                continue
            lane = lanes.get(descriptor)
            if lane is None:
                continue  # Closed in this round.
            try:
                verdict = lane.answer()
            except OSError as error:
                reopen(lane, error)
                continue
            if verdict is None:
                continue
            latencies.append(clock() - lane.due)
            answered += 1
            if verdict:
                fault(verdict)
            free.append(lane)
            if lane.ending:
                reopen(lane, "closed as announced")
            if reach is not None and answered >= reach:
                reach = None
                print("reached", flush=True)
    for lane in lanes.values():
        if lane not in free:
            fault(f"{lane.path}: no answer within {harness.REQUEST_LIMIT:g} s")
    print(json.dumps({
        "answered": answered, "wrong": wrong, "closed": closed, "late": late, "samples": samples,
        "rate": answered / max(1e-9, last - begin), "p50_ms": 1e3 * harness.percentile(latencies, 0.5),
        "p99_ms": 1e3 * harness.percentile(latencies, 0.99), "max_ms": 1e3 * max(latencies, default=0.0)}), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "backend":
        backend_main(*sys.argv[2:5])
    else:
        load_main()
