# What the end-to-end tests share: TAP output, a sandbox, a fleet of any size over the baseline's stacks.
# shellcheck shell=bash disable=SC2034

set -u
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${MUSTER_BUILD:-$root/build}
case $build in /*) ;; *) build=$root/$build ;; esac
muster=$build/muster
work=$(mktemp -d "${TMPDIR:-/tmp}/muster-e2e.XXXXXX")
test_number=0
test_failed=0
sandbox_pid=
export NO_COLOR=1
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL MUSTER_TYPES_PATH
export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@example.com
export GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@example.com

finish() {
	sandbox_stop
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

pass() {
	test_number=$((test_number + 1))
	echo "ok $test_number - $1"
}

fail() {
	test_number=$((test_number + 1))
	test_failed=1
	echo "not ok $test_number - $1"
	shift
	printf '%s\n' "$@" | head -40 | sed 's/^/# /'
}

# is NAME GOT WANTED
is() {
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got:    $2" "wanted: $3"; fi
}

# like NAME TEXT EXTENDED-REGULAR-EXPRESSION
like() {
	if grep -qE -- "$3" <<<"$2"; then pass "$1"; else fail "$1" "no line matches: $3" "$2"; fi
}

unlike() {
	if grep -qE -- "$3" <<<"$2"; then fail "$1" "a line matches: $3" "$(grep -E -- "$3" <<<"$2")"; else pass "$1"; fi
}

# at_most NAME GOT LIMIT
at_most() {
	if [ "$2" -le "$3" ]; then pass "$1"; else fail "$1" "$2 is over $3"; fi
}

done_testing() {
	echo "1..$test_number"
	exit "$test_failed"
}

# run COMMAND...: sets status, out and err. Specs are committed before they are planned or applied, as people do it;
# not where as_they_are is set, or --allow-dirty is among the arguments.
run() {
	case " $* " in
	" $muster -C "*" plan "* | " $muster -C "*" apply "*) [[ " $* " == *" --allow-dirty "* ]] || commit_before "$3" ;;
	esac
	"$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	out=$(<"$work/out")
	err=$(<"$work/err")
}

as_they_are=
commit_before() {
	if [ -z "$as_they_are" ] && [ -f "$1/muster.json" ]; then
		fleet_commit "$1" "As the test has it now"
	fi
}

# sandbox_start ROSTER [OPTION]...
sandbox_start() {
	local roster=$1
	shift
	rm -f "$work/sandbox.url"
	"$build/muster-sandbox" --port 0 --roster "$roster" "$@" >"$work/sandbox.url" 2>"$work/sandbox.log" &
	sandbox_pid=$!
	for _ in $(seq 100); do
		[ -s "$work/sandbox.url" ] && break
		sleep 0.05
	done
	AWS_ENDPOINT_URL=$(head -1 "$work/sandbox.url")
	[ -n "$AWS_ENDPOINT_URL" ] || {
		echo "Bail out! the sandbox did not start: $(<"$work/sandbox.log")"
		exit 1
	}
	export AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID=AKIASANDBOX AWS_SECRET_ACCESS_KEY=sandbox-secret
}

sandbox_stop() {
	[ -n "$sandbox_pid" ] || return 0
	kill "$sandbox_pid" 2>/dev/null
	wait "$sandbox_pid" 2>/dev/null
	sandbox_pid=
}

# sandbox_get PATH: dump, stats
sandbox_get() {
	curl -sf "$AWS_ENDPOINT_URL/_sandbox/$1"
}

# sandbox_calls JQ-FILTER-OVER-STATS
sandbox_calls() {
	sandbox_get stats | jq "$1"
}

# fleet_make DIRECTORY ACCOUNTS: the baseline's stacks for that many accounts, committed.
fleet_make() {
	local directory=$1 accounts=$2
	mkdir -p "$directory"
	cp -R "$root/specs/baseline/." "$directory/"
	jq '.Lineage = "01TESTLINEAGE0000000000000"' "$root/specs/baseline/muster.json" >"$directory/muster.json"
	jq -n --argjson n "$accounts" '{Accounts: ([
		{Name: "security", Id: "111111111111", Tags: ["security"], Access: {Role: null, PlanRole: null}},
		{Name: "network", Id: "222222222222", Tags: ["network"]}
	] + [range(3; $n + 1) | {Name: "app-\(.)", Id: (300000000000 + . | tostring), Tags: ["project"]}])}' \
		>"$directory/accounts.json"
	fleet_commit "$directory" "A fleet of $accounts accounts"
}

fleet_commit() {
	[ -e "$1/.git" ] || git init -q -b main "$1"
	git -C "$1" add -A
	git -C "$1" diff --cached --quiet 2>/dev/null || git -C "$1" commit -q -m "$2"
}
