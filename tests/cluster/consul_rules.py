#!/usr/bin/env python3
"""Consul's rules on a cluster: the rows B2 to B14 of the specification, one function each, under the class controller
hashicorp.com/consul-api-gateway-controller. Ends with a table."""
import collections
import contextlib
import json
import pathlib
import re
import socket
import ssl
import subprocess
import tempfile

import broken_objects
import harness
import isolation
import lab
from api import Api, LEGACY_CONSUL, make
from broken_objects import backend, extension, grant, https, listener, rule, secret
from harness import Client, Failed, expect, expect_equal, say, wait_until

CONTROLLER = "hashicorp.com/consul-api-gateway-controller"
FINALIZER = "gateway-exists-finalizer.gateway.networking.k8s.io"
LIMIT = 30.0
PORTS = {"a": 18081, "b": 18082}
SHARE_REQUESTS, SHARE, SHARE_OFF = 600, 0.75, 0.05
MESH = {"group": "consul.hashicorp.com", "kind": "MeshService"}
RATE = 200


class World:
    """What the rows share: a Gateway "edge" of Consul's class, backends in the cluster's network, an echo in a pod."""

    def __init__(self, cluster, machines, pems):
        self.cluster, self.machines, self.pems, self.api = cluster, machines, pems, Api(cluster)
        self.node = f"10.{cluster.index}.0.1"
        self.address, self.settings = "", {**VALUES}

    def apply(self, *objects):
        for it in objects:
            self.api.apply(it)

    @contextlib.contextmanager
    def having(self, *objects):
        """For as long as it lasts."""
        try:
            self.apply(*objects)
            yield
        finally:
            for it in reversed(objects):
                self.api.delete(it)

    def get(self, path, host="", port=80, address=None, headers=None):
        return Client(address or self.address, port).get(path, {"Host": host or "edge", **(headers or {})})

    def until(self, status, path, body=None, **more):
        """The answer, once it is this one."""
        def right():
            answer = self.get(path, **more)
            return answer if answer.status == status and body in (None, answer.text) else None
        return wait_until(right, LIMIT, f"{path} answers {status} {body or ''}", 0.05)

    def condition(self, kind, name, part, type, ns="default"):
        """(status, reason, message), of the last generation."""
        it = self.api.get(kind, name, ns) or {}
        for holder in isolation.parts(it.get("status", {}), part):
            for one in holder.get("conditions", []):
                if one["type"] == type and one["observedGeneration"] == it["metadata"]["generation"]:
                    return one["status"], one["reason"], one["message"]
        return None

    def until_says(self, kind, name, part, type, status, reason, ns="default"):
        def right():
            found = self.condition(kind, name, part, type, ns)
            if found and found[:2] == (status, reason):
                return found[2] or "(nothing more)"
            raise Failed(f"{found}")
        return wait_until(right, LIMIT, f"{kind} {name} {part} {type}={status} {reason}", 0.05)

    def attached(self, section, name="edge"):
        listeners = self.api.get("Gateway", name)["status"]["listeners"]
        return next(it["attachedRoutes"] for it in listeners if it["name"] == section)

    def upgrade(self, **values):
        """By Helm, to these values beside those of before; returns once the new controller is ready."""
        self.settings |= values
        self.cluster.helm("upgrade", lab.RELEASE, lab.ROOT / "deploy" / "helm" / "strait", "--namespace", lab.NAMESPACE,
                          "--wait", "--timeout", f"{lab.READY_LIMIT:g}s", *self.cluster.values(self.settings))

    def pods(self, gateway):
        return [it for it in self.api.list("Pod", "default", f"gateway.networking.k8s.io/gateway-name={gateway}")
                if not it["metadata"].get("deletionTimestamp")]

    def controllers(self):
        return [it for it in self.api.list("Pod", lab.NAMESPACE, "app.kubernetes.io/name=strait")
                if not it["metadata"].get("deletionTimestamp")]


def consul_class(name, config, version=None):
    group = (version or "consul.hashicorp.com/v1alpha1").split("/")[0]
    return make("GatewayClass", name, {"controllerName": CONTROLLER, "parametersRef": {
        "group": group, "kind": "GatewayClassConfig", "name": config}})


def route(name, *rules, section="http", kind="HTTPRoute", gateway="edge", **spec):
    return make(kind, name, {"parentRefs": [{"name": gateway, "sectionName": section}], "rules": list(rules), **spec})


def to(path, *backends, **more):
    return rule(*backends, matches=[{"path": {"type": "PathPrefix", "value": path}}], **more)


def service(name, address, port, ns="default"):
    return [make("Service", name, {"ports": [{"name": "http", "port": 80}]}, ns),
            make("EndpointSlice", f"{name}-1", ns=ns, labels={"kubernetes.io/service-name": name}, addressType="IPv4",
                 endpoints=[{"addresses": [address]}], ports=[{"name": "http", "port": port}])]


def options(**values):
    return {f"api-gateway.consul.hashicorp.com/{key}": value for key, value in values.items()}


def handshake(address, port, name, version, ciphers=None):
    """(version, cipher), or None if the server refuses."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
    try:
        with socket.create_connection((address, port), timeout=LIMIT) as plain, \
                context.wrap_socket(plain, server_hostname=name) as secured:
            return secured.version(), secured.cipher()[0]
    except ssl.SSLError:
        return None


def prepare(world):
    for name, port in PORTS.items():
        harness.Backend(world.machines, name, world.node, port).start()
        world.apply(*service(name, world.node, port))
    world.apply(make("Namespace", "apart"), *service("a", world.node, PORTS["a"], "apart"),
                secret("good", world.pems["good.crt"], world.pems["good.key"], ns="default"),
                secret("good", world.pems["good.crt"], world.pems["good.key"], ns="apart"))
    world.cluster.apply(lab.echo("echo"))
    tls = options(tls_min_version="TLSv1_2", tls_max_version="TLSv1_2",
                  tls_cipher_suites="TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
    listeners = [
        listener("http", 80), listener("named", 80, hostname="named.example"),
        listener("wild", 80, hostname="*.wild.example"), https("good", name="https", port=443),
        https("good", name="old", port=8443, options=tls),
        https("good", name="new", port=9443, options=options(tls_min_version="TLSv1_3")), listener("tcp", 9000, "TCP"),
        listener("mesh", 9001, "TCP")]
    world.apply(make("Gateway", "edge", {"gatewayClassName": "consul", "listeners": listeners}),
                route("ground", to("/", backend("a")), section="http"))
    world.address = world.cluster.gateway_address("edge")
    world.until(200, "/x", "a /x")


# --- the rows ---


def b2_readiness_at_20000_and_metrics_only_where_asked(world):
    pod = world.pods("edge")[0]["status"]["podIP"]
    expect_equal(world.get("/ready", address=pod, port=20000).status, 200, "GET /ready at port 20000")
    expect_equal(world.get("/other", address=pod, port=20000).status, 404, "another path at port 20000")
    expect(harness.refuses(pod, 20200), "the gateway's metrics port 20200 is open though nobody asked")
    controller = world.controllers()[0]
    ports = {it["name"]: it["containerPort"] for it in controller["spec"]["containers"][0]["ports"]}
    expect("metrics" not in ports, f"the controller has a metrics port: {ports}")
    expect(harness.refuses(controller["status"]["podIP"], 9464), "the controller's metrics port is open")
    return "/ready 200 at 20000 of the pod, else 404; no metrics port; with metrics.port one that answers (see B14)"


def addressed(world, service_type):
    """Where a Gateway of that Service type is, by its status; it answers there."""
    name = f"by-{(service_type or 'none').lower()}"
    config = {"serviceType": service_type} if service_type else {}
    with world.having(make("GatewayClassConfig", name, config), consul_class(name, name),
                      route(name, to("/", backend("a")), gateway=name),
                      make("Gateway", name, {"gatewayClassName": name, "listeners": [listener("http", 8080)]})):
        address = world.cluster.gateway_address(name)
        world.until_says("Gateway", name, "", "Programmed", "True", "Programmed")
        service, port = world.cluster.get("service", name), 8080
        pod = world.pods(name)[0]["status"]
        if service_type:
            expect_equal(service["spec"]["type"], service_type, "type of the Service")
        if service_type == "NodePort":
            port = service["spec"]["ports"][0]["nodePort"]
        whose = {"ClusterIP": lambda: service["spec"]["clusterIP"], "NodePort": lambda: pod["hostIP"],
                 None: lambda: pod["podIP"]}[service_type]()
        expect_equal(address, whose, f"address of a Gateway of Service type {service_type}")
        if not service_type:
            expect(service is None, "a Service where no type is given")
        world.until(200, "/x", "a /x", address=address, port=port)
    return f"{service_type or 'no Service'}: {address}:{port}"


def b3_privileged_ports_are_moved_and_openshift_has_its_role(world):
    config = {"serviceType": "LoadBalancer", "mapPrivilegedContainerPorts": 2000}
    mapped = make("Gateway", "mapped", {
        "gatewayClassName": "mapped", "listeners": [listener("http", 80), listener("clash", 2080)]})
    with world.having(make("GatewayClassConfig", "mapped", config), consul_class("mapped", "mapped"),
                      route("mapped", to("/", backend("a")), gateway="mapped"), mapped):
        world.until_says("Gateway", "mapped", "listeners/clash", "Accepted", "False", "PortUnavailable")
        mapped["spec"]["listeners"].pop()
        world.apply(mapped)
        address = world.cluster.gateway_address("mapped")
        world.until(200, "/x", "a /x", address=address)
        pod = world.pods("mapped")[0]
        ip = pod["status"]["podIP"]
        expect_equal(world.get("/x", address=ip, port=2080).text, "a /x", "the container at port 2080")
        expect(harness.refuses(ip, 80), "the container has port 80 open")
        spec = pod["spec"]
        expect(not spec["securityContext"].get("sysctls"), f"a privileged port is prepared: {spec['securityContext']}")
        expect_equal(spec["containers"][0]["securityContext"]["capabilities"], {"drop": ["ALL"]}, "capabilities")
        service = world.api.get("Service", "mapped")["spec"]["ports"]
        expect_equal([(it["port"], it["targetPort"]) for it in service], [(80, 2080)], "ports of the Service")
    addresses = [addressed(world, it) for it in ("ClusterIP", "NodePort", None)]
    world.upgrade(**{"global.openshift.enabled": True})
    config = world.api.get("GatewayClassConfig", "strait")["spec"]
    expect_equal(config["openshiftSCCName"], "restricted-v2", "the constraint of the managed class")
    role = wait_until(lambda: world.cluster.get("role", "edge"), LIMIT, "the Gateway's Role is there", 0.2)
    expect_equal(role["rules"], [{"apiGroups": ["security.openshift.io"], "resourceNames": ["restricted-v2"],
                                  "resources": ["securitycontextconstraints"], "verbs": ["use"]}], "rules of the Role")
    binding = wait_until(lambda: world.cluster.get("rolebinding", "edge"), LIMIT, "its RoleBinding is there", 0.2)
    expect_equal((binding["roleRef"]["name"], binding["subjects"][0]["name"]), ("edge", "edge"), "the RoleBinding")
    return ("80 answers at the Service, 2080 in the container, 80 there refuses; 2080 as well: PortUnavailable; "
            f"Role for restricted-v2; {', '.join(addresses)}")


def b4_class_and_parameters_of_both_groups(world):
    seen = []
    for version in (None, LEGACY_CONSUL):
        more = {"version": version} if version else {}
        config = make("GatewayClassConfig", "odd", {"serviceType": "ClusterIP"}, **more)
        with world.having(config, consul_class("odd", "odd", version)):
            world.until_says("GatewayClass", "odd", "", "Accepted", "True", "Accepted", None)
            seen.append(config["apiVersion"].split("/")[0])
    with world.having(consul_class("odd", "nothing")):
        seen.append(world.until_says("GatewayClass", "odd", "", "Accepted", "False", "InvalidParameters", None))
    with world.having(make("GatewayClass", "others", {"controllerName": "example.com/other"}),
                      consul_class("own", "strait")):
        world.until_says("GatewayClass", "own", "", "Accepted", "True", "Accepted", None)
        others = world.api.get("GatewayClass", "others", None).get("status", {}).get("conditions", [])
        expect_equal([it["reason"] for it in others], ["Pending"], "conditions of another controller's class")
    finalizers = world.api.get("GatewayClass", "consul", None)["metadata"].get("finalizers", [])
    expect_equal(finalizers, [FINALIZER], "finalizers of a class in use")
    finalizers = world.api.get("GatewayClass", "strait", None)["metadata"].get("finalizers", [])
    expect_equal(finalizers, [], "finalizers of a class that is not in use")
    return f"accepted with {' and '.join(seen[:2])}; missing: {seen[2]}; finalizer while in use"


def b5_listeners_hostnames_header_filters_and_tls(world):
    def change(**headers):
        return {"type": "RequestHeaderModifier", "requestHeaderModifier": headers}

    filtered = to("/filtered", backend("echo"), filters=[change(
        add=[{"name": "x-added", "value": "two"}], set=[{"name": "x-set", "value": "new"}], remove=["x-removed"])])
    with world.having(route("named", to("/", backend("b")), section="named"),
                      route("wild", to("/", backend("b")), section="wild"),
                      route("secured", to("/", backend("b")), section="https"),
                      route("old", to("/", backend("a")), section="old"),
                      route("new", to("/", backend("a")), section="new"),
                      route("filtered", filtered), route("raw", {"backendRefs": [backend("b")]}, section="tcp",
                                                         kind="TCPRoute")):
        world.until(200, "/x", "b /x", host="named.example")
        world.until(200, "/x", "b /x", host="any.deep.wild.example")
        world.until(200, "/x", "a /x", host="wild.example")
        sent = {"x-added": "one", "x-set": "old", "x-removed": "gone"}

        def changed():
            got = {key.lower(): value for key, value in
                   world.get("/filtered", headers=sent).json()["headers"].items()}
            values = [piece.strip() for it in got["x-added"] for piece in it.split(",")]
            return values == ["one", "two"] and got["x-set"] == ["new"] and "x-removed" not in got
        wait_until(changed, LIMIT, "headers are added, set and removed", 0.1)
        wait_until(lambda: handshake(world.address, 443, "good.example", ssl.TLSVersion.TLSv1_3), LIMIT, "TLS 1.3")
        one_2, one_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
        expect(handshake(world.address, 443, "x", one_2), "TLS 1.2 without limits")
        expect_equal(handshake(world.address, 8443, "x", one_2), ("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"),
                     "the one suite")
        expect_equal(handshake(world.address, 8443, "x", one_2, "ECDHE-ECDSA-AES128-GCM-SHA256"), None, "another suite")
        expect_equal(handshake(world.address, 8443, "x", one_3), None, "TLS 1.3 above the maximum")
        expect_equal(handshake(world.address, 9443, "x", one_2), None, "TLS 1.2 below the minimum")
        expect(handshake(world.address, 9443, "x", one_3), "TLS 1.3 with that minimum")
        context = ssl.create_default_context(cadata=world.pems["ca.crt"])
        with socket.create_connection((world.address, 443), timeout=LIMIT) as plain, \
                context.wrap_socket(plain, server_hostname="good.example") as secured:
            secured.sendall(b"GET /tls HTTP/1.1\r\nHost: good.example\r\nConnection: close\r\n\r\n")
            expect(secured.recv(65536).startswith(b"HTTP/1.1 200"), "HTTPS answers 200 with the Secret's certificate")
        wait_until(lambda: world.get("/raw", port=9000).text == "b /raw", LIMIT, "TCP is passed on")
    return "HTTP, HTTPS, TCP; exact and wildcard hosts; add, set, remove; versions and suites as the options say"


def b6_weights_and_matches(world):
    def match(**values):
        return {"matches": [values], "backendRefs": [backend("b")]}

    exact = {"type": "Exact", "value": "/m/exact"}
    rules = [match(path=exact), match(path={"type": "RegularExpression", "value": "/m/[0-9]+"}),
             match(path={"value": "/m"}, headers=[{"name": "x-want", "value": "b"}]),
             match(path={"value": "/m"}, headers=[{"name": "x-want", "type": "RegularExpression", "value": "c+"}]),
             match(path={"value": "/m"}, queryParams=[{"name": "want", "value": "b"}]),
             match(path={"value": "/m"}, method="POST")]
    shared = to("/shared", backend("a", weight=int(SHARE * 100)), backend("b", weight=100 - int(SHARE * 100)),
                backend("echo", weight=0))
    with world.having(route("matches", *rules), route("weights", shared)):
        world.until(200, "/m/exact", "b /m/exact")
        for path, headers, method, answers in (
                ("/m/exact/no", {}, "GET", "a"), ("/m/17", {}, "GET", "b"), ("/m/x", {}, "GET", "a"),
                ("/m/x", {"x-want": "b"}, "GET", "b"), ("/m/x", {"X-Want": "ccc"}, "GET", "b"),
                ("/m/x", {"x-want": "d"}, "GET", "a"), ("/m/x?want=b", {}, "GET", "b"), ("/m/x?want=c", {}, "GET", "a"),
                ("/m/x", {}, "POST", "b"), ("/mx", {"x-want": "b"}, "GET", "a")):
            got = Client(world.address, 80).request(method, path, headers={"Host": "edge", **headers})
            expect_equal((got.status, got.text), (200, f"{answers} {path}"), f"{method} {path} with {headers}")
        wait_until(lambda: "b" in {world.get("/shared").text.split()[0] for _ in range(20)}, LIMIT,
                   "weights are served")
        client = Client(world.address, 80)
        counts = collections.Counter(client.get("/shared").text.split()[0] for _ in range(SHARE_REQUESTS))
        share = counts["a"] / SHARE_REQUESTS
        expect(counts.keys() == {"a", "b"} and abs(share - SHARE) < SHARE_OFF, f"shares: {counts}")
    return f"path, header, query, method; of weight {SHARE:.2f} came {share:.3f} of {SHARE_REQUESTS}, of weight 0 none"


def register(world, name, port):
    """A service in the catalog that Kubernetes knows nothing of."""
    body = json.dumps({"Node": "outside", "Address": world.node, "Service": {
        "ID": name, "Service": name, "Address": world.node, "Port": port}})
    with forwarded(world) as client:
        client.ok("PUT", "/v1/catalog/register", body)


@contextlib.contextmanager
def forwarded(world):
    """The controller's HTTP API, which only its pod's own loopback has."""
    pod = world.controllers()[0]["metadata"]["name"]
    kubeconfig = lab.STRAIT_LAB / f"cluster-{world.cluster.name}" / "admin.kubeconfig"
    process = subprocess.Popen([lab.STRAIT_LAB / "bin" / "kubectl", f"--kubeconfig={kubeconfig}", "port-forward",
                                "-n", lab.NAMESPACE, pod, ":8500"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(re.search(r":(\d+) ->", process.stdout.readline()).group(1))
        yield Client("127.0.0.1", port)
    finally:
        process.terminate()
        process.wait()


def b7_tcp_routes_to_services_and_mesh_services(world):
    register(world, "outside", PORTS["b"])
    raw = {"backendRefs": [backend("a")]}
    mesh = {"backendRefs": [{**MESH, "name": "outside"}]}
    with world.having(make("MeshService", "outside", {}), route("raw", raw, section="tcp", kind="TCPRoute"),
                      route("mesh", mesh, section="mesh", kind="TCPRoute")):
        wait_until(lambda: world.get("/t", port=9000).text == "a /t", LIMIT, "to a Service")
        wait_until(lambda: world.get("/t", port=9001).text == "b /t", LIMIT, "to a MeshService")
        for name in ("raw", "mesh"):
            world.until_says("TCPRoute", name, "parents", "Accepted", "True", "Accepted")
    return "to a Service, and to a MeshService whose service was registered by the HTTP API"


def b8_mesh_services_name_what_peers_have(world):
    register(world, "outside", PORTS["b"])
    with world.having(make("MeshService", "local", {"name": "outside"}), make("MeshService", "far", {
            "name": "outside", "peer": "mars"}), route("local", to("/local", {**MESH, "name": "local"})),
            route("far", to("/far", {**MESH, "name": "far"}))):
        world.until(200, "/local/x", "b /local/x")
        said = world.until_says("HTTPRoute", "far", "parents", "ResolvedRefs", "False", "BackendNotFound")
        world.until_says("HTTPRoute", "far", "parents", "Accepted", "False", "BackendNotFound")
        expect("mars" in said, f"the condition does not name the peer: {said}")
        world.until(200, "/far/x", "a /far/x")  # What the next best route answers: this one is not there.
    return f"without a peer: this datacenter's catalog; of a peer that is not there: {said}"


def b9_grants_let_gateways_to_secrets_and_routes_to_services(world):
    guarded = make("Gateway", "guarded", {"gatewayClassName": "idle", "listeners": [
        https({"name": "good", "namespace": "apart"}, name="https", port=443)]})
    with world.having(grant("secrets", "Gateway", "Secret", "apart", "default"),
                      grant("services", "HTTPRoute", "Service", "apart", "default"), guarded,
                      route("across", to("/across", backend("a", namespace="apart")))):
        world.until(200, "/across/x", "a /across/x")
        world.until_says("Gateway", "guarded", "listeners/https", "ResolvedRefs", "True", "ResolvedRefs")
        world.until_says("HTTPRoute", "across", "parents", "ResolvedRefs", "True", "ResolvedRefs")
    return "with a grant in the target's namespace both are resolved, and the route serves"


def b10_without_a_grant_for_a_certificate_no_gateway_is_ready(world):
    guarded = make("Gateway", "guarded", {"gatewayClassName": "consul", "listeners": [
        listener("http", 80), https({"name": "good", "namespace": "apart"}, name="https", port=443)]})
    with world.having(guarded, route("guarded", to("/", backend("a")), gateway="guarded")):
        said = world.until_says("Gateway", "guarded", "listeners/https", "ResolvedRefs", "False",
                                "InvalidCertificateRef")
        expect("apart" in said and "good" in said, f"the condition does not name the Secret: {said}")
        world.until_says("Gateway", "guarded", "", "Ready", "False", "ListenersNotValid")
        programmed = world.condition("Gateway", "guarded", "", "Programmed")
        expect_equal(programmed[0], "False", f"Programmed {programmed}")
        world.until_says("Gateway", "guarded", "listeners/http", "Programmed", "False", "Pending")
        pods = world.pods("guarded")
        expect(all(lab.conditions(it["status"]).get("Ready") != "True" for it in pods), "a pod is ready")
        with world.having(grant("secrets", "Gateway", "Secret", "apart", "default")):
            world.until_says("Gateway", "guarded", "listeners/https", "ResolvedRefs", "True", "ResolvedRefs")
            address = world.cluster.gateway_address("guarded")
            world.until_says("Gateway", "guarded", "", "Ready", "True", "Ready")
            world.until(200, "/x", "a /x", address=address)
    return f"{said}; Ready=False ListenersNotValid, no listener of it serves; with the grant all do"


def b11_without_a_grant_for_a_backend_the_listener_rejects_the_route(world):
    before = world.attached("http")
    with world.having(route("across", to("/across", backend("a", namespace="apart")), to("/also", backend("b")))):
        said = world.until_says("HTTPRoute", "across", "parents", "ResolvedRefs", "False", "RefNotPermitted")
        world.until_says("HTTPRoute", "across", "parents", "Accepted", "False", "RefNotPermitted")
        world.until(200, "/also/x", "a /also/x")  # The whole route is not there, its good rule neither.
        expect_equal(world.attached("http"), before, "attached routes")
    return f"Accepted=False and ResolvedRefs=False RefNotPermitted: {said}"


def b12_routes_leave_and_come_back_without_a_restart(world):
    def runs():
        pods = world.controllers() + world.pods("edge")
        return {(it["metadata"]["uid"], sum(one["restartCount"] for one in it["status"]["containerStatuses"]))
                for it in pods}

    steady = route("steady", to("/steady", backend("b")))
    across = route("across", to("/across", backend("a", namespace="apart")), to("/also", backend("b")))
    allowed = grant("services", "HTTPRoute", "Service", "apart", "default")
    before, alone, turns = runs(), world.attached("http"), 5
    with world.having(steady, allowed, across):
        world.until(200, "/also/x", "b /also/x")
        world.until(200, "/steady/x", "b /steady/x")
        count = alone + 2
        wait_until(lambda: world.attached("http") == count, LIMIT, "the listener counts both")
        load = harness.Load(world.machines, "steady", world.address, 80, RATE,
                            [{"path": "/steady", "bodies": ["b"]}]).start()
        for _ in range(turns):
            world.api.delete(allowed)
            world.until(200, "/also/x", "a /also/x")
            world.until(200, "/across/x", "a /across/x")
            world.until_says("HTTPRoute", "across", "parents", "Accepted", "False", "RefNotPermitted")
            wait_until(lambda: world.attached("http") == count - 1, LIMIT, "the listener counts it no more")
            world.apply(allowed)
            world.until(200, "/also/x", "b /also/x")
            world.until_says("HTTPRoute", "across", "parents", "Accepted", "True", "Accepted")
            wait_until(lambda: world.attached("http") == count, LIMIT, "the listener counts it again")
        # A reference that is not permitted is added to a route that was in order, and taken away again.
        changed = json.loads(json.dumps(steady | {"metadata": {**steady["metadata"], "name": "changing"}}))
        changed["spec"]["rules"][0]["matches"][0]["path"]["value"] = "/changing"
        with world.having(changed):
            world.until(200, "/changing/x", "b /changing/x")
            changed["spec"]["rules"][0]["backendRefs"].append(backend("kube-dns", 53, namespace="kube-system"))
            world.apply(changed)
            world.until(200, "/changing/x", "a /changing/x")
            world.until_says("HTTPRoute", "changing", "parents", "ResolvedRefs", "False", "RefNotPermitted")
            changed["spec"]["rules"][0]["backendRefs"].pop()
            world.apply(changed)
            world.until(200, "/changing/x", "b /changing/x")
        report = load.finish_clean()
    expect_equal(runs(), before, "pods and their restarts")
    return f"left and came back {turns + 1} times beside {report['answered']} right answers; no pod started anew"


def b13_every_condition_has_its_reason_and_generation(world):
    wanted = {
        "GatewayClass consul ": {"Accepted", "SupportedVersion"},
        "Gateway edge ": {"Accepted", "Programmed", "ResolvedRefs", "Ready"},
        "Gateway edge listeners/http": {"Accepted", "Conflicted", "Programmed", "ResolvedRefs"},
        "Gateway edge listeners/https": {"Accepted", "Conflicted", "Programmed", "ResolvedRefs"},
        "HTTPRoute ground parents": {"Accepted", "ResolvedRefs"}}
    for key, types in wanted.items():
        kind, name, part = key.split(" ")
        it = world.api.get(kind, name)
        for holder in isolation.parts(it["status"], part):
            got = {one["type"] for one in holder["conditions"]}
            expect(types <= got, f"{key}: expected {types}, got {got}")
            old = [one["type"] for one in holder["conditions"]
                   if one["observedGeneration"] != it["metadata"]["generation"]]
            expect(not old, f"{key}: of an older generation: {old}")
    # A change of the spec is observed, though nothing else comes of it.
    ground = route("ground", to("/", backend("a")), to("/ground", backend("a")))
    world.apply(ground)
    generation = world.api.get("HTTPRoute", "ground")["metadata"]["generation"]
    expect(generation > 1, "the route's generation does not grow")
    world.until_says("HTTPRoute", "ground", "parents", "Accepted", "True", "Accepted")
    # Every reason that Consul's gateway gives, as the table of broken objects has it, under Consul's class.
    rows = broken_objects.table(world.pems, world.node)
    for it in broken_objects.ground(world.pems, world.node):
        if it["kind"] == "GatewayClass":
            it["spec"]["controllerName"] = CONTROLLER
        world.apply(it)
    seen = {}
    for row in rows:
        says = [it for it in row.says if (it.kind, it.type, it.reason) in REASONS and it.reason not in seen]
        if not says or row.name in NOT_HERE:
            continue
        try:
            isolation.come(world.api, broken_objects.Row(row.name, row.wrong, row.objects, says))
            seen.update((it.reason, row.name) for it in says)
        finally:
            isolation.go(world.api, row)
    missing = {reason for _, _, reason in REASONS} - seen.keys()
    expect(not missing, f"reasons that were not seen: {missing}")
    return f"{len(wanted)} kinds of holders in order, and {len(seen)} reasons: {', '.join(sorted(seen))}"


# (kind, type, reason) that Consul's gateway gives, beside those of B4 and B8 to B12.
REASONS = {
    ("Gateway", "Accepted", "ListenersNotValid"), ("Gateway", "Accepted", "UnsupportedAddress"),
    ("Gateway", "Accepted", "PortUnavailable"), ("Gateway", "Accepted", "UnsupportedProtocol"),
    ("Gateway", "Accepted", "UnsupportedValue"), ("Gateway", "Conflicted", "ProtocolConflict"),
    ("ListenerSet", "Conflicted", "HostnameConflict"), ("Gateway", "ResolvedRefs", "InvalidCertificateRef"),
    ("Gateway", "ResolvedRefs", "InvalidRouteKinds"), ("HTTPRoute", "Accepted", "NotAllowedByListeners"),
    ("HTTPRoute", "Accepted", "NoMatchingListenerHostname"), ("HTTPRoute", "Accepted", "NoMatchingParent"),
    ("HTTPRoute", "Accepted", "FilterNotFound"), ("HTTPRoute", "Accepted", "JWTProviderNotFound"),
    ("HTTPRoute", "Accepted", "UnsupportedValue"), ("HTTPRoute", "ResolvedRefs", "InvalidKind"),
    ("HTTPRoute", "ResolvedRefs", "BackendNotFound"), ("HTTPRoute", "ResolvedRefs", "RefNotPermitted"),
    ("GatewayPolicy", "Accepted", "ReferencesNotValid"), ("GatewayPolicy", "ResolvedRefs", "MissingListenerReference"),
    ("GatewayPolicy", "ResolvedRefs", "MissingJWTProviderReference")}
NOT_HERE = {"listener-port-moved-onto-another"}  # B3 has shown it.


def b14_no_resources_unless_asked(world):
    for pod in world.controllers() + world.pods("edge"):
        for container in pod["spec"]["containers"]:
            expect(not container.get("resources"), f"{pod['metadata']['name']}: {container['resources']}")
    asked = {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "512Mi"}}
    config = {"serviceType": "ClusterIP", "deployment": {"resources": asked}}
    with world.having(make("GatewayClassConfig", "sized", config), consul_class("sized", "sized"),
                      make("Gateway", "sized", {"gatewayClassName": "sized", "listeners": [listener("http", 80)]})):
        pods = wait_until(lambda: world.pods("sized"), LIMIT, "the Gateway's pod is there", 0.1)
        expect_equal(pods[0]["spec"]["containers"][0]["resources"], asked, "resources that a class asks for")
    before = {it["metadata"]["uid"] for it in world.controllers()}
    world.upgrade(**{"metrics.port": 9464, "controller.resources.requests.cpu": "10m"})
    pod = wait_until(lambda: [it for it in world.controllers() if it["metadata"]["uid"] not in before], LIMIT,
                     "another controller runs")[0]
    expect_equal(pod["spec"]["containers"][0]["resources"], {"requests": {"cpu": "10m"}}, "resources of the controller")
    answer = wait_until(lambda: world.get("/metrics", address=pod["status"]["podIP"], port=9464), LIMIT, "metrics", 0.2)
    expect(answer.status == 200 and "# TYPE" in answer.text, f"metrics: {answer.status} {answer.text[:200]}")
    return "none on controller and gateway; with deployment.resources and controller.resources those, and no others"


ROWS = [b4_class_and_parameters_of_both_groups, b5_listeners_hostnames_header_filters_and_tls, b6_weights_and_matches,
        b7_tcp_routes_to_services_and_mesh_services, b8_mesh_services_name_what_peers_have,
        b9_grants_let_gateways_to_secrets_and_routes_to_services,
        b10_without_a_grant_for_a_certificate_no_gateway_is_ready,
        b11_without_a_grant_for_a_backend_the_listener_rejects_the_route,
        b12_routes_leave_and_come_back_without_a_restart, b13_every_condition_has_its_reason_and_generation,
        b3_privileged_ports_are_moved_and_openshift_has_its_role, b2_readiness_at_20000_and_metrics_only_where_asked,
        b14_no_resources_unless_asked]
VALUES = {"gatewayClasses.consul.create": True}


def test(cluster, options):
    cluster.up()
    cluster.images(options.programs)
    cluster.install(**VALUES)
    cluster.enter()
    with tempfile.TemporaryDirectory(prefix="strait-consul-rules-") as directory:
        pems = broken_objects.certificates(directory)
        machines = harness.Lab("consul-rules", 0)
        machines.directory = pathlib.Path(directory)
        try:
            run_rows(World(cluster, machines, pems), options.only)
        finally:
            for process in reversed(machines.processes):
                process.end()


def run_rows(world, only):
    idle = {"serviceType": "ClusterIP", "nodeSelector": {"nowhere": "true"}}
    world.apply(make("GatewayClassConfig", "idle", idle), consul_class("idle", "idle"))
    prepare(world)
    table, failed = [], []
    for row in ROWS:
        name, _, sentence = row.__name__.partition("_")
        if only and name not in only.split(","):
            continue
        try:
            seen = row(world)
        except Failed as error:
            seen = f"FAILED: {error}"
            failed.append(name.upper())
        say(f"  {name.upper():4} {sentence.replace('_', ' ')}: {seen}")
        table.append((name.upper(), "failed" if seen.startswith("FAILED") else "holds", sentence.replace("_", " ")))
    say("")
    for name, state, sentence in sorted(table, key=lambda it: int(it[0][1:])):
        say(f"  {name:4} {state:7} {sentence}")
    expect(not failed, f"rows that do not hold: {', '.join(failed)}")


def arguments(parser):
    parser.add_argument("--only", help="only these rows: b5,b12")
    parser.add_argument("--programs", help="the directory of strait and strait-gateway, if not build/release/cmd")


if __name__ == "__main__":
    lab.run("consul_rules", [130], test, arguments)
