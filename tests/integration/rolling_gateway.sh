#!/bin/sh
# See rolling_gateway.py.
exec python3 "$(dirname "$0")/rolling_gateway.py"
