#!/bin/bash
# The state: what the commands show of it, who holds it, and what happens when it is damaged, full or not to be written.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
stack alerts <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["*"] },
  "Resources": { "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "alerts", "DisplayName": "1" } },
    "Role": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "other", "DisplayName": { "Ref": "Topic" } } } } }
JSON
edit stacks/alerts.json '.Resources.Role.Properties.DisplayName = {"Fn::GetAtt": ["Topic", "TopicName"]}'
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"
state=$specs/.muster

# -- Before there is one --
muster state list
is "without a state there is nothing to list" "$status $out" "0 "
is "... and looking makes none" "$(ls -A "$state" 2>/dev/null)" ""
muster apply --auto-approve
is "an apply makes one" "$status" 0
is "... that only its owner reads" "$(stat -c %a "$state" "$state/data.mdb" | tr '\n' ' ')" "700 600 "
is "... and that git leaves alone" "$(<"$state/.gitignore")" "*"

# -- list and show --
muster state list
is "state list has an address a line, in order" "$out" "$(sort <<<"$out")"
is "... all of them" "$(wc -l <<<"$out")" 8
muster state list 'app/*/Topic'
is "... or those that match" "$out" $'app/eu-west-1/alerts/Topic\napp/us-east-1/alerts/Topic'
muster state list --json
is "... as JSON" "$(jq -c '[length, (.[0] | keys)]' <<<"$out")" '[8,["address","generation","type","version"]]'
muster state list 'nothing*' --json
is "... which is a list also when it is empty" "$status $(jq -c . <<<"$out")" "0 []"
muster state show web/us-east-1/alerts/Role
is "state show tells what is recorded" "$(jq -c '[.Type, .AccountId, .Properties.TopicName, .DependsOn, .Generation]' <<<"$out")" \
	'["AWS::SNS::Topic","333333333333","other",["web/us-east-1/alerts/Topic"],1]'
muster state show web/us-east-1/alerts/Rolle
is "an address that is not there" "$status" 1
like "... is said to be" "$err" 'no resource web/us-east-1/alerts/Rolle'

# -- Two at once --
sandbox_post config '{"LatencyMs": 500}'
edit stacks/alerts.json '.Resources.Topic.Properties.DisplayName = "2"'
commit_before "$specs"
"$muster" -C "$specs" apply --auto-approve >"$work/first" 2>&1 &
pid=$!
for _ in $(seq 100); do
	sandbox_get stats | jq -e '.Operation["sns:SetTopicAttributes"] > 0' >/dev/null && break
	sleep 0.05
done
muster apply --auto-approve
is "while one applies, another does not" "$status" 1
like "... who holds it, since when, with which command" "$err" "locked by pid $pid \\(.*@.*\\) since [0-9-]+T[0-9:]+Z: .*apply --auto-approve"
muster state list
is "... reading is never held up" "$status $(wc -l <<<"$out")" "0 8"
muster plan --out "$work/plan.json"
is "... nor is planning" "$status" 0
wait $pid
is "... the first one ends well" "$?" 0
sandbox_post config '{"LatencyMs": 0}'
muster apply "$work/plan.json"
like "a plan that was made meanwhile is refused or has nothing to do" "$status$err" '^1.*(again|since|anew|newer|changed)|^0'
muster plan --detailed-exitcode
is "... and all is as it should be" "$status" 0

# -- Not to be written --
# protect and unprotect: by permissions, or for root, who has them all, by a mount.
protect() {
	if [ "$(id -u)" -ne 0 ]; then chmod -R a-w "$state"; else mount -o bind,ro "$state" "$state" 2>/dev/null; fi
}
unprotect() {
	if [ "$(id -u)" -ne 0 ]; then chmod -R u+w "$state"; else umount -l "$state" 2>/dev/null; fi
}
trap 'unprotect; finish' EXIT
if protect; then
	muster state list
	is "a state that cannot be written can be read" "$status $(wc -l <<<"$out")" "0 8"
	muster plan --detailed-exitcode
	is "... and planned from" "$status" 0
	muster apply --auto-approve
	is "... and not applied to" "$status" 1
	like "... which is said" "$err" '[Pp]ermission denied|[Rr]ead-only'
	unprotect
else
	pass "a state that cannot be written # SKIP nothing can be mounted here"
fi

# -- Full --
full=$work/full
if mkdir "$full" && mount -t tmpfs -o size=256k tmpfs "$full" 2>/dev/null; then
	trap 'umount -l "$full" 2>/dev/null; unprotect; finish' EXIT
	cp -R "$state" "$full/state"
	edit muster.json ".State = {Backend: \"local\", Path: \"$full/state\"}"
	edit stacks/alerts.json '.Resources += ([range(60) | {key: "T\(.)", value: {Type: "AWS::SNS::Topic", Properties: {DisplayName: ("x" * 90)}}}] | from_entries)'
	muster apply --auto-approve
	is "a disk that gets full fails the apply" "$status" 1
	like "... which is said" "$err" 'space|full|ENOSPC'
	mount -o remount,size=64m "$full"
	muster apply --auto-approve
	is "with room again the next one ends well" "$status" 0
	is "... nothing was made twice or forgotten" "$(topics | wc -l)" "$("$muster" -C "$specs" state list | wc -l)"
	edit stacks/alerts.json '.Resources |= with_entries(select(.key | test("^T[0-9]") | not))'
	muster apply --auto-approve
	rm -rf "$state"
	cp -R "$full/state" "$state"
	umount -l "$full"
	edit muster.json 'del(.State)'
else
	pass "a disk that gets full # SKIP nothing can be mounted here"
fi
muster plan --detailed-exitcode
is "the state is whole" "$status" 0

# -- Damaged --
cp -R "$state" "$work/good"
# damaged NAME: a damaged state is a message for every command, and is not written to.
damaged() {
	local sum command
	sum=$(sha256sum <"$state/data.mdb")
	for command in "state list" "plan" "apply --auto-approve"; do
		# shellcheck disable=SC2086 # words
		muster $command
		if [ "$status" -ne 1 ] || ! grep -qE "error: .*(state|data.mdb|\.muster)" <<<"$err"; then
			fail "$1: $command" "status $status" "$out" "$err"
			return
		fi
	done
	is "$1: said, and left as it is" "$(sha256sum <"$state/data.mdb")" "$sum"
}
again() {
	rm -rf "$state"
	cp -R "$work/good" "$state"
}
truncate -s 10000 "$state/data.mdb"
damaged "a state that was cut short"
again
truncate -s 0 "$state/data.mdb"
damaged "a state that is empty"
again
head -c 4096 /dev/urandom | dd of="$state/data.mdb" conv=notrunc status=none
damaged "a state whose first page is overwritten"
again
size=$(stat -c %s "$state/data.mdb")
head -c $((size - 8192)) /dev/urandom | dd of="$state/data.mdb" bs=1 seek=8192 conv=notrunc status=none
damaged "a state whose contents are overwritten"
again
echo "this is no database" >"$state/data.mdb"
damaged "a state that is something else"
again
muster plan --detailed-exitcode
is "a copy put back is as good as the state" "$status" 0

# -- Newer --
# The format is a number under "format"; whoever finds another one must not guess.
python3 - "$state/data.mdb" <<'EOF_PYTHON'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
start = 0
while (at := data.find(b"format", start)) >= 0:
    value = at + len("format")
    if data[value:value + 8] in (bytes([n, 0, 0, 0, 0, 0, 0, 0]) for n in range(1, 20)):
        data[value:value + 8] = (999).to_bytes(8, "little")
    start = value
open(sys.argv[1], "wb").write(data)
EOF_PYTHON
damaged "a state of a newer format"
like "... which is named" "$err" '999'
again

# -- An older copy --
muster plan --out "$work/destroy.json" --destroy
edit stacks/alerts.json '.Resources.Topic.Properties.DisplayName = "3"'
muster apply --auto-approve
muster plan --out "$work/new.json" --destroy
again
muster apply "$work/new.json"
is "a plan made from a newer copy of the state is refused" "$status" 1
like "... and says so" "$err" 'made from generation [0-9]+, but this state has only come to [0-9]+: it is an older copy'
muster plan
like "what an older copy does not know is seen in AWS" "$out" '~ DisplayName: "3" -> "3"|changed in AWS|AWS has other values|No changes'
muster apply --auto-approve
is "... and put right" "$status" 0

# -- Elsewhere --
edit muster.json '.State = {Backend: "local", Path: "../elsewhere"}'
muster state list
is "a state elsewhere is another one" "$status $out" "0 "
mv "$state" "$work/elsewhere"
muster plan --detailed-exitcode
is "... and may be moved there" "$status" 0
edit muster.json '.State.Backend = "s3"'
muster plan
is "a backend that does not exist" "$status" 1
like "... is named, with its place" "$err" '^muster.json:[0-9]+:[0-9]+: State.Backend'
done_testing
