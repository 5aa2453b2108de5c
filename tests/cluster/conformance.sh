#!/usr/bin/env bash
# The Gateway API conformance suite against Strait, installed by its chart into a cluster of its own.
#
#   conformance.sh [OPTIONS] [-- FLAGS OF THE SUITE...]
#
#   --profiles LIST   profiles, comma separated (all five of gateways)
#   --run TEST        one test, by its short name; no report
#   --report FILE     where the report goes (docs/conformance/gateway-api-VERSION.yaml)
#   --keep            leaves the cluster up, and says how to reach it
#   --reuse           takes the cluster that is up, as it is
#
# The features are those that the GatewayClass' status lists. Prints the tests that failed and
# "N passed, N failed, N skipped". Logs are in build/logs/conformance. CLUSTER and CLUSTER_INDEX as in cluster.sh.
# Exit codes: 0 all passed, 1 some failed, 2 wrong use, 77 skipped, with the reason.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly SUITE_SECONDS_MAX=${SUITE_SECONDS_MAX:-3000} READY_SECONDS_MAX=120 VERSION=1.6.3
readonly CLASS=strait
here=tests/cluster
STRAIT_LAB=${STRAIT_LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/strait-lab}
export CLUSTER=${CLUSTER:-conformance} CLUSTER_INDEX=${CLUSTER_INDEX:-77}
logs=build/logs/conformance
profiles=GATEWAY-HTTP,GATEWAY-GRPC,GATEWAY-TLS,GATEWAY-TCP,GATEWAY-UDP
report=docs/conformance/gateway-api-$VERSION.yaml
one='' keep='' reuse=''

fail() { echo "conformance.sh: $*" >&2; exit 1; }
usage() { sed -n '2,/^set -euo/{/^set -euo/d;s/^# \{0,1\}//;p}' "$0"; }

while [ $# -gt 0 ]; do
  case $1 in
  --profiles) profiles=$2; shift ;;
  --run) one=$2; shift ;;
  --report) report=$2; shift ;;
  --keep) keep=1 ;;
  --reuse) reuse=1 keep=1 ;;
  --) shift; break ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
  esac
  shift
done

cluster() { "$here/cluster.sh" "$@"; }
kubectl() { cluster kubectl "$@"; }

install() {
  local image
  python3 deploy/image/build.py --out build/images --tag conformance
  cluster up
  for image in build/images/*.tar; do cluster load "$image"; done
  kubectl apply --server-side -f "$STRAIT_LAB/crd/experimental" >/dev/null
  kubectl wait --for=condition=Established crd --all --timeout="${READY_SECONDS_MAX}s" >/dev/null
  cluster exec "$STRAIT_LAB/bin/helm" install strait deploy/helm/strait \
    --namespace strait-system --create-namespace \
    --set controller.image.tag=conformance --set gateway.image.tag=conformance \
    --wait --timeout "${READY_SECONDS_MAX}s" ||
    fail "the chart did not install"
  kubectl wait --for=condition=Accepted "gatewayclass/$CLASS" --timeout="${READY_SECONDS_MAX}s"
}

logs_collect() {
  kubectl logs -n strait-system -l app.kubernetes.io/name=strait --tail=-1 --prefix >"$logs/controller.log" 2>&1 || true
  kubectl get gateways,pods,services -A >"$logs/objects.txt" 2>&1 || true
}

finish() {
  local code=$?
  if [ -n "$keep" ]; then
    echo "the cluster stays up: CLUSTER=$CLUSTER CLUSTER_INDEX=$CLUSTER_INDEX $here/cluster.sh kubectl get pods -A"
  else
    cluster down
  fi
  exit "$code"
}

# Of the code: the report of the run before is none of it.
version() {
  git diff --quiet HEAD -- . ':!docs/conformance' && git describe --always || git describe --always --dirty
}

main() {
  local reason passed failed skipped code=0 what
  reason=$("$here/build.sh" --missing)
  [ -z "$reason" ] || { echo "skipped: $reason"; exit 77; }
  mkdir -p "$logs"
  "$here/build.sh" >"$logs/build.log" || fail "see $logs/build.log"
  [ -n "$reuse" ] || [ ! -e "/run/netns/$CLUSTER" ] || fail "cluster $CLUSTER is up already; use --reuse, or end it"
  trap finish EXIT
  [ -n "$reuse" ] || install
  what=(-conformance-profiles="$profiles" -report-output="$PWD/$report" -cleanup-base-resources=false)
  mkdir -p "$(dirname "$report")"
  [ -z "$one" ] || what=(-run-test="$one" -cleanup-base-resources=false)
  cluster exec timeout "$SUITE_SECONDS_MAX" "$STRAIT_LAB/bin/gwapi-conformance.test" -test.v \
    -test.timeout "${SUITE_SECONDS_MAX}s" -gateway-class="$CLASS" \
    -usable-address="10.$CLUSTER_INDEX.192.200" -unusable-address="192.0.2.1" \
    -organization=strait -project=strait -url=https://strait.dev -contact=https://strait.dev \
    -version="$(version)" "${what[@]}" "$@" >"$logs/suite.log" 2>&1 || code=1
  logs_collect
  grep -aE '^ +--- FAIL' "$logs/suite.log" || true
  passed=$(grep -acE '^    --- PASS' "$logs/suite.log" || true)
  failed=$(grep -acE '^    --- FAIL' "$logs/suite.log" || true)
  skipped=$(grep -acE '^    --- SKIP' "$logs/suite.log" || true)
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$passed" -gt 0 ] || code=1
  [ "$code" -eq 0 ] || tail -n 5 "$logs/suite.log"
  return "$code"
}
main "$@"
