#!/bin/bash
# The JSON Schemas for editors: valid, in step with what muster refuses, and not stricter.
. "$(dirname "$0")/lib.sh"
if ! python3 -W ignore -c 'import jsonschema' 2>/dev/null; then
	echo "1..0 # SKIP python3-jsonschema is not installed"
	exit 0
fi
python3 -W ignore "$root/tests/e2e/schema_check.py" "$muster" "$root" "$work" "${MUSTER_SCHEMA_MUTATIONS:-80}"
