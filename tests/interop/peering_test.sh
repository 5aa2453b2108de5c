#!/usr/bin/env bash
# A Strait datacenter and a real Consul datacenter peer with each other, in both directions of the token.
#
#   peering_test.sh            STRAIT names the program (default: build/release/cmd/strait)
#
# Each exports a service to the other; each must list it, see a change within a second, and be ACTIVE again
# after either side was restarted. Prints what was measured. Exit 77: skipped, with the reason.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/interop/consul.sh
source "$here/consul.sh"
STRAIT=${STRAIT:-$here/../../build/release/cmd/strait}
state=$(mktemp -d)
export CONSUL_STATE=$state/consul
strait_pid=""
passed=0

cleanup() {
  local code=$?
  if [ "$code" -ne 0 ] && [ "$code" -ne "$SKIPPED" ]; then
    tail -n 30 "$state"/strait*.log
    grep -i peer "$CONSUL_STATE"/consul*.log | tail -n 30
    echo "$passed passed, 1 failed"
  fi
  [ -z "$strait_pid" ] || kill "$strait_pid" 2>/dev/null || true
  consul_stop consul1 || true
  consul_stop consul2 || true
  rm -rf "$state"
}
trap cleanup EXIT

reason=$(consul_skip_reason)
[ -z "$reason" ] || { echo "skipped: $reason"; exit "$SKIPPED"; }
consul_build >/dev/null

strait_start() { # NAME ADDRESS
  "$STRAIT" agent --datacenter "$1" --node-name "$1-node" --bind "$2" --data-dir "$state/$1" --proxy external \
    --ready-port 0 >>"$state/$1.log" 2>&1 &
  strait_pid=$!
  wait_until "the agent of $1" answer_has "http://$2:8500/v1/status/leader" 8300
  wait_until "the certificate authority of $1" answer_has "http://$2:8500/v1/connect/ca/roots" BEGIN
}
strait_stop() {
  kill "$strait_pid"
  wait "$strait_pid" || { echo "FAILED: the agent ended with code $?"; strait_pid=""; return 1; }
  strait_pid=""
}
ok() { echo "ok  $*"; passed=$((passed + 1)); }

# Waits until a service imported at ADDRESS from PEER has COUNT instances; prints the milliseconds it took.
imported_within() { # ADDRESS PEER SERVICE COUNT
  python3 - "$@" "$WAIT_SECONDS_MAX" <<'P'
import json, sys, time, urllib.request
address, peer, service, count, limit = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5])
begin = time.monotonic()
seen = None
while time.monotonic() - begin < limit:
    try:
        url = f"http://{address}:8500/v1/health/service/{service}?peer={peer}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            seen = len(json.load(answer))
    except OSError as error:
        seen = error
    if seen == count:
        print(int((time.monotonic() - begin) * 1000))
        sys.exit(0)
    time.sleep(0.01)
sys.exit(f"{address}: {service} of peer {peer}: {seen} instances after {limit} s, expected {count}")
P
}
register_second() { # ADDRESS SERVICE
  curl -sf -X PUT "http://$1:8500/v1/agent/service/register" \
    -d "{\"ID\":\"$2-two\",\"Name\":\"$2\",\"Port\":7777,\"Address\":\"127.0.0.9\"}"
}

# The one at ACCEPTOR makes the token, the one at DIALER establishes with it.
peer_and_check() { # STRAIT-ADDRESS STRAIT-NAME CONSUL-ADDRESS CONSUL-NAME ACCEPTOR
  local strait=$1 sname=$2 consul=$3 cname=$4 acceptor=$5 token took
  consul_register "$strait" from-strait 9001 127.0.0.7
  consul_register "$consul" from-consul 9002 127.0.0.8
  consul_export "$strait" from-strait "$cname"
  consul_export "$consul" from-consul "$sname"
  if [ "$acceptor" = strait ]; then
    token=$(consul_token "$strait" "$cname")
    consul_establish "$consul" "$sname" "$token"
  else
    # A Consul that has just started may not be able to sign yet, nor to be reached by TLS.
    wait_until "a token of $cname" consul_token "$consul" "$sname"
    token=$(consul_token "$consul" "$sname")
    wait_until "$cname takes $sname" consul_establish "$strait" "$cname" "$token"
  fi
  wait_until "ACTIVE at $sname" peering_is_active "$strait" "$cname"
  wait_until "ACTIVE at $cname" peering_is_active "$consul" "$sname"
  ok "token of $acceptor: both sides are ACTIVE"
  took=$(imported_within "$strait" "$cname" from-consul 1)
  ok "Strait lists Consul's service (after $took ms)"
  took=$(imported_within "$consul" "$sname" from-strait 1)
  ok "Consul lists Strait's service (after $took ms)"

  register_second "$consul" from-consul
  took=$(imported_within "$strait" "$cname" from-consul 2)
  [ "$took" -lt 1000 ] || { echo "FAILED: Strait saw Consul's change after $took ms"; exit 1; }
  ok "Strait sees a change of Consul's within $took ms"
  register_second "$strait" from-strait
  took=$(imported_within "$consul" "$sname" from-strait 2)
  [ "$took" -lt 1000 ] || { echo "FAILED: Consul saw Strait's change after $took ms"; exit 1; }
  ok "Consul sees a change of Strait's within $took ms"

  strait_stop
  strait_start "$sname" "$strait"
  wait_until "ACTIVE at $sname after its restart" peering_is_active "$strait" "$cname"
  wait_until "ACTIVE at $cname after $sname's restart" peering_is_active "$consul" "$sname"
  ok "ACTIVE on both sides after Strait was restarted"
  consul_stop "$cname"
  consul_start "$cname" "$consul"
  WAIT_SECONDS_MAX=90 # A dialing peer may wait a minute before it tries again.
  wait_until "ACTIVE at $cname after its restart" peering_is_active "$consul" "$sname"
  wait_until "ACTIVE at $sname after $cname's restart" peering_is_active "$strait" "$cname"
  WAIT_SECONDS_MAX=30
  ok "ACTIVE on both sides after Consul was restarted"
}

round() { # NUMBER ACCEPTOR
  strait_start "strait$1" "127.0.3$1.1"
  consul_start "consul$1" "127.0.3$1.2"
  peer_and_check "127.0.3$1.1" "strait$1" "127.0.3$1.2" "consul$1" "$2"
  strait_stop
  consul_stop "consul$1"
}
for number in 1 2; do
  acceptor=strait
  [ "$number" = 1 ] || acceptor=consul
  round "$number" "$acceptor"
done
echo "$passed passed, 0 failed"
