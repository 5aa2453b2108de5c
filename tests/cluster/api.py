"""The API server without kubectl: objects as dictionaries over one kept connection, for tests that make and look at
many of them. From inside the cluster's network (lab.Cluster.enter)."""
import http.client
import json
import ssl
import threading

import lab
from harness import Failed

WORD_LIMIT = 20.0  # Seconds that the server may take to answer.
MANAGER = "test"

GATEWAY, CONSUL = "gateway.networking.k8s.io/v1", "consul.hashicorp.com/v1alpha1"
LEGACY_CONSUL = "api-gateway.consul.hashicorp.com/v1alpha1"
# Kind: (version, plural, in a namespace)
KINDS = {
    "Namespace": ("v1", "namespaces", False), "Service": ("v1", "services", True), "Pod": ("v1", "pods", True),
    "Secret": ("v1", "secrets", True), "ConfigMap": ("v1", "configmaps", True),
    "Deployment": ("apps/v1", "deployments", True),
    "EndpointSlice": ("discovery.k8s.io/v1", "endpointslices", True),
    "GatewayClass": (GATEWAY, "gatewayclasses", False), "Gateway": (GATEWAY, "gateways", True),
    "HTTPRoute": (GATEWAY, "httproutes", True), "GRPCRoute": (GATEWAY, "grpcroutes", True),
    "TLSRoute": (GATEWAY, "tlsroutes", True), "TCPRoute": (GATEWAY, "tcproutes", True),
    "UDPRoute": (GATEWAY, "udproutes", True), "ListenerSet": (GATEWAY, "listenersets", True),
    "ReferenceGrant": (GATEWAY, "referencegrants", True), "BackendTLSPolicy": (GATEWAY, "backendtlspolicies", True),
    "GatewayClassConfig": (CONSUL, "gatewayclassconfigs", False), "MeshService": (CONSUL, "meshservices", True),
    "GatewayPolicy": (CONSUL, "gatewaypolicies", True), "RouteAuthFilter": (CONSUL, "routeauthfilters", True),
    "RouteRetryFilter": (CONSUL, "routeretryfilters", True),
    "RouteTimeoutFilter": (CONSUL, "routetimeoutfilters", True), "JWTProvider": (CONSUL, "jwtproviders", True),
}


class Refused(Failed):
    """The API server's own word."""


def make(kind, name, spec=None, ns=None, **more):
    """An object as it is sent; version, labels and annotations as keywords, and whatever its kind has beside spec."""
    version, _, namespaced = KINDS[kind]
    it = {"apiVersion": more.pop("version", version), "kind": kind, "metadata": {"name": name}}
    if namespaced:
        it["metadata"]["namespace"] = ns or "default"
    for key in ("labels", "annotations"):
        if key in more:
            it["metadata"][key] = more.pop(key)
    if spec is not None:
        it["spec"] = spec
    return {**it, **more}


def collection(kind, ns=None, version=None):
    default, plural, _ = KINDS[kind]
    version = version or default
    return f"/{'apis' if '/' in version else 'api'}/{version}{'/namespaces/' + ns if ns else ''}/{plural}"


def path_of(it):
    meta = it["metadata"]
    return f"{collection(it['kind'], meta.get('namespace'), it['apiVersion'])}/{meta['name']}"


class Api:
    """As the cluster's administrator. One thread at a time; watches are threads of their own."""

    def __init__(self, cluster):
        state = lab.STRAIT_LAB / f"cluster-{cluster.name}" / "pki"
        self.host = f"10.{cluster.index}.0.1"
        self.context = ssl.create_default_context(cafile=state / "ca.crt")
        self.context.load_cert_chain(state / "admin.crt", state / "admin.key")
        self.connection = None

    def _connect(self, timeout):
        return http.client.HTTPSConnection(self.host, 6443, timeout=timeout, context=self.context)

    def request(self, method, path, body=None, content_type="application/json", accept="application/json"):
        """The answer as JSON; Refused with the server's message. A connection that the server gave up is made anew."""
        data = None if body is None else json.dumps(body).encode()
        for attempt in (1, 2):
            try:
                if self.connection is None:
                    self.connection = self._connect(WORD_LIMIT)
                self.connection.request(method, path, data, {"Content-Type": content_type, "Accept": accept})
                answer = self.connection.getresponse()
                text = answer.read()
                break
            except (OSError, http.client.HTTPException):
                self.connection.close()
                self.connection = None
                if attempt == 2:
                    raise
        it = json.loads(text)
        if answer.status >= 300:
            error = Refused(f"{method} {path}: {answer.status}: {it.get('message', text[:300])}")
            error.status = answer.status
            raise error
        return it

    def apply(self, it):
        return self.request("PATCH", f"{path_of(it)}?fieldManager={MANAGER}&force=true&fieldValidation=Strict", it,
                            "application/apply-patch+yaml")

    def get(self, kind, name, ns="default"):
        """None if there is none."""
        try:
            return self.request("GET", f"{collection(kind, ns if KINDS[kind][2] else None)}/{name}")
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def list(self, kind, ns=None, selector=""):
        return self.request("GET", f"{collection(kind, ns)}?labelSelector={selector}")["items"]

    def versions(self, kind, ns=None):
        """{name: resourceVersion}: any write at all to an object shows."""
        found = self.request("GET", collection(kind, ns),
                             accept="application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")["items"]
        return {it["metadata"]["name"]: it["metadata"]["resourceVersion"] for it in found}

    def delete(self, it):
        """Its being gone already is fine."""
        try:
            self.request("DELETE", path_of(it), {"propagationPolicy": "Background"})
        except Refused as error:
            if error.status != 404:
                raise

    def watch(self, kind, ns, name, told):
        """told(object) for every version of one object from now on, in a thread, until the process ends."""
        def run():
            connection = self._connect(None)
            connection.request("GET", f"{collection(kind, ns)}?watch=true&fieldSelector=metadata.name%3D{name}")
            for line in connection.getresponse():
                told(json.loads(line)["object"])
        threading.Thread(target=run, daemon=True).start()
