#!/bin/sh
# See bad_input.py.
exec python3 "$(dirname "$0")/bad_input.py"
