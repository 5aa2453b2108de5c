#!/usr/bin/env python3
"""Gives every Service of type LoadBalancer an address from a range, as a cloud's controller does:
load_balancer.py FOLDER SERVER PREFIX, where FOLDER holds pki/ and PREFIX is "10.77.192". kube-proxy serves it.
An address that a Service asks for is given if it is of the range and free; else it gets another."""
import json, ssl, sys, time, urllib.request

S, server, prefix = sys.argv[1:4]
ctx = ssl.create_default_context(cafile=S + "/pki/ca.crt")
ctx.load_cert_chain(S + "/pki/admin.crt", S + "/pki/admin.key")

def call(method, path, body=None):
    r = urllib.request.Request(server + path, method=method, data=body and json.dumps(body).encode(),
                               headers={"Content-Type": "application/merge-patch+json"})
    return urllib.request.urlopen(r, context=ctx)

def ip_of(o):
    ing = (o.get("status", {}).get("loadBalancer") or {}).get("ingress") or []
    return ing[0].get("ip") if ing else None

held = {}
def handle(o, gone=False):
    key = o["metadata"]["namespace"] + "/" + o["metadata"]["name"]
    if gone or o["spec"].get("type") != "LoadBalancer":
        held.pop(key, None)
        return
    has, want = ip_of(o), o["spec"].get("loadBalancerIP")
    others = {ip for k, ip in held.items() if k != key}
    usable = want and want.startswith(prefix + ".") and want not in others
    ip = want if usable else has or held.get(key) or next(
        i for i in (f"{prefix}.{n}" for n in range(1, 200)) if i not in others)
    held[key] = ip
    if ip == has:
        return
    ns, name = key.split("/")
    status = {"loadBalancer": {"ingress": [{"ip": ip, "ipMode": "VIP"}]}}
    call("PATCH", f"/api/v1/namespaces/{ns}/services/{name}/status", {"status": status})

while True:
    try:
        lst = json.load(call("GET", "/api/v1/services"))
        for o in lst["items"]:
            handle(o)
        rv = lst["metadata"]["resourceVersion"]
        for line in call("GET", f"/api/v1/services?watch=1&resourceVersion={rv}&timeoutSeconds=3600"):
            e = json.loads(line)
            if e["type"] == "ERROR":
                break
            if e["type"] in ("ADDED", "MODIFIED", "DELETED"):
                handle(e["object"], e["type"] == "DELETED")
    except Exception as e:  # the API server is restarting, or the watch ended: list again
        print(e, flush=True)
        time.sleep(0.5)
