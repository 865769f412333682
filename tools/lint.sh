#!/bin/bash
# Formatting, static analysis, shell scripts, JSON. Prints TAP, one line a check.
# shellcheck disable=SC2317 # the checks are called by name
set -u
cd "$(dirname "$0")/.." || exit 1
number=0
failed=0

check() {
	local name=$1 output
	shift
	number=$((number + 1))
	if output=$("$@" 2>&1); then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		printf '%s\n' "$output" | head -60 | sed 's/^/# /'
		failed=1
	fi
}

skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

every_json() {
	git ls-files '*.json' | grep -v '^tests/.*/bad' | while read -r file; do
		jq empty "$file" || exit 1
	done
}

tidy() {
	git ls-files '*.c' | grep -v '^tests/' |
		xargs -P "$(nproc)" -n 6 sh -c \
			'clang-tidy --quiet --warnings-as-errors="*" "$@" -- -std=c11 -D_GNU_SOURCE -I. 2>/dev/null' sh
}

# A path of the machine that somebody worked on says nothing to anybody else.
no_local_paths() {
	! git grep -nE '(^|[^a-z])/(work|root)/' -- . ':!tools/lint.sh'
}

mapfile -t sources < <(git ls-files '*.c' '*.h')
if command -v clang-format >/dev/null; then
	check "every C file is formatted" clang-format --dry-run -Werror "${sources[@]}"
else
	skip "every C file is formatted" "clang-format is not installed"
fi
if command -v clang-tidy >/dev/null; then
	check "clang-tidy finds nothing" tidy
else
	skip "clang-tidy finds nothing" "clang-tidy is not installed"
fi
# By their first line: some tests are Python.
mapfile -t scripts < <(git ls-files '*.sh' '*.t' '.ci/run' | xargs grep -lE '^(#!/bin/(ba)?sh|# shellcheck shell)')
if command -v shellcheck >/dev/null; then
	check "every shell script passes shellcheck" shellcheck -x "${scripts[@]}"
else
	skip "every shell script passes shellcheck" "shellcheck is not installed"
fi
check "every JSON file can be read" every_json
check "no path of one machine stands in the tree" no_local_paths
echo "1..$number"
exit "$failed"
