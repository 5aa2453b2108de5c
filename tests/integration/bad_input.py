"""What is wrong is refused with a text that says what and where, and changes nothing: documents, peering tokens,
requests, stores, a full disk."""
import base64
import json
import os
import re
import shutil
import subprocess
import time

import harness
from harness import Agent, Backend, Failed, Gateway, expect, expect_equal, raw_exchange, say, wait_until

PORT = 8080
TMPFS_MIB = 48
FILL_MAX = 3000  # Writes of some 30 kB: several times the disk.

SECRET = """---
apiVersion: v1
kind: Secret
metadata: {{name: {name}}}
type: kubernetes.io/tls
stringData:
  tls.crt: |
{crt}
  tls.key: |
{key}
"""

GATEWAY_HEAD = ("{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: bad}, "
                "spec: {gatewayClassName: ")


def listeners(text):
    return GATEWAY_HEAD + "edge, listeners: [" + text + "]}}"


# What is sent, and the words that the refusal must have. Each stands beside a good document, which must stay out too.
DOCUMENTS = {
    "malformed YAML": ("a: [1, 2", [r"\d+:\d+", "end of flow|flow sequence|end of"]),
    "unknown kind": ("{apiVersion: v1, kind: Job, metadata: {name: p}}", ['kind: "Job" is no kind', "HTTPRoute"]),
    "unknown field": (listeners("{name: l, port: 81, protocol: HTTP, hostnam: a.b}"),
                      [r"spec\.listeners\[0\]\.hostnam: unknown field", "did you mean hostname"]),
    "wrong type": (listeners("{name: l, port: 'eighty', protocol: HTTP}"),
                   [r"spec\.listeners\[0\]\.port: expected an integer, got a string"]),
    "listener name twice": (listeners("{name: l, port: 81, protocol: HTTP}, {name: l, port: 82, protocol: HTTP}"),
                            [r"spec\.listeners\[1\]\.name: stands twice"]),
    "listener twice": (listeners("{name: l, port: 81, protocol: HTTP}, {name: m, port: 81, protocol: HTTP}"),
                       [r"spec\.listeners\[1\]\.\(port, protocol, hostname\): stands twice"]),
    "YAML too deep": ("a: " + "[" * 200 + "]" * 200, ["nested deeper than 64 levels"]),
}

# Taken, as Kubernetes takes them, but not served: the object and its listener say why.
CONDITIONS = {
    "unknown class": (GATEWAY_HEAD + "nobody, listeners: [{name: l, port: 8090, protocol: HTTP}]}}", None, []),
    "missing Secret": (
        listeners("{name: l, port: 8090, protocol: HTTPS, tls: {certificateRefs: [{name: gone}]}}"),
        ("ResolvedRefs", "False", "InvalidCertificateRef"), ["Secret default/gone does not exist"]),
    "key of another certificate": (
        listeners("{name: l, port: 8090, protocol: HTTPS, tls: {certificateRefs: [{name: mismatch}]}}"),
        ("ResolvedRefs", "False", "InvalidCertificateRef"), ["Secret default/mismatch: ", "key"]),
    "conflicting listeners": (
        listeners("{name: l, port: 8090, protocol: HTTP}, {name: m, port: 8090, protocol: TCP}"),
        ("Conflicted", "True", "ProtocolConflict"), ["listener m has port 8090 too, with protocol TCP"]),
}


def revision(agent):
    """The catalog's newest one: whatever is written anywhere raises it."""
    return int(float(re.search(r"^strait_catalog_revision\S* (\S+)$", agent.client().ok("GET", "/metrics").text,
                               re.M).group(1)))


def settled(agent):
    """The revision once nothing follows it: conditions are written by and by."""
    last = [0, 0]

    def same():
        now = revision(agent)
        last[:] = [now, last[1] + 1 if now == last[0] else 0]
        return last[1] > 20
    wait_until(same, harness.START_LIMIT, "the catalog rests")
    return last[0]


def served(gateway):
    answer = gateway.client(PORT).get("/web/x")
    return answer.status, answer.text


class Refusals:
    """Each bad input, then: same revision, same answer of the gateway."""

    def __init__(self, agent, gateway):
        self.agent, self.gateway, self.count = agent, gateway, 0

    def check(self, title, words, send, changes_catalog=False):
        """send() returns the text of the refusal. With changes_catalog only what is served must stay."""
        before, answer = settled(self.agent), served(self.gateway)
        text = shortest(send())
        for word in words:
            expect(re.search(word, text), f"{title}: expected {word!r} in: {text[:800]}")
        if not changes_catalog:
            expect_equal(settled(self.agent), before, f"{title}: revision of the catalog")
        expect_equal(served(self.gateway), answer, f"{title}: what the gateway answers")
        expect_equal(answer[0], 200, "the gateway's answer")
        self.count += 1
        say(f"  {title}: {' '.join(text.split())[:150]}")


def shortest(text):
    """Of an answer: the detail, where it is JSON."""
    try:
        body = json.loads(text)
        return "; ".join(body.get("errors") or [body["error"]["detail"]])
    except (ValueError, KeyError, TypeError, AttributeError):
        return text


def refused(client, method, path, body, statuses, headers=None):
    answer = client.request(method, path, body, headers)
    expect(answer.status in statuses, f"{method} {path}: expected {statuses}, got {answer.status}: {answer.text[:300]}")
    return answer.text


def documents(refusals, agent):
    good = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: beside}\n---\n"
    for title, (yaml, words) in DOCUMENTS.items():
        refusals.check(title, words, lambda yaml=yaml: refused(agent.client(), "POST", "/strait/v1/apply", good + yaml,
                                                               [400]))


def condition_text(agent, wanted):
    gateway = agent.object("Gateway", "bad").get("status", {})
    conditions = [it for listener in gateway.get("listeners", []) for it in listener["conditions"]]
    for it in conditions:
        if (it["type"], it["status"], it["reason"]) == wanted:
            return it["message"]
    raise Failed(f"no condition {wanted} in {gateway}")


def conditions(refusals, lab, agent, gateway_ip):
    pairs = [certificate(lab, number) for number in range(2)]
    agent.apply(SECRET.format(name="mismatch", crt=indent(pairs[0][0]), key=indent(pairs[1][1])))
    for title, (yaml, wanted, words) in CONDITIONS.items():
        def send(yaml=yaml, wanted=wanted):
            agent.apply(yaml)
            if wanted is None:
                # A class that nobody has: whoever controls it writes the conditions; here nobody may.
                settled(agent)
                state = agent.object("Gateway", "bad").get("status", {})
                expect(not any(it["status"] == "True" for it in state.get("conditions", [])),
                       f"a Gateway of an unknown class has {state}")
                return json.dumps(state) if state else "no controller, no condition"
            return wait_until(lambda: condition_text(agent, wanted), 10, f"{title}: condition {wanted}")
        refusals.check(title, words, send, changes_catalog=True)
        edge_with_bad_listener(refusals, agent, title, yaml)
        agent.delete_object("Gateway", "bad")


def edge_with_bad_listener(refusals, agent, title, yaml):
    """The same faulty listeners on the Gateway that serves: its good listener goes on."""
    if "nobody" in yaml:
        return
    faulty = yaml.split("listeners: [", 1)[1].removesuffix("]}}")
    good = "{name: http, port: 8080, protocol: HTTP}"

    def send():
        agent.apply(harness.gateway("edge", "edge", f"[{good}, {faulty}]"))
        settled(agent)
        return "the good one goes on"
    refusals.check(f"{title}, beside a good listener", [], send, changes_catalog=True)
    agent.apply(harness.gateway("edge", "edge"))


def certificate(lab, number):
    crt, key = lab.directory / f"{number}.crt", lab.directory / f"{number}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", "/CN=test", "-days", "2", "-out", crt, "-keyout", key], check=True, capture_output=True)
    return crt.read_text(), key.read_text()


def indent(text):
    return "\n".join("    " + line for line in text.splitlines())


def peering(refusals, lab, agent, other):
    def establish(name, token):
        return refused(agent.client(), "POST", "/v1/peering/establish", {"PeerName": name, "PeeringToken": token},
                       [400, 403, 409, 500, 503])

    own = agent.client().ok("POST", "/v1/peering/token", {"PeerName": "someone"}).json()["PeeringToken"]
    refusals.check("token of the same datacenter", ["cannot create a peering within the same cluster"],
                   lambda: establish("self", own))
    fresh = other.client().ok("POST", "/v1/peering/token", {"PeerName": "dc1"}).json()["PeeringToken"]
    foreign = json.loads(base64.b64decode(fresh))
    foreign["CA"] = [certificate(lab, 2)[0]]
    refusals.check("token with a foreign CA", ["its certificate is not one of the token's CA"],
                   lambda: establish("dc2", base64.b64encode(json.dumps(foreign).encode()).decode()))
    refusals.check("token that is none", ["peering token: must be base64"], lambda: establish("dc2", "%%%"))
    refusals.check("peer name taken", ["cannot create peering with name", "someone.*taken"],
                   lambda: establish("someone", fresh))
    agent.client().ok("POST", "/v1/peering/establish", {"PeerName": "dc2", "PeeringToken": fresh})
    wait_until(lambda: agent.peering("dc2")["State"] == "ACTIVE", 20, "the peering is ACTIVE")
    refusals.check("used token", ["a new peering token must be generated"], lambda: establish("again", fresh),
                   changes_catalog=True)  # The live peering's own status.
    expect_equal(sorted(it["Name"] for it in agent.client().ok("GET", "/v1/peerings").json()), ["dc2", "someone"],
                 "the peerings")


def requests(refusals, agent, gateway):
    head = b"GET /web/x HTTP/1.1\r\nHost: load\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n"
    refusals.check("oversized header at the gateway", [r"^HTTP/1.1 431 "],
                   lambda: raw_exchange(gateway.ip, PORT, head).decode("latin-1"))
    head = head.replace(b"/web/x", b"/v1/catalog/nodes")
    refusals.check("oversized header at the API", [r"^HTTP/1.1 431 "],
                   lambda: raw_exchange(agent.ip, agent.http_port, head).decode("latin-1"))
    many = b"GET /web/x HTTP/1.1\r\nHost: load\r\n" + b"X-Many: a\r\n" * 1000 + b"\r\n"
    refusals.check("too many headers at the gateway", [r"^HTTP/1.1 431 "],
                   lambda: raw_exchange(gateway.ip, PORT, many).decode("latin-1"))
    big = json.dumps({"Node": "big", "Address": "127.0.0.1", "NodeMeta": {"a": "x" * (1 << 20)}})
    refusals.check("oversized body at Consul's endpoints", ["(?i)too large"],
                   lambda: refused(agent.client(), "PUT", "/v1/catalog/register", big, [413]))
    refusals.check("oversized body of documents", ["(?i)too large|body"],
                   lambda: raw_exchange(agent.ip, agent.http_port, b"POST /strait/v1/apply HTTP/1.1\r\nHost: a\r\n"
                                        b"Content-Length: 100000000\r\n\r\n").decode("latin-1"))
    deep = '{"Node": "deep", "Address": "127.0.0.1", "NodeMeta": ' + '{"a":' * 10_000 + "1" + "}" * 10_000 + "}"
    refusals.check("JSON too deep at Consul's endpoints", [r"\S"],
                   lambda: refused(agent.client(), "PUT", "/v1/catalog/register", deep, [400]))
    refusals.check("JSON too deep as a document", ["nested deeper than 64 levels"],
                   lambda: refused(agent.client(), "POST", "/strait/v1/apply", "[" * 10_000 + "]" * 10_000, [400],
                                   {"Content-Type": "application/json"}))
    refusals.check("malformed JSON", [r"\S"],
                   lambda: refused(agent.client(), "PUT", "/v1/catalog/register", '{"Node": ', [400]))


# --- stores ---


def fails_to_start(lab, name, ip, data_dir, words, title):
    agent = Agent(lab, name, ip, data_dir=data_dir).start()
    code = agent.wait_exit()
    text = agent.log_text()
    expect_equal(code, 1, f"{title}: exit code; it said: {text[-500:]}")
    for word in words:
        expect(re.search(word, text), f"{title}: expected {word!r} in: {text[-800:]}")
    return text.strip().splitlines()[-1]


def stores(lab, agent):
    """Damage to a stopped agent's store; a copy of the store as it was opens afterwards."""
    agent.register("kept", "127.0.0.1", 1)
    text = fails_to_start(lab, "locked", lab.ip(6), agent.data_dir,
                          ["locked by another process, pid " + str(agent.child.pid)], "store of a running agent")
    say(f"  store of a running agent: exit 1, …{text[-120:]}")
    kept = agent.client().ok("GET", "/v1/health/service/kept").json()
    agent.stop()
    store = agent.data_dir / "catalog" / "store"
    largest = max((it for it in (store / "rocksdb").iterdir() if it.is_file()), key=lambda it: it.stat().st_size)
    damages = {
        "truncated store": (largest, lambda data: data[:len(data) // 2],
                            ["damaged|commits were lost|commit .* expected"]),
        "store of format version 99": (store / "FORMAT", lambda data: b"strait-store 99\n",
                                       ["written in format version 99, this program reads version 1"]),
        "store without FORMAT": (store / "FORMAT", lambda data: None, ["FORMAT is missing"]),
        "truncated FLOOR": (store / "FLOOR", lambda data: data[:3], ["FLOOR does not match its checksum"]),
    }
    copy = lab.directory / "copy"
    shutil.copytree(agent.data_dir, copy)
    for number, (title, (path, change, words)) in enumerate(damages.items()):
        changed = change(path.read_bytes())
        path.unlink() if changed is None else path.write_bytes(changed)
        # Twice: the first refusal must not have made the damage look whole.
        for attempt in range(2):
            text = fails_to_start(lab, f"damaged-{number}-{attempt}", lab.ip(6), agent.data_dir,
                                  ["store " + str(agent.data_dir), *words], title)
        say(f"  {title}: exit 1, …{text[-120:]}")
        shutil.rmtree(agent.data_dir)
        shutil.copytree(copy, agent.data_dir)
    agent.start_ready()
    expect_equal(agent.client().ok("GET", "/v1/health/service/kept").json(), kept, "what a copy of the store holds")
    agent.stop()


def full_disk(lab):
    if os.geteuid() != 0 or not shutil.which("mount"):
        say("note: full disk not tried: it needs root for a small tmpfs")
        return
    mount = lab.directory / "small"
    mount.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={TMPFS_MIB}m", "tmpfs", mount], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        say(f"note: full disk not tried: {done.stderr.strip()}")
        return
    lab.closing.append(lambda: subprocess.run(["umount", mount], check=False))
    agent = Agent(lab, "full", lab.ip(7), data_dir=mount / "data").start_ready()
    agent.register("kept", "127.0.0.1", 1, meta={"number": "0"})
    ballast = mount / "ballast"
    free = os.statvfs(mount)
    with open(ballast, "wb") as file:
        file.write(b"\0" * max(0, free.f_bavail * free.f_frsize - 2 * 1024 * 1024))
    client, acknowledged, refusal = agent.client(), [], None
    for number in range(FILL_MAX):
        answer = client.request("PUT", "/v1/catalog/register", {
            "Node": f"filler-{number}", "Address": "127.0.0.1", "NodeMeta": filler(number)})
        if answer.status != 200:
            refusal = answer.text
            break
        acknowledged.append(number)
    expect(refusal, "a full disk refuses no write")
    expect(re.search("disk is full|No space", refusal), f"the refusal does not say that the disk is full: {refusal}")
    say(f"  full disk, after {len(acknowledged)} writes: {refusal[:170]}")
    agent.expect_alive()

    def all_there():
        agent.expect_alive()
        kept = agent.client().ok("GET", "/v1/health/service/kept").json()
        expect_equal(kept[0]["Service"]["Port"], 1, "what was kept")
        nodes = {it["Node"] for it in agent.client().ok("GET", "/v1/catalog/nodes").json()}
        wanted = {f"filler-{number}" for number in acknowledged}
        expect_equal({it for it in nodes if it.startswith("filler-")}, wanted, "acknowledged writes, and no others")
        return True
    all_there()
    again = agent.client().request("PUT", "/v1/catalog/register", {"Node": "one-more", "Address": "127.0.0.1",
                                                                   "NodeMeta": filler(0)})
    expect(again.status >= 400, f"a second write on a full disk is acknowledged: {again.status}")
    all_there()
    ballast.unlink()

    def takes_writes():
        agent.expect_alive()
        agent.register("kept", "127.0.0.1", 1, meta={"number": "1"})
        return True
    begin = time.monotonic()
    wait_until(takes_writes, 30, "writes are taken again once there is space", poll=0.1)
    say(f"  reads went on; writes were taken again {time.monotonic() - begin:.1f} s after space was freed")
    all_there()
    agent.stop()
    agent.start_ready()
    all_there()
    agent.stop()


def filler(number):
    """Metadata near the limits of a node, which does not compress."""
    return {f"k{key}": base64.b64encode(os.urandom(370)).decode() for key in range(60)} | {"number": str(number)}


def test(lab):
    backend = Backend(lab, "web", lab.ip(0), 9000).start()
    agent = Agent(lab, "dc1", lab.ip(1)).start_ready()
    other = Agent(lab, "dc2", lab.ip(2), datacenter="dc2").start_ready()
    agent.apply(harness.gateway_class("edge") + harness.gateway("edge", "edge")
                + harness.service("web", backend.ip, backend.port)
                + harness.http_route("web", "edge", "/web", ["{name: web, port: 80}"]))
    gateway = Gateway(lab, "edge", lab.ip(3), "default/edge", agent).start_ready()
    wait_until(lambda: served(gateway) == (200, "web /web/x"), 10, "the gateway serves")
    refusals = Refusals(agent, gateway)
    documents(refusals, agent)
    conditions(refusals, lab, agent, gateway.ip)
    requests(refusals, agent, gateway)
    peering(refusals, lab, agent, other)
    say(f"  {refusals.count} bad inputs, each with its text and nothing changed")
    other.stop()
    gateway.stop()
    stores(lab, agent)
    full_disk(lab)


if __name__ == "__main__":
    harness.run("bad_input", 25, test)
