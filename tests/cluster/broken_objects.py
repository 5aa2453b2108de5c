"""The table of isolation.py: kinds of broken objects, what is wrong with each, and what must be said about it where
the one who wrote it looks: a condition of the object or of what refers to it, or the API server's refusal.

All of them stand in the namespace "broken". "scratch" is a Gateway there that they may attach to; "edge" is the one in
"default" that serves the routes which must not notice. Gateways of the class "idle" have pods that no node takes:
what is said of them costs no pod.
"""
import base64
import dataclasses
import pathlib
import subprocess

from api import CONSUL, GATEWAY, make

NS = "broken"
GROUP = "gateway.networking.k8s.io"


@dataclasses.dataclass
class Says:
    """A condition. part: "" of the object itself, "parents" and "ancestors" of any of them, or "listeners/NAME"."""
    kind: str
    name: str
    part: str
    type: str
    status: str
    reason: str
    words: tuple = ()  # All of which stand in the message.

    def text(self):
        return f"{self.kind} {self.name} {self.part and self.part + ' '}{self.type}={self.status} {self.reason}"


@dataclasses.dataclass
class Row:
    name: str
    wrong: str
    objects: list
    says: list = dataclasses.field(default_factory=list)
    refused: tuple = ()  # Words of the API server's refusal of the last object.


# --- objects ---


def gateway(name, listeners, cls="idle", annotations=None, **spec):
    return make("Gateway", name, {"gatewayClassName": cls, "listeners": listeners, **spec}, NS,
                annotations=annotations or {})


def listener(name="l", port=8080, protocol="HTTP", **more):
    return {"name": name, "port": port, "protocol": protocol, **more}


def https(*secrets, name="l", port=8443, options=None, **more):
    refs = [it if isinstance(it, dict) else {"name": it} for it in secrets]
    tls = {"mode": "Terminate"}
    if refs:
        tls["certificateRefs"] = refs
    if options:
        tls["options"] = options
    return listener(name, port, "HTTPS", tls=tls, **more)


def secret(name, crt=None, key=None, kind="kubernetes.io/tls", ns=NS):
    data = {k: base64.b64encode(v.encode() if isinstance(v, str) else v).decode()
            for k, v in (("tls.crt", crt), ("tls.key", key)) if v is not None}
    return make("Secret", name, ns=ns, type=kind, data=data)


def backend(name="web", port=80, **more):
    return {"name": name, **({"port": port} if port else {}), **more}


def route(name, *rules, kind="HTTPRoute", parent=None, **spec):
    parents = [parent or {"name": "scratch", "sectionName": SECTIONS[kind]}]
    return make(kind, name, {"parentRefs": parents, "rules": list(rules), **spec}, NS)


NOT_PERMITTED = ("RefNotPermitted", "namespace apart", "Service web")
SECTIONS = {"HTTPRoute": "http", "GRPCRoute": "http", "TLSRoute": "tls", "TCPRoute": "tcp", "UDPRoute": "udp"}


def rule(*backends, **more):
    return {"backendRefs": list(backends) or [backend()], **more}


def path_rule(kind, value):
    return rule(matches=[{"path": {"type": kind, "value": value}}])


def extension(kind, name):
    return {"type": "ExtensionRef", "extensionRef": {"group": "consul.hashicorp.com", "kind": kind, "name": name}}


def grant(name, from_kind, to_kind, ns, from_ns=NS):
    to_group = "consul.hashicorp.com" if to_kind == "MeshService" else ""
    return make("ReferenceGrant", name, {"from": [{"group": GROUP, "kind": from_kind, "namespace": from_ns}],
                                         "to": [{"group": to_group, "kind": to_kind}]}, ns)


def service(name="web", ports=((80, "http"),), ns=NS, **spec):
    ports = [{"name": word, "port": port} for port, word in ports]
    return make("Service", name, {**({"ports": ports} if ports else {}), **spec}, ns)


def slice_of(name, addresses, kind="IPv4", port=80):
    return make("EndpointSlice", f"{name}-1", ns=NS, labels={"kubernetes.io/service-name": name}, addressType=kind,
                endpoints=[{"addresses": [it]} for it in addresses], ports=[{"name": "http", "port": port}])


def tls_policy(name, target, ca=None, options=None, kind="ConfigMap", **more):
    refs = {"caCertificateRefs": [{"group": "", "kind": kind, "name": ca}]} if ca else {
        "wellKnownCACertificates": "System"}
    return make("BackendTLSPolicy", name, {"targetRefs": [{"group": "", "kind": "Service", "name": target}],
                                           "validation": {"hostname": "web.example", **refs},
                                           **({"options": options} if options else {}), **more}, NS)


def gateway_policy(name, section="http", target="scratch", provider="nobody"):
    ref = {"group": GROUP, "kind": "Gateway", "name": target, "namespace": NS, "sectionName": section}
    return make("GatewayPolicy", name, {"targetRef": ref, "override": {"jwt": {"providers": [{"name": provider}]}}}, NS)


def provider(name, jwks):
    text = base64.b64encode(jwks.encode()).decode() if isinstance(jwks, str) else jwks
    return make("JWTProvider", name, {"jsonWebKeySet": {"local": {"jwks": text}}, "issuer": "x"}, NS)


# --- what stands there the whole time ---


def ground(pems, node):
    """What broken objects may lean on; in order itself."""
    everywhere = {"namespaces": {"from": "All"}}
    listeners = [listener("http", 80, hostname="*.scratch.example", allowedRoutes=everywhere),
                 listener("only-here", 81, allowedRoutes={"namespaces": {"from": "Same"}}),
                 listener("elsewhere", 82, allowedRoutes={"namespaces": {
                     "from": "Selector", "selector": {"matchLabels": {"team": "none"}}}}),
                 https("good", name="https", port=443),
                 listener("tls", 8443, "TLS", hostname="*.scratch.example", tls={"mode": "Passthrough"}),
                 listener("tcp", 9000, "TCP"), listener("udp", 9000, "UDP")]
    return [make("Namespace", NS), make("Namespace", "apart"),
            make("GatewayClassConfig", "idle", {"serviceType": "ClusterIP", "nodeSelector": {"nowhere": "true"}}),
            make("GatewayClass", "idle", {
                "controllerName": "strait.dev/gateway-controller",
                "parametersRef": {"group": "consul.hashicorp.com", "kind": "GatewayClassConfig", "name": "idle"}}),
            secret("good", pems["good.crt"], pems["good.key"]),
            secret("good", pems["good.crt"], pems["good.key"], ns="apart"),
            make("ConfigMap", "ca", ns=NS, data={"ca.crt": pems["ca.crt"]}),
            service(), slice_of("web", [node]), service(ns="apart"),
            gateway("scratch", listeners, allowedListeners={"namespaces": {"from": "All"}}),
            route("leaning", rule(backend("leaned")), hostnames=["leaning.scratch.example"]), service("leaned"),
            provider("good", '{"keys":[]}')]


def certificates(directory):
    """{file name: PEM} of what a careless operator may put into a Secret."""
    directory = pathlib.Path(directory)

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)

    def key(name, *kind):
        curve = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        openssl("genpkey", *(kind or curve), "-out", name + ".key")

    def certificate(name, key_name, *more, ca="ca", days="30"):
        openssl("req", "-new", "-key", key_name + ".key", "-subj", f"/CN={name}", "-out", name + ".csr",
                "-addext", "subjectAltName=DNS:" + name + ".example")
        openssl("x509", "-req", "-in", name + ".csr", "-CA", ca + ".crt", "-CAkey", ca + ".key", "-days", days, "-out",
                name + ".crt", "-copy_extensions", "copy", *more)

    key("ca")
    openssl("req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=broken ca", "-days", "30", "-out", "ca.crt")
    key("good")
    key("other")
    key("rsa", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    key("weak", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
    certificate("good", "good")
    certificate("weak", "weak")
    certificate("expired", "good", days="-1")
    openssl("pkey", "-in", "good.key", "-aes128", "-passout", "pass:secret", "-out", "locked.key")
    openssl("x509", "-in", "good.crt", "-outform", "DER", "-out", "good.der")
    return {it.name: it.read_bytes() if it.suffix == ".der" else it.read_text() for it in directory.iterdir()
            if it.suffix in (".crt", ".key", ".der")}


# --- the table ---


def of_secrets(pems):
    """Every Secret behind a listener of a Gateway of its own."""
    good, key = pems["good.crt"], pems["good.key"]
    garbage = "-----BEGIN {0}-----\nbm90IG9uZQ==\n-----END {0}-----\n"

    def row(name, wrong, *objects, words=(), ref="s", reason="InvalidCertificateRef"):
        return Row("secret-" + name, wrong, [*objects, gateway("g", [https(ref)])],
                   [Says("Gateway", "g", "listeners/l", "ResolvedRefs", "False", reason, ("Secret", *words)),
                    Says("Gateway", "g", "listeners/l", "Programmed", "False", "Invalid")])

    return [
        row("missing", "there is none of that name", words=("broken/s", "does not exist")),
        row("no-key", "tls.key is not there", secret("s", good, kind="Opaque"),
            words=("broken/s", "kubernetes.io/tls")),
        Row("secret-tls-without-key", "a TLS Secret without tls.key", [secret("s", good)], refused=("tls.key",)),
        row("opaque", "its type is Opaque", secret("s", good, key, "Opaque"), words=("broken/s", "kubernetes.io/tls")),
        row("empty", "both values are empty", secret("s", "", ""), words=("broken/s", "certificate", "expected PEM")),
        row("certificate-garbage", "tls.crt is PEM of something else",
            secret("s", garbage.format("CERTIFICATE"), key), words=("broken/s", "certificate chain", "PEM")),
        row("certificate-text", "tls.crt is no PEM", secret("s", "certificate, please", key),
            words=("certificate chain", "expected PEM")),
        row("certificate-der", "tls.crt is DER", secret("s", pems["good.der"], key),
            words=("certificate chain", "expected PEM")),
        row("key-garbage", "tls.key is PEM of something else", secret("s", good, garbage.format("PRIVATE KEY")),
            words=("broken/s", "private key", "PEM")),
        row("key-locked", "tls.key needs a passphrase", secret("s", good, pems["locked.key"]),
            words=("private key", "encrypted", "expected")),
        row("swapped", "certificate and key have changed places", secret("s", key, good),
            words=("certificate chain", "expected PEM")),
        row("mismatch", "the key is another certificate's", secret("s", good, pems["other.key"]),
            words=("broken/s", "private key", "does not match")),
        row("mismatch-kind", "an RSA key, an EC certificate", secret("s", good, pems["rsa.key"]),
            words=("private key", "does not match")),
        row("chain-order", "the authority stands before the leaf", secret("s", pems["ca.crt"] + good, key),
            words=("private key", "does not match")),
        row("chain-garbage", "behind the leaf there is garbage", secret("s", good + garbage.format("CERTIFICATE"), key),
            words=("certificate chain", "PEM")),
        row("weak", "an RSA key of 1024 bits", secret("s", pems["weak.crt"], pems["weak.key"]), words=("2048",)),
        # Shown to clients, who then say so: a gateway that took it away would only take its port's other names along.
        Row("secret-expired", "the certificate's time is over",
            [secret("s", pems["expired.crt"], key), gateway("g", [https("s")])],
            [Says("Gateway", "g", "listeners/l", "ResolvedRefs", "True", "ResolvedRefs")]),
        row("not-permitted", "in another namespace, without a grant", ref={"name": "good", "namespace": "apart"},
            reason="RefNotPermitted", words=("namespace apart", "Secret good")),
        row("grant-of-wrong-kind", "the grant lets HTTPRoutes in", grant("in", "HTTPRoute", "Secret", "apart"),
            ref={"name": "good", "namespace": "apart"}, reason="RefNotPermitted",
            words=("namespace apart", "Secret good")),
        row("grant-from-elsewhere", "the grant lets another namespace in",
            grant("in", "Gateway", "Secret", "apart", "default"), ref={"name": "good", "namespace": "apart"},
            reason="RefNotPermitted", words=("namespace apart", "Secret good")),
        Row("certificate-kind", "a ConfigMap as certificate",
            [gateway("g", [https({"name": "ca", "kind": "ConfigMap"})])],
            [Says("Gateway", "g", "listeners/l", "ResolvedRefs", "False", "InvalidCertificateRef", ("ConfigMap",))]),
        Row("certificate-group", "a Secret of another group",
            [gateway("g", [https({"name": "good", "group": "example.com"})])],
            [Says("Gateway", "g", "listeners/l", "ResolvedRefs", "False", "InvalidCertificateRef", ("example.com",))]),
        Row("certificate-second-bad", "one of two certificates is missing",
            [gateway("g", [https("good", "s")])],
            [Says("Gateway", "g", "listeners/l", "ResolvedRefs", "False", "InvalidCertificateRef", ("broken/s",))]),
    ]


def of_listeners(pems):
    def row(name, wrong, listeners, *says, objects=(), **more):
        return Row("listener-" + name, wrong, [*objects, gateway("g", listeners, **more)],
                   [Says("Gateway", "g", "listeners/l", *it) for it in says])

    def options(**values):
        return {f"api-gateway.consul.hashicorp.com/{key}": value for key, value in values.items()}

    def selector(**requirement):
        return {"namespaces": {"from": "Selector", "selector": {"matchExpressions": [{"key": "a", **requirement}]}}}

    def clients(kind="ConfigMap", name="nothing"):
        ref = {"group": "", "kind": kind, "name": name}
        return {"frontend": {"default": {"validation": {"caCertificateRefs": [ref]}}}}

    return [
        row("protocol-unknown", "protocol SMTP", [listener(protocol="example.com/SMTP")],
            ("Accepted", "False", "UnsupportedProtocol", ("example.com/SMTP", "expected"))),
        row("protocol-conflict", "HTTP and HTTPS on one port", [listener(), https("good", name="m", port=8080)],
            ("Conflicted", "True", "ProtocolConflict", ("8080",))),
        row("tcp-beside-http", "TCP and HTTP on one port", [listener(), listener("m", protocol="TCP")],
            ("Conflicted", "True", "ProtocolConflict", ("8080",))),
        Row("listener-twice", "two listeners are the same", [gateway("g", [listener(), listener("m")])],
            refused=("Combination of port, protocol and hostname",)),
        Row("listener-port-range", "port 70000", [gateway("g", [listener(port=70000)])], refused=("65535",)),
        Row("listener-tls-on-http", "tls beside HTTP", [gateway("g", [listener(tls={"certificateRefs": []})])],
            refused=("tls",)),
        row("port-of-readiness", "port 20000 is the readiness port's", [listener(port=20000)],
            ("Accepted", "False", "PortUnavailable", ("20000",))),
        row("port-moved-onto-another", "80 is moved to 2080, where another listens",
            [listener("m", 2080), listener(port=80)], ("Accepted", "False", "PortUnavailable", ("80",)), cls="moved",
            objects=[make("GatewayClassConfig", "moved", {"mapPrivilegedContainerPorts": 2000}), class_of("moved")]),
        row("kind-unknown", "routes of kind Pigeon", [listener(allowedRoutes={"kinds": [{"kind": "Pigeon"}]})],
            ("ResolvedRefs", "False", "InvalidRouteKinds", ("Pigeon",))),
        row("kind-of-another-protocol", "TCPRoutes on HTTP",
            [listener(allowedRoutes={"kinds": [{"kind": "TCPRoute"}]})],
            ("ResolvedRefs", "False", "InvalidRouteKinds", ("TCPRoute",))),
        row("selector-operator", "a selector with operator Near", [listener(allowedRoutes=selector(operator="Near"))],
            ("Accepted", "False", "UnsupportedValue", ("operator", "expected", "Near"))),
        row("selector-values", "a selector In nothing", [listener(allowedRoutes=selector(operator="In"))],
            ("Accepted", "False", "UnsupportedValue", ("values",))),
        row("no-certificate", "HTTPS with options and no certificate",
            [https(options=options(tls_min_version="TLSv1_2"))],
            ("ResolvedRefs", "False", "InvalidCertificateRef", ("certificateRefs",))),
        row("tls-version", "minimum version SSLv3", [https("good", options=options(tls_min_version="SSLv3"))],
            ("Accepted", "False", "UnsupportedValue", ("tls_min_version", "expected"))),
        row("tls-version-order", "minimum above maximum",
            [https("good", options=options(tls_min_version="TLSv1_3", tls_max_version="TLSv1_2"))],
            ("Accepted", "False", "UnsupportedValue", ("minimum",))),
        row("tls-cipher", "cipher suite RC4", [https("good", options=options(tls_cipher_suites="RC4"))],
            ("Accepted", "False", "UnsupportedValue", ("tls_cipher_suites", "RC4"))),
        row("tls-cipher-of-1.3", "suites with version 1.3 only", [https("good", options=options(
            tls_min_version="TLSv1_3", tls_cipher_suites="TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"))],
            ("Accepted", "False", "UnsupportedValue", ("TLSv1_3",))),
        row("tls-option", "an option of nobody", [https("good", options={"example.com/fast": "yes"})],
            ("Accepted", "False", "UnsupportedValue", ("example.com/fast",))),
        row("clients-ca-missing", "the authority of clients is not there", [https("good")],
            ("ResolvedRefs", "False", "InvalidCACertificateRef", ("nothing",)),
            ("Accepted", "False", "NoValidCACertificate", ("caCertificateRefs",)), tls=clients()),
        row("clients-ca-kind", "the authority of clients is a Service", [https("good")],
            ("ResolvedRefs", "False", "InvalidCACertificateKind", ("Service",)), tls=clients("Service", "web")),
        row("clients-ca-garbage", "the authority of clients is garbage", [https("good")],
            ("ResolvedRefs", "False", "InvalidCACertificateRef", ("rubbish",)), tls=clients(name="rubbish"),
            objects=[make("ConfigMap", "rubbish", ns=NS, data={"ca.crt": "rubbish"})]),
        row("clients-ca-no-key", "the authority's ConfigMap has no ca.crt", [https("good")],
            ("ResolvedRefs", "False", "InvalidCACertificateRef", ("ca.crt",)), tls=clients(name="rubbish"),
            objects=[make("ConfigMap", "rubbish", ns=NS, data={"other": "rubbish"})]),
    ]


def class_of(name, config=None, kind="GatewayClassConfig", group="consul.hashicorp.com"):
    return make("GatewayClass", name, {"controllerName": "strait.dev/gateway-controller", "parametersRef": {
        "group": group, "kind": kind, "name": config or name}})


def of_gateways():
    def row(name, wrong, type, reason, words, objects=(), listeners=None, status="False", **more):
        return Row("gateway-" + name, wrong, [*objects, gateway("g", listeners or [listener()], **more)],
                   [Says("Gateway", "g", "", type, status, reason, words)])

    def parameters(kind, name):
        return {"parametersRef": {"group": "consul.hashicorp.com", "kind": kind, "name": name}}

    def annotated(name, key, value, words):
        return row(name, f"annotation {key}: {value}", "Programmed", "Invalid", (key, *words),
                   annotations={f"consul.hashicorp.com/{key}": value})

    return [
        row("class-missing", "there is no such class", "Accepted", "Pending", ("nobody", "does not exist"),
            cls="nobody"),
        row("no-listener-valid", "no listener is in order", "Accepted", "ListenersNotValid", (),
            listeners=[listener(protocol="example.com/SMTP")]),
        row("address-type", "an address of a type of nobody", "Accepted", "UnsupportedAddress", ("example.com/galaxy",),
            addresses=[{"type": "example.com/galaxy", "value": "x"}]),
        row("address-hostname", "a host name as address, which nothing here has", "Programmed", "AddressNotUsable",
            ("nowhere.example",), addresses=[{"type": "Hostname", "value": "nowhere.example"}]),
        Row("gateway-address-not-one", "address 999.1.1.1",
            [gateway("g", [listener()], addresses=[{"type": "IPAddress", "value": "999.1.1.1"}])],
            refused=("addresses",)),
        row("parameters-missing", "its parameters are not there", "Accepted", "InvalidParameters",
            ("nothing", "does not exist"), infrastructure=parameters("GatewayClassConfig", "nothing")),
        row("parameters-kind", "its parameters are a Secret", "Accepted", "InvalidParameters", ("Secret",),
            infrastructure=parameters("Secret", "good")),
        row("parameters-broken", "its parameters hold a toleration of nothing", "Accepted", "InvalidParameters",
            ("bad", "tolerations", "operator"), infrastructure=parameters("GatewayClassConfig", "bad"),
            objects=[make("GatewayClassConfig", "bad", {"tolerations": [{"value": "x"}]})]),
        row("default-scope", "defaultScope, which Strait has not", "Accepted", "Invalid", ("defaultScope",),
            defaultScope="All"),
        row("client-certificate-missing", "its own certificate is not there", "ResolvedRefs",
            "InvalidClientCertificateRef", ("nothing",),
            tls={"backend": {"clientCertificateRef": {"name": "nothing"}}}),
        row("client-certificate-not-permitted", "its own certificate is another namespace's", "ResolvedRefs",
            "RefNotPermitted", ("namespace apart", "Secret good"),
            tls={"backend": {"clientCertificateRef": {"name": "good", "namespace": "apart"}}}),
        annotated("replicas", "default-replicas", "many", ("whole number",)),
        annotated("probe", "readiness-probe", "{", ("probe",)),
        annotated("autoscaler", "hpa-enabled", "perhaps", ("true or false",)),
        Row("gateway-infrastructure-label", "a label with a space",
            [gateway("g", [listener()], infrastructure={"labels": {"a": "b c"}})], refused=("label",)),
        Row("class-parameters-missing", "a class whose parameters are not there", [class_of("odd", "nothing")],
            [Says("GatewayClass", "odd", "", "Accepted", "False", "InvalidParameters", ("nothing", "does not exist"))]),
        Row("class-parameters-kind", "a class with a ConfigMap as parameters",
            [class_of("odd", "ca", "ConfigMap", "core.example")],
            [Says("GatewayClass", "odd", "", "Accepted", "False", "InvalidParameters", ("ConfigMap", "expected"))]),
        Row("class-config-quantity", "a class whose pods want a heap of memory",
            [make("GatewayClassConfig", "odd", {"deployment": {"resources": {"requests": {"memory": "a heap"}}}})],
            refused=("requests.memory",)),
        Row("class-config-selector", "a class whose pods want a node with a label that is none",
            [make("GatewayClassConfig", "odd", {"nodeSelector": {"a b": "c"}}), class_of("odd")],
            [Says("GatewayClass", "odd", "", "Accepted", "False", "InvalidParameters", ("nodeSelector",))]),
        Row("class-config-not-implemented", "fields of Consul's that Strait has not",
            [make("GatewayClassConfig", "odd", {"podSecurityPolicy": "x"}), class_of("odd")],
            [Says("GatewayClass", "odd", "", "Accepted", "True", "Accepted", ("podSecurityPolicy", "no effect"))]),
        Row("class-config-ports", "moves ports beyond the last",
            [make("GatewayClassConfig", "odd", {"mapPrivilegedContainerPorts": 65000})], refused=("64512",)),
        Row("class-config-type", "a Service of type Pigeon",
            [make("GatewayClassConfig", "odd", {"serviceType": "Pigeon"})],
            refused=("serviceType",)),
    ]


def of_routes():
    """To "scratch", but for those that say otherwise."""
    def row(name, wrong, says, *rules, objects=(), kind="HTTPRoute", type="Accepted", **more):
        reason, *words = says
        return Row(f"{kind.lower()}-{name}", wrong, [*objects, route("r", *rules, kind=kind, **more)],
                   [Says(kind, "r", "parents", type, "False", reason, tuple(words))])

    def unresolved(name, wrong, says, *rules, **more):
        return row(name, wrong, says, *rules, type="ResolvedRefs", **more)

    def header(**match):
        return rule(matches=[{"headers": [match]}])

    def filtered(*filters, backends=None):
        return {"filters": list(filters), **({"backendRefs": backends} if backends is not None else
                                            {"backendRefs": [backend()]})}

    def parent(section=None, port=None, name="scratch"):
        return {"name": name, **({"sectionName": section} if section else {}), **({"port": port} if port else {})}

    regex = {"type": "RegularExpression", "value": "("}
    redirect = {"type": "RequestRedirect", "requestRedirect": {"statusCode": 301}}
    rewrite = {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}}
    hosts = {"hostnames": ["r.scratch.example"]}
    rows = [
        unresolved("backend-missing", "its Service is not there", ("BackendNotFound", "broken/nobody"),
                   rule(backend("nobody"))),
        unresolved("backend-port", "its Service has no such port", ("BackendNotFound", "broken/web", "81"),
                   rule(backend(port=81))),
        unresolved("backend-kind", "its backend is a Pigeon", ("InvalidKind", "Pigeon"),
                   rule(backend("web", None, group="example.com", kind="Pigeon"))),
        unresolved("backend-not-permitted", "its Service is another namespace's", NOT_PERMITTED,
                   rule(backend(namespace="apart"))),
        unresolved("grant-of-wrong-kind", "the grant lets TCPRoutes in", NOT_PERMITTED,
                   rule(backend(namespace="apart")), objects=[grant("in", "TCPRoute", "Service", "apart")]),
        unresolved("grant-of-wrong-group", "the grant is for MeshServices", NOT_PERMITTED,
                   rule(backend(namespace="apart")), objects=[grant("in", "HTTPRoute", "MeshService", "apart")]),
        unresolved("grant-in-wrong-place", "the grant stands beside the route", NOT_PERMITTED,
                   rule(backend(namespace="apart")), objects=[grant("in", "HTTPRoute", "Service", NS)]),
        unresolved("mesh-service-missing", "its MeshService is not there", ("BackendNotFound", "broken/nobody"),
                   rule(backend("nobody", None, group="consul.hashicorp.com", kind="MeshService"))),
        unresolved("mesh-service-peer", "no such peering", ("BackendNotFound", "mars"),
                   rule(backend("far", None, group="consul.hashicorp.com", kind="MeshService")),
                   objects=[make("MeshService", "far", {"name": "web", "peer": "mars"}, NS)]),
        unresolved("mesh-service-unknown", "the catalog has no such service", ("BackendNotFound", "unheard-of"),
                   rule(backend("far", None, group="consul.hashicorp.com", kind="MeshService")),
                   objects=[make("MeshService", "far", {"name": "unheard-of"}, NS)]),
        unresolved("protocol", "its Service wants TLS, of which nothing is known",
                   ("UnsupportedProtocol", "kubernetes.io/wss"),
                   rule(backend("odd")), objects=[make("Service", "odd", {"ports": [
                       {"name": "http", "port": 80, "appProtocol": "kubernetes.io/wss"}]}, NS)]),
        unresolved("service-without-ports", "a headless Service without a port", ("BackendNotFound", "odd"),
                   rule(backend("odd")), objects=[service("odd", (), clusterIP="None", selector={"app": "odd"})]),
        unresolved("service-elsewhere", "a Service that is only a name",
                   ("UnsupportedValue", "broken/odd", "ExternalName"),
                   rule(backend("odd")), objects=[make("Service", "odd", {
                       "type": "ExternalName", "externalName": "web.example"}, NS)]),
        unresolved("mirror-missing", "what it mirrors to is not there", ("BackendNotFound", "nobody"),
                   filtered({"type": "RequestMirror", "requestMirror": {"backendRef": backend("nobody")}})),
        unresolved("mirror-not-permitted", "what it mirrors to is another namespace's", NOT_PERMITTED,
                   filtered({"type": "RequestMirror", "requestMirror": {"backendRef": backend(namespace="apart")}})),
        unresolved("authorizer-missing", "who decides is not there", ("BackendNotFound", "nobody"),
                   filtered({"type": "ExternalAuth", "externalAuth": {
                       "protocol": "HTTP", "http": {}, "backendRef": backend("nobody")}})),
        row("path-regex", "its path is no regular expression", ("UnsupportedValue", "path", "regular expression"),
            path_rule(**{"kind": "RegularExpression", "value": "("}), **hosts),
        row("header-regex", "a header is matched by no regular expression",
            ("UnsupportedValue", "headers", "regular expression"), header(name="a", **regex)),
        row("query-regex", "a parameter is matched by no regular expression",
            ("UnsupportedValue", "queryParams", "regular expression"),
            rule(matches=[{"queryParams": [{"name": "a", **regex}]}])),
        row("regex-of-another-dialect", "a look-behind, which RE2 has not",
            ("UnsupportedValue", "path", "regular expression"), path_rule("RegularExpression", "/(?<!a)b")),
        Row("httproute-header-value", "a header that no request can have",
            [route("r", header(name="a", value="one\ntwo"))], refused=("headers[0].value",)),
        row("header-of-framing", "it sets Content-Length", ("UnsupportedValue", "Content-Length"),
            filtered({"type": "RequestHeaderModifier", "requestHeaderModifier": {
                "set": [{"name": "Content-Length", "value": "1"}]}})),
        row("extension-missing", "its filter is not there", ("FilterNotFound", "broken/nobody"),
            filtered(extension("RouteRetryFilter", "nobody"))),
        row("extension-kind", "its filter is of no known kind", ("UnsupportedValue", "Pigeon"),
            filtered(extension("Pigeon", "nobody"))),
        row("retry-word", "retries on a full moon", ("UnsupportedValue", "full-moon"),
            filtered(extension("RouteRetryFilter", "odd")),
            objects=[make("RouteRetryFilter", "odd", {"retryOn": ["full-moon"]}, NS)]),
        row("timeout-of-extension", "a time too long for any clock", ("UnsupportedValue", "requestTimeout"),
            filtered(extension("RouteTimeoutFilter", "odd")),
            objects=[make("RouteTimeoutFilter", "odd", {"requestTimeout": "999999999999h"}, NS)]),
        row("auth-provider-missing", "who signs its tokens is not there", ("JWTProviderNotFound", "nobody"),
            filtered(extension("RouteAuthFilter", "odd")),
            objects=[make("RouteAuthFilter", "odd", {"jwt": {"providers": [{"name": "nobody"}]}}, NS)]),
        row("auth-provider-garbage", "who signs its tokens has garbage for keys", ("UnsupportedValue", "odd", "jwks"),
            filtered(extension("RouteAuthFilter", "odd")), objects=[
                provider("odd", "garbage"),
                make("RouteAuthFilter", "odd", {"jwt": {"providers": [{"name": "odd"}]}}, NS)]),
        row("default-gateways", "useDefaultGateways, which Strait has not", ("UnsupportedValue", "useDefaultGateways"),
            rule(), useDefaultGateways="All"),
        row("hostname", "no hostname of the listener's", ("NoMatchingListenerHostname", "hostname"), rule(),
            hostnames=["r.example"]),
        row("section", "no such listener", ("NoMatchingParent", "nothing"), rule(), parent=parent("nothing")),
        row("parent-port", "no listener has that port", ("NoMatchingParent", "4711"), rule(), parent=parent(port=4711)),
        row("namespace", "the listener lets others in", ("NotAllowedByListeners", "namespace broken"), rule(),
            parent=parent("elsewhere")),
        row("listener-of-tcp", "the listener speaks TCP", ("NotAllowedByListeners", "HTTPRoute"), rule(),
            parent=parent("tcp")),
        Row("httproute-hidden", "an older route has all of its requests",
            [route("older", path_rule("Exact", "/same")), route("r", path_rule("Exact", "/same"))],
            [Says("HTTPRoute", "r", "parents", "strait.dev/Shadowed", "True", "HiddenByAnotherRule", ("older",))]),
        Row("httproute-two-ends", "redirects and rewrites", [route("r", filtered(redirect, rewrite, backends=[]))],
            refused=("RequestRedirect",)),
        Row("httproute-replaced-prefix", "replaces a prefix that is none",
            [route("r", {**path_rule("Exact", "/x"), "filters": [rewrite]})], refused=("PathPrefix",)),
        Row("httproute-timeouts", "waits longer for the backend than at all",
            [route("r", rule(timeouts={"request": "1s", "backendRequest": "2s"}))], refused=("backendRequest",)),
        Row("httproute-too-many", "three rules of 64 matches",
            [route("r", *[rule(matches=[{"path": {"value": f"/{n}/{m}"}} for m in range(64)]) for n in range(3)])],
            refused=("128",)),
        Row("httproute-path", "a path without its slash", [route("r", path_rule("Exact", "x"))], refused=("/",)),
        Row("httproute-weight", "a weight below zero", [route("r", rule(backend(weight=-1)))], refused=("weight",)),
        Row("retry-filter-codes", "retries on status 42",
            [make("RouteRetryFilter", "odd", {"retryOnStatusCodes": [42]}, NS)], refused=("retryOnStatusCodes",)),
    ]
    for kind in ("GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"):
        named = hosts if kind == "TLSRoute" else {}
        wrong = {"GRPCRoute": "tcp", "TLSRoute": "http", "TCPRoute": "udp", "UDPRoute": "tcp"}[kind]
        rows += [
            unresolved("backend-missing", "its Service is not there", ("BackendNotFound", "broken/nobody"),
                       rule(backend("nobody")), kind=kind, **named),
            unresolved("backend-not-permitted", "its Service is another namespace's", NOT_PERMITTED,
                       rule(backend(namespace="apart")), kind=kind, **named),
            row("listener", "the listener speaks another protocol", ("NotAllowedByListeners", kind), rule(), kind=kind,
                parent=parent(wrong), **named),
        ]
    rows += [
        row("method-regex", "its method is no regular expression", ("UnsupportedValue", "method", "regular expression"),
            rule(matches=[{"method": {"type": "RegularExpression", "service": "(", "method": "x"}}]), kind="GRPCRoute"),
        row("hostname", "no hostname of the listener's", ("NoMatchingListenerHostname", "hostname"), rule(),
            kind="TLSRoute", hostnames=["r.example"]),
    ]
    return rows


def of_listener_sets():
    def a_set(listeners, parent=None):
        return make("ListenerSet", "s", {"parentRef": parent or {"name": "scratch"}, "listeners": listeners}, NS)

    def row(name, wrong, *says, listeners=None, objects=(), parent=None):
        return Row("listenerset-" + name, wrong, [*objects, a_set(listeners or [listener(port=8081)], parent)],
                   [Says("ListenerSet", "s", *it) for it in says])

    return [
        row("not-allowed", "its Gateway allows none", ("", "Accepted", "False", "NotAllowed", ("allowedListeners",)),
            objects=[gateway("g", [listener()])], parent={"name": "g"}),
        row("hostname-conflict", "the Gateway has that port and hostname",
            ("listeners/l", "Conflicted", "True", "HostnameConflict", ("listener http", "port and hostname")),
            ("listeners/l", "Accepted", "False", "HostnameConflict"),
            listeners=[listener(port=80, hostname="*.scratch.example")]),
        row("protocol-conflict", "the Gateway speaks TCP there",
            ("listeners/l", "Conflicted", "True", "ProtocolConflict", ("9000",)), listeners=[listener(port=9000)]),
        row("certificate", "its certificate is not there",
            ("listeners/l", "ResolvedRefs", "False", "InvalidCertificateRef", ("broken/nothing",)),
            listeners=[https("nothing", port=8444)]),
        row("certificate-not-permitted", "a grant for Gateways is none for sets",
            ("listeners/l", "ResolvedRefs", "False", "RefNotPermitted", ("namespace apart", "Secret good")),
            listeners=[https({"name": "good", "namespace": "apart"}, port=8444)],
            objects=[grant("in", "Gateway", "Secret", "apart")]),
        row("selector", "a selector with operator Near",
            ("listeners/l", "Accepted", "False", "UnsupportedValue", ("operator",)),
            listeners=[listener(port=8081, allowedRoutes={"namespaces": {"from": "Selector", "selector": {
                "matchExpressions": [{"key": "a", "operator": "Near"}]}}})]),
    ]


def of_policies():
    """Policies for the Service "leaned", which the route "leaning" of "scratch" uses."""
    def tls(name, wrong, says, *objects):
        type, reason, *words = says
        return Row("backendtlspolicy-" + name, wrong, list(objects),
                   [Says("BackendTLSPolicy", objects[-1]["metadata"]["name"], "ancestors", type, "False", reason,
                         tuple(words))])

    def policy(name, wrong, says, *objects):
        return Row("gatewaypolicy-" + name, wrong, list(objects),
                   [Says("GatewayPolicy", objects[-1]["metadata"]["name"], "", *it) for it in says])

    rubbish = make("ConfigMap", "rubbish", ns=NS, data={"ca.crt": "rubbish"})
    return [
        tls("ca-missing", "its authority is not there", ("ResolvedRefs", "InvalidCACertificateRef", "nothing"),
            tls_policy("p", "leaned", "nothing")),
        tls("ca-garbage", "its authority is garbage", ("ResolvedRefs", "InvalidCACertificateRef", "rubbish"), rubbish,
            tls_policy("p", "leaned", "rubbish")),
        tls("ca-kind", "its authority is a Service", ("ResolvedRefs", "InvalidKind", "Service"),
            tls_policy("p", "leaned", "web", kind="Service")),
        tls("options", "an option of nobody", ("Accepted", "Invalid", "example.com/fast"),
            tls_policy("p", "leaned", "ca", {"example.com/fast": "yes"})),
        tls("conflict", "an older policy has the Service", ("Accepted", "Conflicted", "a"),
            tls_policy("a", "leaned", "ca"), tls_policy("b", "leaned", "ca")),
        policy("target-missing", "its Gateway is not there",
               [("Accepted", "False", "TargetNotFound", ("nothing",))], gateway_policy("p", target="nothing")),
        policy("section-missing", "its listener is not there",
               [("ResolvedRefs", "False", "MissingListenerReference", ("nothing",))], gateway_policy("p", "nothing")),
        policy("provider-missing", "who signs its tokens is not there",
               [("ResolvedRefs", "False", "MissingJWTProviderReference", ("nobody",)),
                ("Accepted", "False", "ReferencesNotValid", ("nobody",))], gateway_policy("p", "only-here")),
        policy("provider-garbage", "who signs its tokens has garbage for keys",
               [("Accepted", "False", "ReferencesNotValid", ("odd", "jwks"))], provider("odd", "garbage"),
               gateway_policy("p", "only-here", provider="odd")),
        policy("conflict", "an older policy has the listener", [("Accepted", "False", "Conflicted", ("broken/a",))],
               gateway_policy("a", "only-here", provider="good"), gateway_policy("b", "only-here", provider="good")),
        Row("routeauthfilter-provider", "who signs its tokens is not there",
            [make("RouteAuthFilter", "f", {"jwt": {"providers": [{"name": "nobody"}]}}, NS)],
            [Says("RouteAuthFilter", "f", "", "ResolvedRefs", "False", "MissingJWTProviderReference", ("nobody",)),
             Says("RouteAuthFilter", "f", "", "Accepted", "False", "ReferencesNotValid", ("nobody",))]),
        Row("jwtprovider-two-sets", "keys here and elsewhere", [make("JWTProvider", "odd", {"jsonWebKeySet": {
            "local": {"jwks": "e30="}, "remote": {"uri": "http://x/"}}}, NS)], refused=("exactly one",)),
        Row("meshservice-name", "a name with a space", [make("MeshService", "odd", {"name": "a b"}, NS)],
            refused=("name",)),
    ]


def of_endpoints(node):
    """Services and their slices have no conditions: the route says that there is nothing to send to, or nothing at all
    is wrong but that nobody is there."""
    def row(name, wrong, *objects, refused=()):
        says = [] if refused else [Says("HTTPRoute", "r", "parents", "ResolvedRefs", "True", "ResolvedRefs")]
        return Row("endpoints-" + name, wrong, [*objects] if refused else [*objects, route("r", rule(backend("odd")))],
                   says, refused)

    return [
        row("none", "a Service without any", service("odd")),
        row("selected-none", "a Service whose selector finds nobody", service("odd", selector={"app": "nobody"})),
        row("nobody-listens", "nobody listens there", service("odd"), slice_of("odd", [node], port=9)),
        row("unreachable", "no way leads there", service("odd"), slice_of("odd", ["203.0.113.7"])),
        row("of-version-6", "IPv6 where there is none", service("odd"), slice_of("odd", ["2001:db8::7"], "IPv6")),
        row("by-name", "names for addresses", service("odd"), slice_of("odd", ["web.example"], "FQDN")),
        row("port-zero", "port 0", service("odd"), slice_of("odd", [node], port=0)),
        row("port-beyond", "port 70000", service("odd"), slice_of("odd", [node], port=70000)),
        row("loopback", "this machine's own loopback", slice_of("odd", ["127.0.0.1"]), refused=("loopback",)),
        row("not-one", "999.1.1.1", slice_of("odd", ["999.1.1.1"]), refused=("address",)),
    ]


def table(pems, node):
    rows = [*of_secrets(pems), *of_listeners(pems), *of_gateways(), *of_routes(), *of_listener_sets(), *of_policies(),
            *of_endpoints(node)]
    names = [row.name for row in rows]
    assert len(names) == len(set(names)), "names stand twice"
    return rows
