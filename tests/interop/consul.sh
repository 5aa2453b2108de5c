#!/usr/bin/env bash
# A real Consul to test against: built once from the Go module proxy, started on addresses of its own.
#
#   consul.sh build                     builds the agent (about 5 minutes, once); its path is printed
#   consul.sh path                      prints the path of the agent, whether it is there or not
#   consul.sh start NAME ADDRESS        starts a one-server datacenter NAME that listens on ADDRESS (a 127.x
#                                       address): HTTP 8500, gRPC 8502, peering gRPC with TLS 8503
#   consul.sh stop NAME                 stops it; its data stay in place, a later start finds them
#   consul.sh erase NAME                stops it and removes its data
#   consul.sh peer NAME1 ADDRESS1 NAME2 ADDRESS2
#                                       peers two running agents: a token from the first, established at the second
#   consul.sh check                     two agents, peered, "billing" exported from one to the other; then erased
#
# Exit codes: 0 done, 1 failed, 2 wrong use, 77 skipped (Go is not installed), with the reason.
# The agent and its data live outside the source tree, in STRAIT_LAB (default ~/.cache/strait-lab).
# CONSUL_BINARY names an agent that is already installed. A test may also source this file for its functions.
#
# Consul is under the Business Source License from 1.16.4 on: it is run here as a test peer, nothing of it is copied.
set -euo pipefail

CONSUL_VERSION=${CONSUL_VERSION:-1.20.5}
STRAIT_LAB=${STRAIT_LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/strait-lab}
CONSUL_BINARY=${CONSUL_BINARY:-$STRAIT_LAB/bin/consul-$CONSUL_VERSION}
CONSUL_STATE=${CONSUL_STATE:-$STRAIT_LAB/consul}
WAIT_SECONDS_MAX=${WAIT_SECONDS_MAX:-30}
readonly SKIPPED=77

consul_skip_reason() { # prints why Consul cannot be had here; nothing when it can
  [ ! -x "$CONSUL_BINARY" ] || return 0
  command -v go >/dev/null 2>&1 || { echo "no Consul at $CONSUL_BINARY and no Go to build one"; return 0; }
  local minor
  minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  [ "${minor:-0}" -ge 23 ] || echo "no Consul at $CONSUL_BINARY, and $(go env GOVERSION) is too old to build one: 1.23"
}

# Consul's module replaces its own submodules by folders of its repository, which a module proxy cannot serve.
# A wrapper module that requires it names their published versions instead, as listed in Consul's own go.mod.
consul_build() {
  [ ! -x "$CONSUL_BINARY" ] || { echo "$CONSUL_BINARY"; return 0; }
  local reason work source
  reason=$(consul_skip_reason)
  [ -z "$reason" ] || { echo "skipped: $reason" >&2; return "$SKIPPED"; }
  work=$STRAIT_LAB/src/consul-$CONSUL_VERSION
  mkdir -p "$work" "$(dirname "$CONSUL_BINARY")"
  # GOTOOLCHAIN=local: build with the Go that is installed or say so, never fetch another one.
  export GOTOOLCHAIN=local CGO_ENABLED=0 GOFLAGS="-mod=mod -p=${CONSUL_BUILD_JOBS:-2} -trimpath -buildvcs=false"
  cd "$work"
  source=$(cd "$STRAIT_LAB/src" && go mod download -json "github.com/hashicorp/consul@v$CONSUL_VERSION" |
    sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
  [ -d "$source" ] || { echo "consul.sh: the module proxy does not serve Consul v$CONSUL_VERSION" >&2; return 1; }
  {
    printf 'module strait.test/consul\n\ngo %s\n\n' "$(go env GOVERSION | sed 's/^go//; s/[^0-9.].*//')"
    sed -n '/^exclude (/,/^)/p' "$source/go.mod"
    # The release of consul-awsauth that 1.20.5 asks for has no entry in the checksum database; the next one has.
    printf '\nrequire (\n\tgithub.com/hashicorp/consul v%s\n' "$CONSUL_VERSION"
    printf '\tgithub.com/hashicorp/consul-awsauth v0.0.0-20250825122907-9e35fe9ded3a\n)\n\nreplace (\n'
    grep -oE 'github.com/hashicorp/consul/[a-z-]+ v[0-9.]+' "$source/go.mod" |
      while read -r module version; do printf '\t%s => %s %s\n' "$module" "$module" "$version"; done
    echo ')'
  } >go.mod
  printf '//go:build tools\n\npackage tools\n\nimport _ "github.com/hashicorp/consul"\n' >tools.go
  { go mod tidy && go build -ldflags '-s -w' -o "$CONSUL_BINARY.part" github.com/hashicorp/consul; } >build.log 2>&1 ||
    { echo "consul.sh: the build failed; $work/build.log ends:" >&2; tail -n 15 build.log >&2; return 1; }
  mv "$CONSUL_BINARY.part" "$CONSUL_BINARY"
  echo "$CONSUL_BINARY"
}

# Polls until the command succeeds; fails, naming what was awaited, after WAIT_SECONDS_MAX.
wait_until() { # TEXT COMMAND...
  local text=$1 end=$((SECONDS + WAIT_SECONDS_MAX))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || { echo "consul.sh: waited $WAIT_SECONDS_MAX s for $text" >&2; return 1; }
    sleep 0.2
  done
}
answer_has() { curl -sf --max-time 5 "$1" | grep -q -- "$2"; } # URL TEXT
peering_is_active() { answer_has "http://$1:8500/v1/peering/$2" '"State":"ACTIVE"'; } # ADDRESS PEER
peer_exports() { answer_has "http://$1:8500/v1/health/service/$3?peer=$2" "\"$3\""; } # ADDRESS PEER SERVICE

consul_running() { # NAME: is the process of its pid file ours?
  local pid
  pid=$(cat "$CONSUL_STATE/$1.pid" 2>/dev/null) || return 1
  grep -qa -- "$CONSUL_STATE/$1.hcl" "/proc/$pid/cmdline" 2>/dev/null
}

consul_start() { # NAME ADDRESS
  local name=$1 address=$2 log=$CONSUL_STATE/$1.log
  [ -x "$CONSUL_BINARY" ] || { echo "consul.sh: no agent at $CONSUL_BINARY; run: $0 build" >&2; return 1; }
  ! consul_running "$name" || { echo "consul.sh: $name runs already" >&2; return 1; }
  mkdir -p "$CONSUL_STATE"
  cat >"$CONSUL_STATE/$name.hcl" <<HCL
datacenter = "$name"
node_name = "$name-server"
bind_addr = "$address"
client_addr = "$address"
server = true
bootstrap_expect = 1
data_dir = "$CONSUL_STATE/$name"
log_level = "INFO"
disable_update_check = true
connect { enabled = true }
peering { enabled = true }
ports { grpc = 8502 grpc_tls = 8503 serf_wan = -1 }
HCL
  setsid "$CONSUL_BINARY" agent -config-file "$CONSUL_STATE/$name.hcl" >"$log" 2>&1 </dev/null &
  echo $! >"$CONSUL_STATE/$name.pid"
  wait_until "the leader of $name at $address (log: $log)" answer_has "http://$address:8500/v1/status/leader" 8300
  # Peering needs the mesh's certificate authority, which the new leader makes last.
  wait_until "the certificate authority of $name" answer_has "http://$address:8500/v1/connect/ca/roots" BEGIN
}

consul_stop() { # NAME
  local pid
  consul_running "$1" || { rm -f "$CONSUL_STATE/$1.pid"; return 0; }
  pid=$(cat "$CONSUL_STATE/$1.pid")
  kill "$pid"
  wait_until "$1 (process $pid) to end" bash -c "! kill -0 $pid"
  rm -f "$CONSUL_STATE/$1.pid"
}
consul_erase() { # NAME
  consul_stop "$1"
  rm -rf "${CONSUL_STATE:?}/$1" "$CONSUL_STATE/$1.hcl" "$CONSUL_STATE/$1.log"
}

post_or_put() { curl -sS --fail-with-body "$@"; } # shows what the agent says of a failure

consul_register() { # ADDRESS SERVICE PORT SERVICE-ADDRESS
  post_or_put -X PUT "http://$1:8500/v1/agent/service/register" \
    -d "{\"Name\":\"$2\",\"Port\":$3,\"Address\":\"$4\"}"
}
consul_export() { # ADDRESS SERVICE PEER
  local services="[{\"Name\":\"$2\",\"Consumers\":[{\"Peer\":\"$3\"}]}]"
  wait_until "$1 to export $2 to $3" curl -sf -X PUT "http://$1:8500/v1/config" \
    -d "{\"Kind\":\"exported-services\",\"Name\":\"default\",\"Services\":$services}"
}
consul_token() { # ADDRESS PEER: prints a peering token for PEER
  post_or_put -X POST "http://$1:8500/v1/peering/token" -d "{\"PeerName\":\"$2\"}" |
    sed -n 's/.*"PeeringToken":"\([^"]*\)".*/\1/p'
}
consul_establish() { # ADDRESS PEER TOKEN
  post_or_put -X POST "http://$1:8500/v1/peering/establish" \
    -d "{\"PeerName\":\"$2\",\"PeeringToken\":\"$3\"}"
}
consul_peer() { # NAME1 ADDRESS1 NAME2 ADDRESS2
  local token
  token=$(consul_token "$2" "$3")
  [ -n "$token" ] || { echo "consul.sh: $1 gave no token" >&2; return 1; }
  wait_until "$3 to accept the token" consul_establish "$4" "$1" "$token"
  wait_until "the peering to be ACTIVE at $1" peering_is_active "$2" "$3"
  wait_until "the peering to be ACTIVE at $3" peering_is_active "$4" "$1"
}

consul_check() {
  local first=127.0.211.1 second=127.0.212.1
  trap 'consul_erase check1; consul_erase check2' EXIT
  consul_erase check1; consul_erase check2
  consul_start check1 "$first"
  consul_start check2 "$second"
  consul_register "$first" billing 9090 127.0.211.9
  consul_export "$first" billing check2
  consul_peer check1 "$first" check2 "$second"
  wait_until "billing of check1 to be listed at check2" peer_exports "$second" check1 billing
  echo "peered: check2 lists billing of check1"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  usage() { sed -n '2,/^set -euo/{/^set -euo/d;s/^# \{0,1\}//;p}' "$0"; }
  case ${1:-help} in
  build) consul_build ;;
  path) echo "$CONSUL_BINARY" ;;
  start) [ $# -eq 3 ] || { usage >&2; exit 2; }; consul_start "$2" "$3" ;;
  stop) [ $# -eq 2 ] || { usage >&2; exit 2; }; consul_stop "$2" ;;
  erase) [ $# -eq 2 ] || { usage >&2; exit 2; }; consul_erase "$2" ;;
  peer) [ $# -eq 5 ] || { usage >&2; exit 2; }; consul_peer "$2" "$3" "$4" "$5" ;;
  check) consul_build >/dev/null && consul_check ;;
  help | -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
  esac
fi
