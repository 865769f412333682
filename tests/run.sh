#!/bin/bash
# Runs every test: unit tests under the sanitizers, end-to-end tests with the plain and the sanitized program, lint.
# Each is a program that prints TAP; the last line counts what all of them said.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
logs=$build/test-logs
rm -rf "$logs"
mkdir -p "$logs"
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
export CMOCKA_MESSAGE_OUTPUT=TAP

# one NAME COMMAND...: one TAP program. What it came to is printed at once, its counts are left beside its log.
one() {
	local name=$1 log status ok not_ok skips planned start=$SECONDS
	shift
	log=$logs/${name//\//_}.tap
	timeout 1500 "$@" >"$log" 2>"$log.err" </dev/null
	status=$?
	skips=$(grep -ciE '^ok .*# skip' "$log")
	ok=$(($(grep -cE '^ok ' "$log") - skips))
	not_ok=$(grep -cE '^not ok ' "$log")
	planned=$(sed -nE 's/^1\.\.([0-9]+).*/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
	if grep -qE '^1\.\.0 # (SKIP|skip)' "$log"; then
		skips=1
	elif [ $((ok + not_ok + skips)) -ne "$planned" ] || { [ "$status" -ne 0 ] && [ "$not_ok" -eq 0 ]; }; then
		# A program that died half-way has failed, whatever it had counted by then.
		not_ok=$((not_ok + 1))
		echo "# $name ended with status $status after $((ok + skips)) of $planned tests" >>"$log"
	fi
	echo "$ok $not_ok $skips" >"$log.count"
	{
		printf '%-44s %4d passed %3d failed %3d skipped  %4d s\n' "$name" "$ok" "$not_ok" "$skips" $((SECONDS - start))
		if [ "$not_ok" -gt 0 ]; then
			grep -vE '^ok ' "$log" | tail -60 | sed 's/^/    /'
			tail -60 "$log.err" | sed 's/^/    /'
		fi
		grep -iE '# skip' "$log" | sed 's/^/    /'
	} >"$log.said"
	cat "$log.said"
}

# run NAME COMMAND...: starts it, as many at once as there are processors; each has its own folders and ports.
jobs_max=${JOBS:-$(nproc)}
started=0
run() {
	while [ "$(jobs -rp | wc -l)" -ge "$jobs_max" ]; do
		wait -n
	done
	one "$@" &
	started=$((started + 1))
}

# alone NAME COMMAND...: for what keeps all processors busy by itself.
alone() {
	wait
	run "$@"
	wait
}

for program in "$build"/asan/unit/test_*; do
	[ -x "$program" ] && [ ! -d "$program" ] && run "unit/${program##*/test_}" "$program"
done
for test in tests/e2e/*.t; do
	name=${test##*/}
	# Drivers are built with the sanitizers only.
	[ "$name" = types.t ] || MUSTER_BUILD=$build run "e2e/${name%.t}" bash "$test"
	MUSTER_BUILD=$build/asan run "e2e-asan/${name%.t}" bash "$test"
done
for test in tests/baseline/*.t; do
	name=${test##*/}
	run "baseline/${name%.t}" python3 "$test"
done
# In a real browser; skipped, and said so, where there is none.
for test in tests/browser/*.t; do
	name=${test##*/}
	MUSTER_BUILD=$build run "browser/${name%.t}" python3 "$test"
done
for test in tests/kill/*.t; do
	name=${test##*/}
	MUSTER_BUILD=$build alone "kill/${name%.t}" python3 "$test"
done
# Judges that others wrote; each skips itself, and says so, where it is not installed.
run conformance/botocore python3 tests/conformance/botocore.py
run conformance/registry python3 tests/conformance/registry.py
run conformance/wire python3 tests/conformance/wire.py "$build/asan/driver/conformance/wire"
for judge in moto cli terraform; do
	MUSTER_BUILD=$build run "conformance/$judge" python3 "tests/conformance/$judge.py"
done
alone lint bash tools/lint.sh

read -r passed failed skipped counted < <(cat "$logs"/*.count | awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0, NR }')
# One that could not even be counted has failed.
failed=$((failed + started - counted))

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
