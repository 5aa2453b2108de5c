#!/usr/bin/env bash
# What the test cluster runs, built once from package registries by their ordinary clients.
#
#   build.sh                 all of it: kubernetes coredns conformance helm images load routes (about 15 minutes cold,
#                            2 cores)
#   build.sh PART...         only those
#   build.sh --missing       prints why the cluster cannot run here; nothing when it can
#
# The result is in STRAIT_LAB (default ~/.cache/strait-lab): bin/, crd/, images/. A part that is there is not built
# again.
# Exit codes: 0 done, 1 failed, 2 wrong use, 77 skipped, with the reason.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
STRAIT_LAB=${STRAIT_LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/strait-lab}
readonly KUBERNETES_VERSION=1.37.2 GATEWAY_API_VERSION=1.6.3 COREDNS_VERSION=1.15.0 HELM_VERSION=3.22.0
readonly PARTS="kubernetes coredns conformance helm images load routes"
readonly PROGRAMS="kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl"
readonly PACKAGES="etcd-server containerd runc containernetworking-plugins nftables iptables iproute2 openssl gcc
  libc6-dev python3"
readonly GO_MINOR_MIN=26 SKIPPED=77
bin=$STRAIT_LAB/bin

# GOTOOLCHAIN=local: build with the Go that is installed or say so, never fetch another one.
export GOTOOLCHAIN=local GOFLAGS="-mod=mod -p=${STRAIT_BUILD_JOBS:-2} -trimpath -buildvcs=false" CGO_ENABLED=0

missing() {
  local program minor
  [ "$(id -u)" -eq 0 ] || { echo "network namespaces and containers need root"; return; }
  for program in etcd containerd runc nft ip openssl python3; do
    command -v "$program" >/dev/null || { echo "$program is not installed; needed are: $(echo $PACKAGES)"; return; }
  done
  [ ! -x "$bin/kube-all" ] || return 0
  command -v go >/dev/null || { echo "no Kubernetes in $bin and no Go to build one"; return; }
  minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  [ "${minor:-0}" -ge "$GO_MINOR_MIN" ] ||
    echo "no Kubernetes in $bin, and $(go env GOVERSION) is too old to build one: 1.$GO_MINOR_MIN"
}

module_folder() { # MODULE VERSION
  (cd "$STRAIT_LAB/src" && go mod download -json "$1@v$2") | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p'
}
tidy() { go mod tidy 2>&1 | grep -v '^go: \(downloading\|finding\)' || true; }
work_folder() { # NAME: a module of our own, made of programs/NAME
  local folder=$STRAIT_LAB/src/$1
  mkdir -p "$folder"
  cp "$here/programs/$1/"*.go "$folder/"
  cd "$folder"
}

# Kubernetes replaces its staging modules by folders; whoever requires it names their releases instead.
build_kubernetes() {
  local source package flags="-s -w" program
  if [ ! -x "$bin/kube-all" ]; then
    source=$(module_folder k8s.io/kubernetes "$KUBERNETES_VERSION")
    work_folder kubernetes
    {
      printf 'module strait.test/kubernetes\n\ngo 1.26.0\n\n'
      printf 'require k8s.io/kubernetes v%s\n\nreplace (\n' "$KUBERNETES_VERSION"
      sed -n 's#^\t\(k8s.io/[a-z-]*\) => ./staging.*#\1#p' "$source/go.mod" | while read -r package; do
        printf '\t%s => %s v0.%s\n' "$package" "$package" "${KUBERNETES_VERSION#1.}"
      done
      echo ')'
    } >go.mod
    for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
      flags="$flags -X $package.gitVersion=v$KUBERNETES_VERSION -X $package.gitMajor=1 -X $package.gitTreeState=clean"
      flags="$flags -X $package.gitMinor=$(cut -d. -f2 <<<"$KUBERNETES_VERSION")"
    done
    tidy
    go build -ldflags "$flags" -o "$bin/kube-all" .
  fi
  for program in $PROGRAMS; do ln -sf kube-all "$bin/$program"; done
}

build_coredns() {
  [ ! -x "$bin/coredns" ] || return 0
  work_folder coredns
  printf 'module strait.test/coredns\n\ngo 1.26.0\n\n' >go.mod
  printf 'require github.com/coredns/coredns v%s\n' "$COREDNS_VERSION" >>go.mod
  tidy
  go build -ldflags '-s -w' -o "$bin/coredns" .
}

# The suite, its backend, and the CRDs of the same version.
build_conformance() {
  [ ! -x "$bin/gwapi-conformance.test" ] || [ ! -d "$STRAIT_LAB/crd/experimental" ] || return 0
  work_folder conformance
  printf 'module strait.test/conformance\n\ngo 1.26.0\n\nrequire (\n' >go.mod
  printf '\tsigs.k8s.io/gateway-api v%s\n\tsigs.k8s.io/gateway-api/conformance v%s\n)\n' \
    "$GATEWAY_API_VERSION" "$GATEWAY_API_VERSION" >>go.mod
  tidy
  go build -ldflags '-s -w' -o "$bin/echo-basic" sigs.k8s.io/gateway-api/conformance/echo-basic
  go test -c -ldflags '-s -w' -o "$bin/gwapi-conformance.test" .
  rm -rf "$STRAIT_LAB/crd"
  cp -r "$(module_folder sigs.k8s.io/gateway-api "$GATEWAY_API_VERSION")/config/crd" "$STRAIT_LAB/crd"
  rm -f "$STRAIT_LAB"/crd/*/kustomization.yaml
  chmod -R u+w "$STRAIT_LAB/crd"
}

build_helm() {
  [ ! -x "$bin/helm" ] || return 0
  GOFLAGS="-p=${STRAIT_BUILD_JOBS:-2} -trimpath -buildvcs=false" GOBIN=$bin \
    go install -ldflags '-s -w' "helm.sh/helm/v3/cmd/helm@v$HELM_VERSION"
}

# Images for containerd, made of local files only, under the names that the suite's manifests use.
build_images() {
  local suite
  suite=$(module_folder sigs.k8s.io/gateway-api/conformance "$GATEWAY_API_VERSION")
  names_of() {
    grep -rhoE "image: *[^ ]+/$1:[^ ]+" "$suite" --include='*.yaml' | awk '{print $2}' | sort -u | paste -sd, -
  }
  mkdir -p "$STRAIT_LAB/images"
  gcc -Os -static -s -o "$bin/pause" "$here/programs/pause.c"
  image() { python3 "$here/image.py" "$STRAIT_LAB/images/$1.tar" "$2" "/$3" "$bin/$3=/$3"; }
  image pause lab.local/pause:1 pause
  image echo "$(names_of echo-basic)" echo-basic
  image coredns "$(names_of coredns),lab.local/coredns:1" coredns
}

# Programs of our own that tests run beside the cluster, of Go's standard library only; built again when changed.
build_own() { # NAME
  [ ! -x "$bin/strait-$1" ] || [ -n "$(find "$here/programs/$1" -newer "$bin/strait-$1")" ] || return 0
  work_folder "$1"
  printf 'module strait.test/%s\n\ngo 1.26.0\n' "$1" >go.mod
  go build -ldflags '-s -w' -o "$bin/strait-$1" .
}
build_load() { build_own load; }
build_routes() { build_own routes; }

main() {
  local part reason started
  case ${1:-} in
  -h | --help) sed -n '2,/^set -euo/{/^set -euo/d;s/^# \{0,1\}//;p}' "$0"; return ;;
  --missing) missing; return ;;
  esac
  reason=$(missing)
  [ -z "$reason" ] || { echo "skipped: $reason"; return "$SKIPPED"; }
  mkdir -p "$bin" "$STRAIT_LAB/src" "$STRAIT_LAB/images"
  [ $# -gt 0 ] || set -- $PARTS
  for part in "$@"; do
    case " $PARTS " in *" $part "*) ;; *) echo "build.sh: no such part: $part (there are: $PARTS)" >&2; return 2 ;; esac
    started=$SECONDS
    "build_$part"
    echo "$part: $((SECONDS - started)) s"
  done
}
main "$@"
