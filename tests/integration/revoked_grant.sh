#!/bin/sh
# See revoked_grant.py.
exec python3 "$(dirname "$0")/revoked_grant.py"
