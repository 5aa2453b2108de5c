#!/usr/bin/env bash
# Two datacenters, peered, and a gateway in dc1 that routes to services in both. `./dev demo` builds first and then runs
# this.
#
#   deploy/demo.sh           stays up until Ctrl-C and prints the addresses to try
#   deploy/demo.sh --once    ends by itself; exit 1 if any expectation failed
#
# Everything listens on loopback addresses: 127.0.11.x is dc1, 127.0.12.x is dc2. State is kept in a temporary
# directory that goes away at the end; logs stay in build/logs/demo.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

once=''
case "${1:-}" in
"") ;;
--once) once=1 ;;
-h | --help) sed -n '2,/^set -uo/{/^set -uo/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
*) echo "demo.sh: unknown argument $1 (there is only --once)" >&2; exit 2 ;;
esac

readonly BIN=${STRAIT_BIN:-build/release/cmd}
readonly LOGS=${STRAIT_DEMO_LOGS:-build/logs/demo}
readonly DC1=127.0.11.1 DC2=127.0.12.1          # The agents and the gateways.
readonly WEB1=127.0.11.2 WEB2=127.0.11.3 ECHO=127.0.11.4 API=127.0.12.2
readonly HOST=shop.example
readonly START_SECONDS=30 CHANGE_SECONDS=30 END_SECONDS=15 # How long a process, a change, an end may take.
readonly REQUESTS=100 SHARE_OF_WEB=75 SHARE_TOLERANCE=2

failed=0 checked=0 pids=() names=() work=''

# --- what the demo is told by ---

title() { printf '\n== %s\n' "$*"; }
say() { printf '   %s\n' "$*"; }
shown() { printf '   $ %s\n' "$*"; }
indent() { sed 's/^/     /'; }

ok() { checked=$((checked + 1)); printf '   ok      %s\n' "$1"; }
bad() { # TEXT [WHAT CAME INSTEAD]
  checked=$((checked + 1)) failed=$((failed + 1))
  printf '   FAILED  %s\n' "$1"
  [ -z "${2:-}" ] || printf '%s\n' "$2" | head -n 20 | sed 's/^/           /'
}
expect() { # TEXT WANTED GOT: the text must stand in what came
  case $3 in *"$2"*) ok "$1" ;; *) bad "$1" "expected: $2"$'\n'"got: ${3:-(nothing)}" ;; esac
}

# --- processes ---

give_up() { # TEXT
  printf '\ndemo.sh: %s\n' "$1" >&2
  printf 'The logs are in %s\n' "$LOGS" >&2
  exit 1
}

start() { # NAME COMMAND...
  local name=$1
  shift
  "$@" >"$LOGS/$name.log" 2>&1 </dev/null &
  pids+=($!) names+=("$name")
}
pid_of() { # NAME
  local i
  for i in "${!names[@]}"; do [ "${names[i]}" != "$1" ] || echo "${pids[i]}"; done
}

# Ends everything that was started; agents and gateways come to an orderly end by themselves.
end_all() {
  local i code unclean=''
  [ ${#pids[@]} -gt 0 ] || return 0
  kill "${pids[@]}" 2>/dev/null
  wait_quietly $END_SECONDS none_running || kill -9 "${pids[@]}" 2>/dev/null
  for i in "${!pids[@]}"; do
    wait "${pids[i]}" 2>/dev/null
    code=$?
    case ${names[i]}:$code in
    *:0 | *-1:143 | *-2:143) ;; # The small services know no other end.
    *) unclean="$unclean ${names[i]}($code)" ;;
    esac
  done
  pids=() names=()
  if [ -z "$unclean" ]; then ok "agents and gateways ended in order"; else
    bad "agents and gateways ended in order" "exit codes:$unclean"
  fi
}
finish() {
  trap - EXIT
  trap '' INT TERM
  end_all
  [ -z "$work" ] || rm -rf "$work"
}
none_running() { local pid; for pid in "${pids[@]}"; do ! kill -0 "$pid" 2>/dev/null || return 1; done; }

# Tries a command again and again until it succeeds.
wait_quietly() { # SECONDS COMMAND...
  local until=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$until" ] || return 1
    sleep 0.1
  done
}
# The same for what must come: the demo has no sense without it.
wait_for() { # TEXT NAME SECONDS COMMAND...
  local text=$1 name=$2 seconds=$3 until=$((SECONDS + $3)) pid
  shift 3
  pid=$(pid_of "$name")
  until "$@" >/dev/null 2>&1; do
    if [ -n "$pid" ] && ! kill -0 "$pid" 2>/dev/null; then
      bad "$text" "$name has ended:"$'\n'"$(tail -n 15 "$LOGS/$name.log")"
      give_up "$name does not run"
    fi
    if [ "$SECONDS" -ge "$until" ]; then
      bad "$text" "not within $seconds s; the end of $name.log:"$'\n'"$(tail -n 15 "$LOGS/$name.log")"
      give_up "waited $seconds s for: $text"
    fi
    sleep 0.1
  done
  ok "$text"
}

# --- the two sides ---

dc1() { "$BIN/strait" --http-addr "$DC1:8500" "$@"; }
dc2() { "$BIN/strait" --http-addr "$DC2:8500" "$@"; }
show_dc() { # 1|2 ARGUMENTS...
  local side=dc$1
  shift
  shown "strait --http-addr $([ "$side" = dc1 ] && echo $DC1 || echo $DC2):8500 $*"
  "$side" "$@" 2>&1 | indent
  return "${PIPESTATUS[0]}"
}
must() { # COMMAND...: a step that everything after it needs
  "$@" || { bad "$*"; give_up "a step failed"; }
}
answers() { curl -sf --max-time 2 -o /dev/null "$1"; } # URL
listens() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; } # IP PORT
request() { # PATH [CURL ARGUMENTS...]: over HTTP; body, headers first
  local path=$1
  shift
  curl -s -i --max-time 10 --resolve "$HOST:8080:$DC1" "$@" "http://$HOST:8080$path" | tr -d '\r'
}
service_in() { sed -n 's/^{"service":"\([^"]*\)","datacenter":"\([^"]*\)".*/\1 in \2/p'; }

# --- the steps ---

prepare() {
  local program address taken=''
  title "Before: programs, addresses, directories"
  for program in strait strait-gateway strait-demo-backend; do
    [ -x "$BIN/$program" ] || give_up "$BIN/$program is not built: ./dev demo builds it"
  done
  for program in curl openssl; do
    command -v "$program" >/dev/null || give_up "$program is not installed: ./dev deps installs it"
  done
  for address in $DC1:{8500,8502,8503,8080,8443,9000,20000} $DC2:{8500,8502,8503,8080,8443,20000} \
    $WEB1:7001 $WEB2:7001 $ECHO:7002 $API:7001; do
    ! listens "${address%:*}" "${address#*:}" || taken="$taken $address"
  done
  [ -z "$taken" ] || give_up "something listens already on$taken; does another demo run?"
  mkdir -p "$LOGS"
  rm -f "$LOGS"/*.log
  work=$(mktemp -d) || give_up "no temporary directory"
  chmod 700 "$work"
  say "$("$BIN/strait" version | head -n 1), state in $work, logs in $LOGS"
}

start_backends() {
  title "Four small services: web twice and echo in dc1, api in dc2"
  start web-1 "$BIN/strait-demo-backend" --name web-1 --datacenter dc1 --bind $WEB1 --http 7001
  start web-2 "$BIN/strait-demo-backend" --name web-2 --datacenter dc1 --bind $WEB2 --http 7001
  start echo-1 "$BIN/strait-demo-backend" --name echo-1 --datacenter dc1 --bind $ECHO --tcp 7002
  start api-1 "$BIN/strait-demo-backend" --name api-1 --datacenter dc2 --bind $API --http 7001
  wait_for "web-1 answers on $WEB1:7001" web-1 $START_SECONDS answers "http://$WEB1:7001/"
  wait_for "web-2 answers on $WEB2:7001" web-2 $START_SECONDS answers "http://$WEB2:7001/"
  wait_for "echo-1 listens on $ECHO:7002" echo-1 $START_SECONDS listens $ECHO 7002
  wait_for "api-1 answers on $API:7001" api-1 $START_SECONDS answers "http://$API:7001/"
}

start_agents() {
  title "Two agents, each with its own store"
  start agent-dc1 "$BIN/strait" agent --datacenter dc1 --node-name agent-1 --bind $DC1 --proxy external \
    --data-dir "$work/dc1"
  start agent-dc2 "$BIN/strait" agent --datacenter dc2 --node-name agent-2 --bind $DC2 --proxy external \
    --data-dir "$work/dc2"
  wait_for "the agent of dc1 answers on $DC1:8500" agent-dc1 $START_SECONDS answers "http://$DC1:8500/v1/agent/self"
  wait_for "the agent of dc2 answers on $DC2:8500" agent-dc2 $START_SECONDS answers "http://$DC2:8500/v1/agent/self"
  must show_dc 1 members
  must show_dc 2 members
}

register() {
  title "The services are registered: web and echo as Kubernetes objects, api by Consul's HTTP API"
  must show_dc 1 apply -f deploy/demo/dc1/services.yaml
  shown "curl -X PUT --data @deploy/demo/dc2/api.json http://$DC2:8500/v1/agent/service/register"
  must curl -sS --fail-with-body -X PUT --data @deploy/demo/dc2/api.json "http://$DC2:8500/v1/agent/service/register"
  wait_for "api passes its HTTP check in dc2" agent-dc2 $CHANGE_SECONDS dc2 health api --passing
  show_dc 2 health api
}

peer() {
  title "dc2 makes a token and dc1 becomes its peer, both by gRPC"
  shown "strait peering generate-token --name dc1 --grpc-addr $DC2:8502 >token"
  must dc2 peering generate-token --name dc1 --grpc-addr $DC2:8502 >"$work/token"
  say "a token of $(wc -c <"$work/token" | tr -d ' ') bytes"
  must show_dc 1 peering establish --name dc2 --peering-token "@$work/token" --grpc-addr $DC1:8502 \
    --wait ${CHANGE_SECONDS}s
  wait_for "dc1 says that the peering with dc2 is ACTIVE" agent-dc1 $CHANGE_SECONDS \
    peering_says dc1 dc2 '"State":"ACTIVE"'
  wait_for "dc2 says that the peering with dc1 is ACTIVE" agent-dc2 $CHANGE_SECONDS \
    peering_says dc2 dc1 '"State":"ACTIVE"'
  expect "the token does not work a second time" "invalid peering establishment secret" \
    "$(dc1 peering establish --name again --peering-token "@$work/token" 2>&1)"
}
peering_says() { "$1" peering read --name "$2" -o json | grep -qF "$3"; } # SIDE PEER JSON

export_api() {
  title "dc2 exports api to dc1, and lets the gateway of dc1 call it"
  must show_dc 2 config write deploy/demo/dc2/exports.json
  must show_dc 2 config write deploy/demo/dc2/intentions.json
}

start_gateways() {
  title "A gateway process in each datacenter"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$HOST" \
    -addext "subjectAltName=DNS:$HOST" -keyout "$work/key.pem" -out "$work/certificate.pem" \
    >"$LOGS/openssl.log" 2>&1 || give_up "openssl made no certificate, see $LOGS/openssl.log"
  cat >"$work/secret.yaml" <<YAML
apiVersion: v1
kind: Secret
metadata: {name: shop-certificate, namespace: default}
type: kubernetes.io/tls
data:
  tls.crt: $(base64 -w 0 "$work/certificate.pem")
  tls.key: $(base64 -w 0 "$work/key.pem")
YAML
  start gateway-dc1 "$BIN/strait-gateway" --gateway default/edge --agent $DC1:8502 --data-dir "$work/edge" \
    --address $DC1 --ready-address $DC1 --ready-port 20000 --workers 1 --access-log json
  start gateway-dc2 "$BIN/strait-gateway" --gateway default/east --agent $DC2:8502 --data-dir "$work/east" \
    --address $DC2 --ready-address $DC2 --ready-port 20000 --workers 1 --access-log json
  must show_dc 2 apply -f deploy/demo/dc2/gateway.yaml
  must show_dc 1 apply -f "$work/secret.yaml" -f deploy/demo/dc1/gateway.yaml -f deploy/demo/dc1/routes.yaml
  wait_for "the gateway of dc1 is ready" gateway-dc1 $START_SECONDS answers "http://$DC1:20000/ready"
  wait_for "the gateway of dc2 is ready" gateway-dc2 $START_SECONDS answers "http://$DC2:20000/ready"
  wait_for "dc1 sees api of dc2 as passing" agent-dc1 $CHANGE_SECONDS dc1 health api --peer dc2 --passing
  wait_for "the gateway of dc1 serves its newest configuration" gateway-dc1 $CHANGE_SECONDS in_step dc1
  wait_for "a request crosses to dc2" gateway-dc1 $CHANGE_SECONDS crosses
}
in_step() { "$1" gateway status | grep -q 'in step'; } # SIDE
crosses() { request / -H 'x-canary: yes' | grep -q '"service":"api-1"'; }

send_requests() {
  local all web api other answer
  title "Requests to http://$HOST:8080 in dc1"
  shown "curl http://$HOST:8080/item/[1-$REQUESTS]"
  all=$(curl -s --max-time 60 --resolve "$HOST:8080:$DC1" "http://$HOST:8080/item/[1-$REQUESTS]")
  printf '%s\n' "$all" | service_in | sort | uniq -c | sed 's/^ */     /'
  web=$(printf '%s\n' "$all" | grep -c '"service":"web-')
  api=$(printf '%s\n' "$all" | grep -c '"service":"api-')
  other=$((REQUESTS - web - api))
  if [ "$other" -eq 0 ]; then ok "all $REQUESTS requests were answered"; else
    bad "all $REQUESTS requests were answered" "$other were not"$'\n'"$(printf '%s\n' "$all" | grep -v '"service"')"
  fi
  if [ "$web" -ge $((SHARE_OF_WEB - SHARE_TOLERANCE)) ] && [ "$web" -le $((SHARE_OF_WEB + SHARE_TOLERANCE)) ]; then
    ok "the split is 75/25: $web by web in dc1, $api by api in dc2"
  else bad "the split is 75/25" "$web by web in dc1, $api by api in dc2"; fi
  for answer in web-1 web-2; do expect "$answer had its part" "\"service\":\"$answer\"" "$all"; done

  title "Rules on header and path"
  answer=$(for _ in 1 2 3 4 5 6 7 8; do request /item -H 'x-canary: yes' | service_in; done | sort | uniq -c)
  shown "curl -H 'x-canary: yes' http://$HOST:8080/item    (8 times)"
  printf '%s\n' "$answer" | sed 's/^ */     /'
  expect "x-canary: yes goes to api in dc2, always" "8 api-1 in dc2" "$answer"
  answer=$(request /exact)
  shown "curl -i http://$HOST:8080/exact"
  printf '%s\n' "$answer" | grep -iE '^(HTTP|x-rule|x-served-by)' | indent
  expect "/exact goes to web" '"service":"web-' "$answer"
  expect "and carries the header that the rule sets" "x-rule: exact" "$answer"
  answer=$(request /exact/more)
  case $answer in
  *"x-rule"*) bad "/exact/more is not /exact" "$answer" ;;
  *'"service":"'*) ok "/exact/more is not /exact" ;;
  *) bad "/exact/more is not /exact" "$answer" ;;
  esac
  expect "another host is nobody's: 404" "HTTP/1.1 404" \
    "$(curl -s -i --max-time 10 "http://$DC1:8080/" -H 'Host: other.example' | tr -d '\r')"

  title "HTTPS and TCP"
  shown "curl --cacert certificate.pem https://$HOST:8443/secure"
  answer=$(curl -sS -i --max-time 10 --cacert "$work/certificate.pem" --resolve "$HOST:8443:$DC1" \
    "https://$HOST:8443/secure" 2>&1 | tr -d '\r')
  printf '%s\n' "$answer" | service_in | indent
  expect "HTTPS is answered, with the certificate of the Secret" '"path":"/secure"' "$answer"
  shown "echo 'through the gateway' > /dev/tcp/$DC1/9000"
  answer=$(talk_tcp "through the gateway")
  printf '%s\n' "$answer" | indent
  expect "the TCP listener reaches echo-1" "hello from echo-1 (dc1)" "$answer"
  expect "and the echo comes back" "through the gateway" "$answer"
  answer=$(curl -s --max-time 10 "http://$DC2:8080/")
  expect "dc2's own gateway serves api to clients there" '"service":"api-1"' "$answer"
}
talk_tcp() { # LINE: what comes back, greeting and echo
  local line
  {
    printf '%s\n' "$1" >&3
    for _ in 1 2; do IFS= read -r -t 10 line <&3 && printf '%s\n' "$line"; done
  } 3<>"/dev/tcp/$DC1/9000" 2>&1
}

show_state() {
  local seen
  title "What each side knows"
  show_dc 1 catalog services
  show_dc 1 catalog services --peer dc2
  seen=$(dc1 catalog services --peer dc2)
  expect "dc1 has imported api" "api" "$seen"
  show_dc 1 health api --peer dc2
  show_dc 2 catalog services
  expect "dc2 has api" "api" "$(dc2 catalog services)"
  title "Peering"
  # What the stream did is reported once a second.
  wait_for "dc2 says that it exports api to dc1" agent-dc2 $CHANGE_SECONDS \
    peering_says dc2 dc1 '"ExportedServices":["api"]'
  wait_for "dc1 says that it imports api from dc2" agent-dc1 $CHANGE_SECONDS \
    peering_says dc1 dc2 '"ImportedServices":["api"]'
  show_dc 1 peering list -o wide
  show_dc 2 peering list -o wide
  title "Gateways and routes"
  show_dc 1 get gateway -o wide
  show_dc 1 get httproute -o wide
  show_dc 1 get tcproute -o wide
  seen=$(dc1 get gateway edge -o json)
  expect "the Gateway is programmed" '"type":"Programmed","status":"True"' "$seen"
  show_dc 1 gateway status
  show_dc 2 gateway status
  expect "the proxy of edge serves its newest configuration" "in step" "$(dc1 gateway status)"
}

stay_up() {
  title "Up. Try these; Ctrl-C ends everything"
  cat <<TEXT
   curl --resolve $HOST:8080:$DC1 http://$HOST:8080/
   curl --resolve $HOST:8080:$DC1 http://$HOST:8080/ -H 'x-canary: yes'
   curl -k --resolve $HOST:8443:$DC1 https://$HOST:8443/
   curl http://$DC2:8080/                                  the gateway of dc2
   curl http://$DC1:8500/v1/catalog/services               Consul's API, dc1
   curl 'http://$DC2:8500/v1/peerings?pretty'              Consul's API, dc2
   curl http://$DC1:8500/metrics                           for Prometheus
   $BIN/strait --http-addr $DC1:8500 get httproute -o yaml
   $BIN/strait --http-addr $DC1:8500 peering list -o wide
   $BIN/strait --http-addr $DC2:8500 health api --watch
TEXT
  local i
  while true; do
    for i in "${!pids[@]}"; do
      kill -0 "${pids[i]}" 2>/dev/null || give_up "${names[i]} has ended, see $LOGS/${names[i]}.log"
    done
    sleep 1
  done
}

summary() {
  title "$checked expectations, $failed failed; $SECONDS s"
  say "logs: $(cd "$LOGS" && ls -- *.log | tr '\n' ' ')in $LOGS"
}

trap finish EXIT
trap 'echo; exit 130' INT TERM
prepare
start_backends
start_agents
register
peer
export_api
start_gateways
send_requests
show_state
if [ -z "$once" ]; then
  summary
  stay_up
fi
title "The end"
end_all
summary
[ "$failed" -eq 0 ]
