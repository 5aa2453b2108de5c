#!/usr/bin/env bash
# The chart by itself, without a cluster: `helm lint`, its values' schema, and what `helm template` makes of it against
# the files in golden/. STRAIT_GOLDEN_ACCEPT=1 rewrites those. Needs helm 3; skipped without (exit code 77).
set -euo pipefail
cd "$(dirname "$0")/../.."
chart=deploy/helm/strait
golden=tests/helm/golden
helm=${HELM:-$(command -v helm || echo "${STRAIT_LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/strait-lab}/bin/helm")}
[ -x "$helm" ] || { echo "skipped: no helm; tests/cluster/build.sh helm builds one"; exit 77; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
passed=0 failed=0

ok() { passed=$((passed + 1)); }
wrong() { failed=$((failed + 1)); echo "FAILED: $*"; }

template() { # ARGS...: as on a cluster that has the Gateway API
  "$helm" template strait "$chart" --namespace infra --kube-version 1.37.0 \
    --api-versions gateway.networking.k8s.io/v1/GatewayClass "$@" 2>"$out/stderr"
}
same_as_golden() { # NAME ARGS...
  local name=$1
  shift
  if ! template "$@" >"$out/$name.yaml"; then wrong "$name: $(cat "$out/stderr")"; return; fi
  if [ -n "${STRAIT_GOLDEN_ACCEPT:-}" ]; then cp "$out/$name.yaml" "$golden/$name.yaml"; fi
  if diff -u "$golden/$name.yaml" "$out/$name.yaml"; then ok; else wrong "$name differs from $golden/$name.yaml"; fi
}
refused() { # TEXT ARGS...: not made, and the word names why
  local text=$1
  shift
  if template "$@" >/dev/null; then wrong "accepted: $*"; return; fi
  if grep -qF -- "$text" "$out/stderr"; then ok; else wrong "$*: expected \"$text\", got: $(cat "$out/stderr")"; fi
}
says() { # WHETHER PATTERN ARGS...: whether a line of it is in what is made
  local whether=$1 pattern=$2 found=no
  shift 2
  template "$@" >"$out/it" || { wrong "$*: $(cat "$out/stderr")"; return; }
  ! grep -qE -- "$pattern" "$out/it" || found=yes
  if [ "$found" = "$whether" ]; then ok; else wrong "\"$pattern\" in $*: $found, expected $whether"; fi
}

mkdir -p "$golden"
for values in "" eks gke aks openshift; do
  if "$helm" lint "$chart" ${values:+-f "$chart/values-$values.yaml"} >"$out/lint" 2>&1; then
    ok
  else
    wrong "lint $values: $(cat "$out/lint")"
  fi
  same_as_golden "${values:-default}" ${values:+-f "$chart/values-$values.yaml"}
done
same_as_golden everything -f tests/helm/everything.yaml

refused "controller.persistence.enabled: one volume" --set controller.persistence.enabled=true,controller.replicas=2
refused "peering.enabled: each replica" --set peering.enabled=true,peering.advertise=192.0.2.7,controller.replicas=2
refused "manageExternalCRDs: this chart never installs" --set connectInject.apiGateway.manageExternalCRDs=true
refused "peering.advertise" --set peering.enabled=true
refused "serviceType" --set connectInject.apiGateway.managedGatewayClass.serviceType=ExternalName
refused "mapPrivilegedContainerPorts" \
  --set connectInject.apiGateway.managedGatewayClass.mapPrivilegedContainerPorts=70000
refused "nodeSelektor" --set connectInject.apiGateway.managedGatewayClass.nodeSelektor.a=b
refused "replicas" --set controller.replicas=some
refused "k8sTag" --set syncCatalog.k8sTag=x
refused "timeoutSeconds" --set uninstallHook.timeoutSeconds=0

says no "resources: *$|cpu:|memory:"                                  # Specification B14.
says no "metrics"                                                     # Off by default.
says yes "  replicas: 3" --set controller.replicas=3
says yes "--metrics-port=9102" --set metrics.port=9102
says no "securitycontextconstraints"
says no "--sync-"
says yes "--sync-services=all" --set syncCatalog.enabled=true
says yes "--sync-deny-namespace=kube-system" --set syncCatalog.enabled=true
says no "--sync-namespace-suffix" --set syncCatalog.enabled=true,syncCatalog.addK8SNamespaceSuffix=false
says yes "resourceNames: \[\"restricted-v2\"\]" -f "$chart/values-openshift.yaml"
says yes "resourceNames: \[\"other\"\]" --set global.openshift.enabled=true \
  --set connectInject.apiGateway.managedGatewayClass.openshiftSCCName=other
says yes "mapPrivilegedContainerPorts: 2000" -f "$chart/values-openshift.yaml"
says yes "controllerName: strait.dev/gateway-controller"
says no "controllerName: hashicorp.com/consul-api-gateway-controller"
says yes "controllerName: hashicorp.com/consul-api-gateway-controller" --set gatewayClasses.consul.create=true
says yes "helm.sh/hook: pre-delete"
says no "helm.sh/hook" --set uninstallHook.enabled=false
says no "--keep-gateways"
says yes "--keep-gateways" --set uninstallHook.removeGateways=false
# A cluster without the Gateway API gets the controller and a word.
"$helm" template strait "$chart" --kube-version 1.37.0 >"$out/it" 2>/dev/null
if grep -q "kind: GatewayClass$" "$out/it"; then wrong "a GatewayClass without the Gateway API"; else ok; fi

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
