"""Requests to a test cluster's API server without a process for each: one kept connection, as its administrator."""
import http.client
import json
import ssl

import lab
from harness import Failed

GATEWAY_API = "/apis/gateway.networking.k8s.io/v1"
REQUEST_LIMIT = 10.0


class ApiServer:
    """One thread at a time."""

    def __init__(self, cluster):
        pki = lab.STRAIT_LAB / f"cluster-{cluster.name}" / "pki"
        self.context = ssl.create_default_context(cafile=pki / "ca.crt")
        self.context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        self.host = f"10.{cluster.index}.0.1"
        self.connection = None

    def request(self, method, path, body=None, content_type="application/merge-patch+json"):
        """What it answers, as JSON. OSError, HTTPException: it may be away. Failed: it refused."""
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(self.host, 6443, context=self.context, timeout=REQUEST_LIMIT)
        try:
            self.connection.request(method, path, body and json.dumps(body),
                                    {"Content-Type": content_type, "Accept": "application/json"})
            answer = self.connection.getresponse()
            text = answer.read()
        except BaseException:
            self.connection.close()
            self.connection = None
            raise
        if answer.status in (429, 500, 503, 504):
            raise http.client.HTTPException(f"{method} {path}: {answer.status}")
        if answer.status // 100 != 2:
            raise Failed(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text)

    def patch(self, path, body):
        return self.request("PATCH", path, body)

    def routes(self, namespace="default"):
        return self.request("GET", f"{GATEWAY_API}/namespaces/{namespace}/httproutes")["items"]


def is_right(route, gateway):
    """Whether the Gateway accepts the route's newest version and finds its backends."""
    generation = route["metadata"]["generation"]
    for parent in route.get("status", {}).get("parents", []):
        if parent["parentRef"]["name"] == gateway:
            good = [it["type"] for it in parent["conditions"]
                    if it["status"] == "True" and it.get("observedGeneration") == generation]
            return "Accepted" in good and "ResolvedRefs" in good
    return False
