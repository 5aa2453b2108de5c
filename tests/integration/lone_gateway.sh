#!/bin/sh
# See lone_gateway.py.
exec python3 "$(dirname "$0")/lone_gateway.py"
