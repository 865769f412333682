#!/bin/bash
# make bench: the fleet of 12 accounts x 17 regions against the sandbox with latency and rate limits. Prints what was
# done, what it cost, and how near to what latency, rates and the number of calls allow. Asserts nothing.
set -eu
cd "$(dirname "$0")/../.."
export MUSTER_BUILD=${1:-build}
. tests/e2e/lib.sh
accounts=${BENCH_ACCOUNTS:-12}
latency_ms=${BENCH_LATENCY_MS:-40}
rate=${BENCH_RATE:-20}
parallel=${BENCH_PARALLELISM:-256}
fleet=$work/fleet
fleet_make "$fleet" "$accounts"
sandbox_start "$fleet/accounts.json" --latency-ms "$latency_ms" --rate "$rate"

# measure NAME COMMAND...: wall, CPU and peak memory of the command, and what the sandbox counted meanwhile.
measure() {
	local name=$1
	shift
	sandbox_get stats >"$work/before.json"
	python3 - "$work/cost.json" "$@" <<'PYTHON'
import json, resource, subprocess, sys, time
start = time.monotonic()
status = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
json.dump({"status": status, "wall": time.monotonic() - start, "cpu": used.ru_utime + used.ru_stime,
           "peak_kb": used.ru_maxrss}, open(sys.argv[1], "w"))
PYTHON
	sandbox_get stats >"$work/after.json"
	LATENCY=$latency_ms RATE=$rate PARALLEL=$parallel python3 tests/bench/report.py "$name" "$work/cost.json" \
		"$work/before.json" "$work/after.json"
}

echo "Fleet of $accounts accounts; $latency_ms ms a call, $rate calls/s for each account, region and service, $parallel operations at once"
measure "plan, nothing there" "$muster" -C "$fleet" plan --out "$work/plan.json"
measure "apply" "$muster" -C "$fleet" apply --parallelism "$parallel" "$work/plan.json"
measure "plan, nothing to do" "$muster" -C "$fleet" plan
measure "plan --no-refresh" "$muster" -C "$fleet" plan --no-refresh
"$muster" -C "$fleet" plan --destroy --out "$work/destroy.json" >"$work/out" 2>&1
measure "apply --destroy" "$muster" -C "$fleet" apply --parallelism "$parallel" "$work/destroy.json"
