#!/usr/bin/env bash
# Runs the README's commands on a root file system that holds nothing but a base Debian 12 and a clean clone of HEAD.
#
#   fresh.sh [--ccache] [--keep] [COMMAND...]
#
# Each COMMAND runs in the clone, one after the other; it stops at the first that fails. Without any: the README's two,
# "./dev demo --once" (--once, because nobody is there for Ctrl-C) and "./dev test".
#   --ccache   binds this machine's compiler cache into the root: quick, but then it shows less
#   --keep     leaves the root in place, and prints where
# Runs as root and needs debootstrap and git. The base system is made once, in STRAIT_LAB (default
# ~/.cache/strait-lab), from the package mirror that this machine uses, and copied for each run.
#
#   tests/fresh/fresh.sh
#   tests/fresh/fresh.sh --ccache './dev build release strait_base_test'
set -euo pipefail

STRAIT_LAB=${STRAIT_LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/strait-lab}
readonly SUITE=bookworm
# What a machine needs to reach its package mirror, and nothing else of its environment.
readonly PASSED_ON="http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY"

usage() { sed -n '2,/^set -euo/{/^set -euo/d;s/^# \{0,1\}//;p}' "$0"; }
fail() { echo "fresh.sh: $*" >&2; exit 1; }

use_ccache='' keep=''
while [ $# -gt 0 ]; do
  case $1 in
  --ccache) use_ccache=1 ;;
  --keep) keep=1 ;;
  -h | --help) usage; exit 0 ;;
  -*) usage >&2; exit 2 ;;
  *) break ;;
  esac
  shift
done
[ $# -gt 0 ] || set -- './dev demo --once' './dev test'
[ "$(id -u)" -eq 0 ] || fail "mounting and chroot need root"
for tool in debootstrap git; do command -v "$tool" >/dev/null || fail "$tool is not installed"; done
repository=$(cd "$(dirname "$0")/../.." && pwd)

make_base() {
  local mirror
  [ ! -d "$base/usr/bin" ] || return 0
  mirror=$(apt-cache policy base-files | grep -oE 'https?://[^ ]+' | head -n 1) || true
  [ -n "$mirror" ] || fail "apt knows no mirror"
  echo "== the base system, once"
  rm -rf "$base.part"
  # A mirror behind TLS cannot be reached without certificates; nothing else is added.
  case $mirror in https:*) set -- --include=ca-certificates ;; *) set -- ;; esac
  debootstrap --variant=minbase "$@" "$SUITE" "$base.part" "$mirror" >"$STRAIT_LAB/debootstrap.log" ||
    fail "debootstrap failed, see $STRAIT_LAB/debootstrap.log"
  mv "$base.part" "$base"
}

mount_all() {
  mount -t proc proc "$root/proc"
  mount -t sysfs sys "$root/sys"
  mount --bind /dev "$root/dev"
  mount -t devpts devpts "$root/dev/pts"
  mount -t tmpfs tmpfs "$root/dev/shm"
  [ -z "$use_ccache" ] || {
    local cache
    cache=${CCACHE_DIR:-$HOME/.cache/ccache}
    mkdir -p "$cache" "$root/root/.cache/ccache"
    mount --bind "$cache" "$root/root/.cache/ccache"
  }
}

clean_up() {
  local mounted
  for mounted in root/.cache/ccache dev/shm dev/pts dev sys proc; do
    ! mountpoint -q "$root/$mounted" || umount "$root/$mounted" 2>/dev/null || umount -l "$root/$mounted"
  done
  if [ -n "$keep" ]; then echo "kept: $root"; else rm -rf --one-file-system "$root"; fi
}

run_in_root() { # COMMAND
  local name environment=()
  for name in $PASSED_ON; do
    [ -z "${!name:-}" ] || environment+=("$name=${!name}")
  done
  env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    ${environment[@]+"${environment[@]}"} chroot "$root" bash -c "cd /strait && $1"
}

mkdir -p "$STRAIT_LAB"
base=$STRAIT_LAB/debian12
make_base
root=$(mktemp -d "$STRAIT_LAB/fresh.XXXXXX")
trap clean_up EXIT
cp -a --reflink=auto "$base/." "$root/"
mount_all
cp /etc/resolv.conf "$root/etc/resolv.conf"
# How this machine's apt reaches its mirror: proxies, and whether the mirror's dates can be believed.
apt-config dump | grep -E '^Acquire::(https?::[^ ]*[Pp]roxy|Check-|Retries|ForceIPv)' \
  >"$root/etc/apt/apt.conf.d/90machine" || true
git -c safe.directory='*' clone -q --no-hardlinks "$repository" "$root/strait"
for command in "$@"; do
  echo "== $command"
  start=$SECONDS
  run_in_root "$command"
  echo "== done in $((SECONDS - start)) s"
done
