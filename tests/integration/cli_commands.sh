#!/bin/sh
# See cli_commands.py.
exec python3 "$(dirname "$0")/cli_commands.py"
