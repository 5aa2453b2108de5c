#!/bin/sh
# See peer_cut.py.
exec python3 "$(dirname "$0")/peer_cut.py"
