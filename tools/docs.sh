#!/bin/bash
# Writes what is made from the program's own tables: docs/reference/ and the JSON Schema of stacks.
# usage: tools/docs.sh MUSTER ROOT
set -euo pipefail
muster=$1
root=$2
reference=$root/docs/reference
export MUSTER_TYPES_PATH=
mkdir -p "$reference" "$root/specs/schema"
# A type that is gone leaves no page behind.
rm -f "$reference"/*.md
"$muster" types --markdown >"$reference/README.md"
"$muster" help --markdown >"$reference/commands.md"
"$muster" types --json | jq -r '.[]' | while read -r type; do
	"$muster" types --markdown "$type" >"$reference/${type//::/-}.md"
done
"$muster" types --schema >"$root/specs/schema/stack.schema.json"
