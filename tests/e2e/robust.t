#!/bin/bash
# What is no fault of muster's: disks that get full, files that may not be written, damaged or missing ones, states of
# others. A clear message, exit 1, nothing lost, and it goes on when things are well again.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
# 40 topics in each of 6 targets.
jq -n '{Targets: {Accounts: ["*"], Regions: ["*"]}, Resources: ([range(40) | {key: "T\(.)", value: {Type: "AWS::SNS::Topic",
	Properties: {TopicName: "t-\(.)", DisplayName: ("x" * 90)}}}] | from_entries)}' | stack many
jq '.Resources |= with_entries(select(.key == "T0"))' "$specs/stacks/many.json" >"$work/one.json"
cp "$specs/stacks/many.json" "$work/many.json"
cp "$work/one.json" "$specs/stacks/many.json"
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"
state=$specs/.muster

# recorded: "account-id/region/name" of every topic in the state.
recorded() {
	"$muster" -C "$specs" state list --json | jq -r '.[].address' | while IFS=/ read -r account region _ id; do
		case $account in security) account=$security ;; app) account=$app ;; web) account=$web ;; esac
		echo "$account/$region/t-${id#T}"
	done | sort
}

muster apply --auto-approve
is "a small fleet is there" "$status $(recorded | wc -l)" "0 6"

# -- No more space in the middle of an apply --
# A limit on the size of files is a full disk that needs no mount: writes fail when the file has to grow. It counts in KiB.
cp "$work/many.json" "$specs/stacks/many.json"
room=$(($(stat -c %s "$state/data.mdb") / 1024 + 100))
limited() {
	commit_before "$specs"
	run bash -c 'ulimit -f "$1"; shift; exec "$@"' limited "$room" "$muster" -C "$specs" "$@"
}
# A few at a time, so that some come before the limit and some after it.
limited apply --auto-approve --parallelism 16
is "an apply whose state cannot grow any more fails" "$status" 1
like "... says that the state could not be saved, and why" "$err" 'state .*\.muster.*: cannot save.*File too large'
like "... and that it stopped before its end" "$err" 'stopped before the end, because the state could not be written'
made=$(topics | wc -l)
is "... having been in the middle of it" "$([ "$made" -gt 6 ] && [ "$made" -lt 240 ] && echo yes)" yes
muster state verify
is "... the state is whole" "$status" 0
limited apply --auto-approve
is "as long as there is no more room the next one fails too" "$status" 1
before=$(sandbox_calls '.Operation["sns:CreateTopic"]')
muster apply --auto-approve
is "with room again it goes on to the end" "$status" 0
is "... everything is recorded that is there" "$(recorded)" "$(topics)"
is "... and there is what was wanted" "$(topics | wc -l)" 240
is "... nothing was made twice" "$(($(sandbox_calls '.Operation["sns:CreateTopic"]') - before <= 240 - made))" 1
muster plan --detailed-exitcode
is "... nothing is left to do" "$status" 0
muster state verify
is "... the state is whole" "$status" 0

# -- Plan files --
cp "$work/one.json" "$specs/stacks/many.json"
muster plan --out "$work/none/plan.json"
is "a plan cannot be saved in a directory that is not there" "$status" 1
like "... which is said" "$err" 'none/plan.json: cannot write the plan: No such file or directory'
mkdir "$work/taken"
muster plan --out "$work/taken"
is "nor over a directory" "$status" 1
like "... which is said" "$err" 'taken: cannot write the plan: '
is "... leaving nothing behind" "$(find "$work" -path '*taken?*')" ""
echo old >"$work/plan.json"
room=8
limited plan --out "$work/plan.json"
is "a plan that the disk has no room for is not saved" "$status" 1
like "... which is said" "$err" 'plan.json: cannot write the plan: File too large'
is "... the file that was there stays as it was" "$(<"$work/plan.json")" old
is "... and nothing half-written is left" "$(find "$work" -maxdepth 1 -name 'plan.json?*')" ""
muster plan --out "$work/plan.json"
is "with room it is" "$status $(jq '.resource_changes | length' "$work/plan.json")" "0 234"

# -- Where the state should be --
cp -R "$state" "$work/good"
# refused NAME EXTENDED-REGULAR-EXPRESSION: readers and apply refuse with that message, and change nothing.
refused() {
	local command sum
	sum=$(sha256sum "$state/data.mdb" 2>&1)
	for command in "state list" "state verify" "plan --no-refresh" "apply --auto-approve"; do
		# shellcheck disable=SC2086 # words
		muster $command
		if [ "$status" -ne 1 ] || ! grep -qE -- "$2" <<<"$err"; then
			fail "$1: $command" "status $status" "$out" "$err"
			return
		fi
	done
	is "$1" "$(sha256sum "$state/data.mdb" 2>&1)" "$sum"
}
again() {
	rm -rf "$state"
	cp -R "$work/good" "$state"
}
rm -rf "$state"
echo "not a directory" >"$state"
refused "a state directory that is a file is refused" 'state .*\.muster: .*Not a directory'
is "... and left alone" "$(<"$state")" "not a directory"
again
rm "$state/data.mdb"
mkdir "$state/data.mdb"
refused "a state file that is a directory is refused" 'state .*\.muster: data.mdb .*it is no regular file|Is a directory'
again
rm -f "$state/lock" "$state/lock.mdb" "$state/.gitignore"
muster state list
is "without its lock files a state can be read" "$status $(wc -l <<<"$out")" "0 240"
muster apply --auto-approve --only 'app/*/T1'
is "... and written" "$status $(recorded | wc -l)" "0 238"
again
cp "$work/many.json" "$specs/stacks/many.json"
muster apply --auto-approve
is "... and an old copy catches up" "$status $(recorded | wc -l)" "0 240"
rm -rf "$work/good"
cp -R "$state" "$work/good"

# -- Little address space --
run bash -c 'ulimit -v 1500000; exec "$@"' limited "$muster" -C "$specs" state verify
if [ "$status" -ne 0 ] && grep -q AddressSanitizer <<<"$err"; then
	pass "a process with little address space # SKIP the sanitizer takes all of it"
else
	is "a process with little address space can read" "$status" 0
	cp "$work/one.json" "$specs/stacks/many.json"
	commit_before "$specs"
	run bash -c 'ulimit -v 1500000; exec "$@"' limited "$muster" -C "$specs" apply --auto-approve --only 'web/*/T2'
	is "... and write" "$status" 0
	cp "$work/many.json" "$specs/stacks/many.json"
	muster apply --auto-approve
	is "... a state that others go on with" "$status $(recorded | wc -l)" "0 240"
	rm -rf "$work/good"
	cp -R "$state" "$work/good"
fi

# -- Damage --
# flip OFFSET...: inverts single bytes.
flip() {
	python3 - "$state/data.mdb" "$@" <<'PYTHON'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
for at in map(int, sys.argv[2:]):
    data[at] ^= 0xFF
open(sys.argv[1], "wb").write(data)
PYTHON
}
size=$(stat -c %s "$state/data.mdb")
crashed=0 wrong=0 noticed=0
for at in 16 24 32 4112 4120 $(seq 8192 $((size / 60 + 7)) $((size - 1))); do
	flip "$at"
	for command in "state list" "state verify" "plan --no-refresh"; do
		# shellcheck disable=SC2086 # words
		muster $command
		[ "$status" -le 1 ] || crashed=$((crashed + 1))
		# Failed without a word, or in words that are not of the state.
		[ "$status" -ne 1 ] || grep -qE 'state |record|damaged' <<<"$err" || wrong=$((wrong + 1))
		[ "$command$status" != "state verify1" ] || noticed=$((noticed + 1))
	done
	again
done
is "a flipped byte, wherever, never crashes" "$crashed" 0
is "... and is never a failure without a reason" "$wrong" 0
is "... many are noticed by state verify" "$([ "$noticed" -gt 10 ] && echo yes)" yes
# A byte in a record's text, which the pages say nothing of. (The file has former copies of it too, in free pages.)
# shellcheck disable=SC2046 # numbers
flip $(grep -abo 'web/us-east-1/many/T9' "$state/data.mdb" | awk -F: '{ print $1 + 100 }')
muster state verify
is "a byte within a record is noticed by state verify" "$status" 1
like "... which says where" "$err" 'generation [0-9]+|web/us-east-1/many/T9|damaged'
again
for cut in 1 4096 $((size / 2)); do
	truncate -s $((size - cut)) "$state/data.mdb"
	if [ "$cut" -gt 4096 ]; then
		refused "a state that is cut short by half is refused" 'cut short|damaged'
	else
		muster state list
		is "a state that lost $cut bytes is read or refused" "$([ "$status" -le 1 ] && echo yes)" yes
	fi
	again
done

# -- Others' --
# As nobody, if we are root and nobody can get at the program and its libraries.
as_nobody() {
	run env HOME="$work/nobody" setpriv --reuid 65534 --regid 65534 --clear-groups "$muster" -C "$specs" "$@"
}
chmod 755 "$work"
mkdir "$work/nobody"
# The specs are root's as well, which is no fault here.
git config --file "$work/nobody/.gitconfig" safe.directory "$specs"
if [ "$(id -u)" -eq 0 ] && setpriv --reuid 65534 --regid 65534 --clear-groups "$muster" --version >/dev/null 2>&1; then
	for command in "state list" "plan --no-refresh" "apply --auto-approve"; do
		# shellcheck disable=SC2086 # words
		as_nobody $command
		is "another user's state is private: $command" "$status" 1
		like "... which is said" "$err" 'state .*\.muster: .*Permission denied'
	done
	chmod 755 "$state"
	chmod 644 "$state/data.mdb"
	as_nobody state list
	is "where it may be read another user reads it" "$status $(wc -l <<<"$out")" "0 240"
	as_nobody plan --no-refresh
	is "... and plans from it" "$status" 0
	sum=$(sha256sum <"$state/data.mdb")
	as_nobody apply --auto-approve
	is "... but does not apply" "$status" 1
	like "... which is said" "$err" 'Permission denied'
	is "... and changes nothing" "$(sha256sum <"$state/data.mdb")" "$sum"
	chmod 700 "$state"
	chmod 600 "$state/data.mdb"
else
	pass "another user's state # SKIP needs root, and a program that nobody may run"
fi
muster plan --detailed-exitcode
is "the state is whole after all this" "$status" 0
done_testing
