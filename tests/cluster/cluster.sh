#!/usr/bin/env bash
# A whole real Kubernetes in a network namespace of its own: etcd, API server, controllers, scheduler, kubelet with
# containerd, kube-proxy, addresses for Services of type LoadBalancer, DNS.
#
#   cluster.sh up                 starts it (about 10 s) and prints its kubeconfig; refused while it is up
#   cluster.sh down               stops it and throws its state away
#   cluster.sh status             what runs
#   cluster.sh kubectl ARGS...    as its administrator
#   cluster.sh exec COMMAND...    runs a command in its network, with KUBECONFIG set
#   cluster.sh load IMAGE.tar     imports an image
#   cluster.sh restart PROGRAM    kills one of its programs (apiserver, kcm, scheduler, …) and starts it again
#   cluster.sh join OTHER         a link and routes between this cluster's network and that of cluster OTHER
#
# CLUSTER (default strait) names it, CLUSTER_INDEX (default 77) is the second octet of its 10.x.0.0/16: clusters of
# different names and numbers run side by side. Nothing of it touches this machine's own addresses; the network has no
# way out. Needs root and what build.sh builds. STRAIT_LAB as in build.sh.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
STRAIT_LAB=${STRAIT_LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/strait-lab}
BIN=$STRAIT_LAB/bin
NS=${CLUSTER:-strait}
IDX=${CLUSTER_INDEX:-77}
HOSTIP=10.$IDX.0.1 # The node's address, on a bridge.
PODCIDR=10.$IDX.64.0/18
SVCCIDR=10.$IDX.128.0/18
SVCIP=10.$IDX.128.1
DNSIP=10.$IDX.128.10
LBCIDR=10.$IDX.192.0/24
S=$STRAIT_LAB/cluster-$NS
PKI=$S/pki
in_ns() { nsenter --net=/run/netns/$NS "$@"; }

cert() { # name CN O [SAN]
  local n=$1 cn=$2 o=$3 san=${4:-}
  [ -f "$PKI/$n.crt" ] && return
  openssl ecparam -name prime256v1 -genkey -noout -out "$PKI/$n.key" 2>/dev/null
  openssl req -new -key "$PKI/$n.key" -subj "/O=$o/CN=$cn" -out "$PKI/$n.csr" 2>/dev/null
  { echo "basicConstraints=CA:FALSE"; echo "keyUsage=digitalSignature,keyEncipherment"
    echo "extendedKeyUsage=serverAuth,clientAuth"; [ -z "$san" ] || echo "subjectAltName=$san"; } >"$PKI/$n.ext"
  openssl x509 -req -in "$PKI/$n.csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial \
    -days 3650 -extfile "$PKI/$n.ext" -out "$PKI/$n.crt" 2>/dev/null
}
kubeconfig() { # name
  cat >"$S/$1.kubeconfig" <<Y
apiVersion: v1
kind: Config
clusters: [{name: lab, cluster: {server: "https://$HOSTIP:6443", certificate-authority: $PKI/ca.crt}}]
users: [{name: $1, user: {client-certificate: $PKI/$1.crt, client-key: $PKI/$1.key}}]
contexts: [{name: lab, context: {cluster: lab, user: $1}}]
current-context: lab
Y
}
start() { # name cmd...
  local n=$1
  shift
  printf '%q ' "$@" >"$S/$n.command" # For restart.
  (exec nsenter --net=/run/netns/$NS setsid "$@" >"$S/$n.log" 2>&1 </dev/null) &
  echo $! >"$S/$n.pid"
}
wait_for() { local i; for i in $(seq 1 "$1"); do "${@:2}" >/dev/null 2>&1 && return 0; sleep 0.2; done; return 1; }

up() {
  [ ! -e "/run/netns/$NS" ] ||
    { echo "cluster.sh: cluster $NS is up already, or part of it; cluster.sh down ends it" >&2; return 1; }
  mkdir -p "$PKI" "$S/etcd"; chmod 700 "$S/etcd"
  ip netns add "$NS"
  in_ns ip link set lo up
  in_ns ip link add br0 type bridge
  in_ns ip addr add "$HOSTIP/18" dev br0
  in_ns ip link set br0 up
  in_ns ip route add "10.$IDX.0.0/16" dev br0
  in_ns sysctl -qw net.ipv4.ip_forward=1
  # Who connects to a Service's address before kube-proxy knows it goes nowhere, and so does, for as long as that is
  # remembered (else 120 s), every later connection from the same port.
  in_ns sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_syn_sent=2
  [ -f "$PKI/ca.crt" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -subj "/CN=lab-ca" -keyout "$PKI/ca.key" -out "$PKI/ca.crt" 2>/dev/null
  local names="IP:127.0.0.1,IP:$HOSTIP,IP:$SVCIP,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default"
  cert apiserver kube-apiserver lab "$names,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
  cert admin admin system:masters
  cert kcm system:kube-controller-manager lab
  cert scheduler system:kube-scheduler lab
  cert proxy system:kube-proxy lab
  cert node system:node:node1 system:nodes "IP:$HOSTIP,DNS:node1"
  [ -f "$PKI/sa.key" ] || openssl genrsa -out "$PKI/sa.key" 2048 2>/dev/null
  [ -f "$PKI/sa.pub" ] || openssl rsa -in "$PKI/sa.key" -pubout -out "$PKI/sa.pub" 2>/dev/null
  local k; for k in admin kcm scheduler proxy node; do kubeconfig $k; done

  # In memory: what it writes to a disk, everything else on that disk waits for.
  mount -t tmpfs -o size=2g,mode=700 etcd "$S/etcd"
  start etcd etcd --data-dir "$S/etcd" --unsafe-no-fsync=true --log-level warn \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
    --initial-cluster default=http://127.0.0.1:2380
  # It shares few cores with all that is tested: memory is cheaper than its collector's turns (but near GOMEMLIMIT
  # whoever allocates works for the collector: 80 ms and more), and a goroutine of its watches shall not wait 10 ms for
  # another one's slice.
  start apiserver env GOGC=1000 GOMEMLIMIT=6GiB GOMAXPROCS=4 \
    "$BIN/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 \
    --advertise-address="$HOSTIP" --bind-address="$HOSTIP" --secure-port=6443 \
    --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" \
    --client-ca-file="$PKI/ca.crt" --service-cluster-ip-range="$SVCCIDR" --authorization-mode=Node,RBAC \
    --kubelet-preferred-address-types=InternalIP --kubelet-certificate-authority="$PKI/ca.crt" \
    --kubelet-client-certificate="$PKI/admin.crt" --kubelet-client-key="$PKI/admin.key" \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$PKI/sa.pub" \
    --service-account-signing-key-file="$PKI/sa.key" --allow-privileged=true --enable-aggregator-routing=true
  wait_for 300 in_ns "$BIN/kubectl" --kubeconfig "$S/admin.kubeconfig" get --raw /readyz ||
    { echo "kube-apiserver did not become ready; see $S/apiserver.log" >&2; return 1; }
  start kcm "$BIN/kube-controller-manager" --kubeconfig="$S/kcm.kubeconfig" --leader-elect=false \
    --bind-address=127.0.0.1 --service-account-private-key-file="$PKI/sa.key" --root-ca-file="$PKI/ca.crt" \
    --cluster-signing-cert-file="$PKI/ca.crt" --cluster-signing-key-file="$PKI/ca.key" \
    --use-service-account-credentials=true --node-monitor-grace-period=60s
  start scheduler "$BIN/kube-scheduler" --kubeconfig="$S/scheduler.kubeconfig" --leader-elect=false \
    --bind-address=127.0.0.1
  node_up
  sed "s/CLUSTER_DNS/$DNSIP/" "$HERE/dns.yaml" | kubectl apply -f - >/dev/null
  echo "kubeconfig: $S/admin.kubeconfig (use it inside: nsenter --net=/run/netns/$NS)"
}

# A real kubelet with containerd and kube-proxy; images are imported from local tar files, never pulled.
node_up() {
  local N=$S/node img
  mkdir -p "$N/cni" "$N/kubelet" "$N/podlogs"
  cat >"$N/containerd.toml" <<Y
version = 2
root = "$N/root"
state = "$N/state"
[grpc]
  address = "$N/containerd.sock"
[ttrpc]
  address = "$N/containerd.ttrpc.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "lab.local/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$N/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
Y
  # ptp, not bridge: every pod is routed, so kube-proxy's DNAT also works pod to pod.
  cat >"$N/cni/10-lab.conflist" <<Y
{"cniVersion":"1.0.0","name":"lab","plugins":[
 {"type":"ptp","ipMasq":false,
  "ipam":{"type":"host-local","dataDir":"$N/cni-state",
          "ranges":[[{"subnet":"$PODCIDR"}]],"routes":[{"dst":"0.0.0.0/0"}]}},
 {"type":"portmap","capabilities":{"portMappings":true},"snat":true}]}
Y
  cat >"$N/kubelet.yaml" <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $HOSTIP
healthzBindAddress: 127.0.0.1
containerRuntimeEndpoint: unix://$N/containerd.sock
failCgroupV1: false          # this machine mounts cgroup v1
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
failSwapOn: false
makeIPTablesUtilChains: false
localStorageCapacityIsolation: false
tlsCertFile: $PKI/node.crt
tlsPrivateKeyFile: $PKI/node.key
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $PKI/ca.crt}}
authorization: {mode: Webhook}
clusterDomain: cluster.local
clusterDNS: ["$DNSIP"]
resolvConf: ""
podLogsDir: $N/podlogs
evictionHard: {memory.available: "100Mi", nodefs.available: "1%", imagefs.available: "1%", nodefs.inodesFree: "1%"}
imageGCHighThresholdPercent: 100
maxPods: 250
Y
  cat >"$N/kube-proxy.yaml" <<Y
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: {kubeconfig: "$S/proxy.kubeconfig"}
hostnameOverride: node1
bindAddress: $HOSTIP
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
clusterCIDR: $PODCIDR
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
Y
  start containerd containerd -c "$N/containerd.toml"
  wait_for 100 ctr -a "$N/containerd.sock" version ||
    { echo "containerd did not start; see $S/containerd.log" >&2; return 1; }
  for img in "$STRAIT_LAB"/images/*.tar; do [ ! -f "$img" ] || load "$img"; done
  start kubelet "$BIN/kubelet" --config "$N/kubelet.yaml" --kubeconfig "$S/node.kubeconfig" \
    --root-dir "$N/kubelet" --cert-dir "$N/kubelet-pki" --hostname-override node1 --node-ip "$HOSTIP"
  start kube-proxy "$BIN/kube-proxy" --config "$N/kube-proxy.yaml"
  start lb python3 "$HERE/load_balancer.py" "$S" "https://$HOSTIP:6443" "${LBCIDR%.0/24}"
  wait_for 150 kubectl wait --for=condition=Ready node/node1 --timeout=1s ||
    { echo "node1 did not become Ready; see $S/kubelet.log" >&2; return 1; }
}
load() { ctr -a "$S/node/containerd.sock" -n k8s.io images import "$1" >/dev/null; }
kubectl() { in_ns "$BIN/kubectl" --kubeconfig "$S/admin.kubeconfig" "$@"; }
exec_in() { KUBECONFIG=$S/admin.kubeconfig in_ns "$@"; }
stop() { # names: the state is thrown away, so nothing is asked to finish its work
  local n f p
  for n; do
    f=$S/$n.pid; [ -f "$f" ] || continue
    p=$(cat "$f"); rm -f "$f"
    # only a process that still is in our namespace is ours (a stale file may name another one)
    [ "$(readlink "/proc/$p/ns/net" 2>/dev/null)" = "net:[$(stat -Lc %i "/run/netns/$NS" 2>/dev/null)]" ] &&
      kill -9 "$p" 2>/dev/null
  done
  return 0
}
down() {
  local c m
  stop lb kubelet kube-proxy scheduler kcm apiserver etcd
  if [ -S "$S/node/containerd.sock" ]; then
    local C="timeout 20 ctr -a $S/node/containerd.sock -n k8s.io"
    for c in $($C containers ls -q 2>/dev/null); do
      m=$($C containers info "$c" 2>/dev/null | grep -o 'netns/cni-[0-9a-f-]*' | head -1 || true)
      [ -z "$m" ] || echo "${m#netns/}"
    done | sort -u >"$S/netns.list"
    $C tasks ls -q 2>/dev/null | xargs -r -P8 -n1 $C tasks rm -f >/dev/null 2>&1 || true
    $C containers ls -q 2>/dev/null | xargs -r -P8 -n1 $C containers rm >/dev/null 2>&1 || true
    while read -r c; do ip netns del "$c" 2>/dev/null || true; done <"$S/netns.list"
  fi
  stop containerd
  for m in $(awk -v s="$S/" 'index($2, s)==1 {print $2}' /proc/mounts | sort -r); do
    umount -l "$m" 2>/dev/null || true
  done
  ip netns del "$NS" 2>/dev/null || true
  rm -rf "$S"
}
status() {
  local p
  for p in "$S"/*.pid; do
    printf '%s ' "$(basename "$p" .pid)"
    kill -0 "$(cat "$p")" 2>/dev/null && echo up || echo down
  done
}
restart() {
  [ -f "$S/$1.command" ] || { echo "cluster.sh: no such program: $1" >&2; return 2; }
  local old
  old=$(cat "$S/$1.pid" 2>/dev/null || echo none)
  stop "$1"
  # Its port is free only when it has ended.
  wait_for 150 test ! -d "/proc/$old" || { echo "cluster.sh: $1 does not end" >&2; return 1; }
  eval "start $1 $(cat "$S/$1.command")"
}
# Only one cluster has to ask for it. Through the other's node, for a Service's address is nobody's on the link.
join() { # OTHER
  local other=$1 index
  index=$(sed -n 's#.*https://10\.\([0-9]*\)\.0\.1:.*#\1#p' "$STRAIT_LAB/cluster-$other/admin.kubeconfig")
  ip link add "to-$IDX" netns "$other" type veth peer name "to-$index" netns "$NS"
  in_ns ip addr add "169.254.$index.1/32" dev "to-$index"
  in_ns ip link set "to-$index" up
  in_ns ip route add "10.$index.0.0/16" via "169.254.$IDX.2" dev "to-$index" onlink src "$HOSTIP"
  nsenter --net="/run/netns/$other" ip addr add "169.254.$IDX.2/32" dev "to-$IDX"
  nsenter --net="/run/netns/$other" ip link set "to-$IDX" up
  nsenter --net="/run/netns/$other" ip route add "10.$IDX.0.0/16" via "169.254.$index.1" dev "to-$IDX" onlink \
    src "10.$index.0.1"
}
usage() { sed -n '2,/^set -euo/{/^set -euo/d;s/^# \{0,1\}//;p}' "$0"; }
command=${1:-help}
[ $# -eq 0 ] || shift
case $command in
up | down | status) "$command" ;;
load | restart | join) [ $# -eq 1 ] || { usage >&2; exit 2; }; "$command" "$1" ;;
kubectl) kubectl "$@" ;;
exec) exec_in "$@" ;;
help | -h | --help) usage ;;
*) usage >&2; exit 2 ;;
esac
