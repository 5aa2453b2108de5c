#!/bin/sh
# See killed_agent.py.
exec python3 "$(dirname "$0")/killed_agent.py"
