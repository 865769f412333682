#!/bin/bash
# Ways around approval that were tried: plans that call themselves something else, files that only seem to be committed,
# another state, rules that come and go. Each is refused, or said where whoever signs reads it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
as_they_are=yes # commits decide here, so each is made by the test
keys=$work/keys
first=--first-apply
mkdir -p "$keys" "$specs/approvers"
for name in kato mallory; do
	openssl genpkey -algorithm ed25519 -out "$keys/$name.pem" 2>/dev/null
	openssl pkey -in "$keys/$name.pem" -pubout -out "$keys/$name.pub.pem"
	cp "$keys/$name.pub.pem" "$specs/approvers/$name.pem"
done

# topic NAME: a stack with one topic in both regions of app and web.
topic() {
	jq -n --arg name "$1" '{Targets: {Accounts: ["tag:project"], Regions: ["*"]},
		Resources: {Topic: {Type: "AWS::SNS::Topic", Properties: {TopicName: $name}}}}' >"$specs/stacks/$1.json"
}
# by NAME MESSAGE: a commit of all there is, by NAME@example.com.
by() {
	GIT_AUTHOR_EMAIL=$1@example.com GIT_COMMITTER_EMAIL=$1@example.com fleet_commit "$specs" "$2"
}
plan_to() {
	local file=$work/$1
	shift
	muster plan --out "$file" "$@"
}
approve() {
	muster approve "$work/$1" --key "$keys/$2.pem"
}
generation() {
	"$muster" -C "$specs" log --json 2>/dev/null | jq '(map(.Number) | max) // 0'
}
hold() {
	held="$(topics | wc -l) $(generation)"
}
# refused NAME MESSAGE: of the last run; nothing in AWS and no generation may have come of it.
refused() {
	is "$1: refused" "$status" 1
	like "... saying why" "$err" "$2"
	is "... and nothing was changed" "$(topics | wc -l) $(generation)" "$held"
}
# forge FROM TO JQ-FILTER: what somebody can do who can write the file: change it and make its digest anew.
forge() {
	jq -c "del(.muster.signatures) | $3" "$work/$1" >"$work/forged"
	local digest
	digest=$(jq -cSj 'del(.muster.digest, .muster.signatures)' "$work/forged" | sha256sum | cut -d' ' -f1)
	jq -c --arg digest "$digest" '.muster.digest = $digest' "$work/forged" >"$work/$2"
}

topic one
edit muster.json '.Approval = {Required: 1, NotAuthor: true, Keys: [
	{File: "approvers/kato.pem", Email: "kato@example.com"},
	{File: "approvers/mallory.pem", Email: "mallory@example.com"}]}'
by ann "One"
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"

# -- An approver's key that only the work tree has --
openssl genpkey -algorithm ed25519 -out "$keys/eve.pem" 2>/dev/null
openssl pkey -in "$keys/eve.pem" -pubout -out "$specs/approvers/kato.pem"
hold
plan_to own.json
is "a key of one's own in the place of another" "$status $(jq .muster.dirty "$work/own.json")" "0 true"
like "... is said" "$err" 'more than what is committed: approvers/kato.pem \(not as it is committed\)'
approve own.json eve
muster apply "$work/own.json" $first
refused "... and does not judge the first apply" 'were not committed'
forge own.json own_forged.json '.muster.dirty = false'
approve own_forged.json eve
muster apply "$work/own_forged.json" $first
refused "... nor does a plan that says it is clean" 'files that are not those of its commit, so nobody can have reviewed them: approvers/kato.pem \(not as it is committed\)'
git -C "$specs" checkout -q .
plan_to one.json
approve one.json kato
muster apply "$work/one.json" $first
is "the first apply" "$status $(topics | wc -l) $(generation)" "0 4 1"
one=$(git -C "$specs" rev-parse HEAD)

# -- A plan that calls itself a rollback --
git -C "$specs" checkout -q -b evil
topic two
by mallory "Two"
plan_to two.json
git -C "$specs" checkout -q main
hold
approve two.json mallory
muster apply "$work/two.json"
refused "another tree than is checked out, signed by its author" 'the specs are not those that this plan was approved for'
git -C "$specs" show evil:stacks/two.json >"$specs/stacks/two.json"
forge two.json back.json ".muster.rollback = 1 | .muster.commit = \"$one\""
approve back.json mallory
muster apply "$work/back.json"
refused "the same that calls itself a rollback" 'calls itself a rollback to generation 1, and was not made from what that generation was'
forge two.json back.json ".muster.rollback = 1 | .muster.commit = \"$one\" | .muster.tree = $(jq .muster.tree "$work/one.json") |
	.muster.inputs = $(jq -c .muster.inputs "$work/one.json") | .muster.rollback_of = {}"
approve back.json mallory
muster apply "$work/back.json"
refused "... without saying whose generation that was" 'calls itself a rollback to generation 1'
forge two.json back.json ".muster.rollback = 7"
approve back.json kato
muster apply "$work/back.json"
refused "... to a generation that is none" 'there is no generation 7'
rm "$specs/stacks/two.json"

# -- Files that only seem to be committed --
mkdir -p "$specs/policies" "$specs/files"
jq -n '{Targets: {Accounts: ["app"], Regions: ["home"]}, Resources: {
	A: {Type: "AWS::SSM::Parameter", Properties: {Type: "String", Name: "/a", Value: {"Muster::File": "policies/a.txt"}}},
	B: {Type: "AWS::SSM::Parameter", Properties: {Type: "String", Name: "/b", Value: {"Muster::File": "files/b.txt"}}}}}' \
	>"$specs/stacks/files.json"
echo committed | tee "$specs/policies/a.txt" >"$specs/files/b.txt"
by ann "Files"
plan_to files.json
is "files that are committed" "$status $(jq .muster.dirty "$work/files.json")" "0 false"
unlike "... are not spoken of" "$err" 'more than what is committed'
printf 'committed\r\n' >"$specs/policies/a.txt"
git -C "$specs" config core.autocrlf true
plan_to files.json
is "... nor with the line ends of another system" "$status $(jq .muster.dirty "$work/files.json")" "0 false"
git -C "$specs" config --unset core.autocrlf
echo edited >"$specs/policies/a.txt"
plan_to edited.json
is "one outside files/ that was edited" "$status $(jq .muster.dirty "$work/edited.json")" "0 true"
like "... is named" "$err" 'policies/a.txt \(not as it is committed\)'
forge edited.json clean.json '.muster.dirty = false'
approve clean.json kato
muster apply "$work/clean.json"
refused "... and cannot be approved" 'policies/a.txt \(not as it is committed\)'
git -C "$specs" checkout -q .
git -C "$specs" update-index --assume-unchanged files/b.txt
echo edited >"$specs/files/b.txt"
is "git status says nothing of what it was told to assume unchanged" "$(git -C "$specs" status --porcelain)" ""
plan_to assumed.json
is "... a plan does" "$(jq .muster.dirty "$work/assumed.json")" true
like "... by name" "$err" 'files/b.txt \(not as it is committed\)'
git -C "$specs" update-index --no-assume-unchanged files/b.txt
git -C "$specs" checkout -q .
git -C "$specs" update-index --assume-unchanged stacks/one.json
rm "$specs/stacks/one.json"
plan_to absent.json
is "a stack that is committed and was left out" "$(jq .muster.dirty "$work/absent.json")" true
like "... is named" "$err" 'stacks/one.json \(committed, and not there\)'
git -C "$specs" update-index --no-assume-unchanged stacks/one.json
git -C "$specs" checkout -q .
git init -q "$work/other"
echo inside >"$work/other/a.txt"
git -C "$work/other" add -A
git -C "$work/other" -c user.name=o -c user.email=o@example.com commit -q -m "Other"
edit stacks/files.json '.Resources.A.Properties.Value = {"Muster::File": "sub/a.txt"}'
git -C "$specs" -c protocol.file.allow=always submodule --quiet add "$work/other" sub
by ann "A submodule"
plan_to sub.json
is "a file in a submodule" "$status $(jq .muster.dirty "$work/sub.json")" "0 true"
like "... is in no commit of these specs" "$err" 'sub/a.txt: in a git submodule'
git -C "$specs" reset -q --hard HEAD~1 2>/dev/null
rm -rf "$specs/sub"

# -- Another state --
openssl pkey -in "$keys/eve.pem" -pubout -out "$work/eve.pub.pem"
git -C "$specs" checkout -q -b elsewhere
cp "$work/eve.pub.pem" "$specs/approvers/eve.pem"
edit muster.json '.Approval = {Required: 1, Keys: ["approvers/eve.pem"]} | .State = {Backend: "local", Path: ".other"}'
by eve "Another state"
hold
plan_to other.json --adopt '*'
like "a plan for an empty state says so first" "$(head -5 <<<"$out")" 'the state at .other is empty: this is the first apply, and nothing but these specs says who must approve it'
approve other.json eve
like "... also to who signs" "$out" 'note +the state at .other is empty'
held="$(topics | wc -l) $(generation)"
muster apply "$work/other.json"
refused "rules of one's own in a state of one's own" 'the state in .*/.other is empty, so nothing but these specs says who must approve; if this is the first apply, say so with apply --first-apply'
muster approve "$work/other.json" --check
is "approve --check refuses it for the same reason" "$status $(grep -c 'say so with apply --first-apply' <<<"$err")" "1 1"
muster approve "$work/other.json" --check --first-apply
is "... and takes it where the option is given, as apply does" "$status" 0
muster approve "$work/other.json" --key "$keys/kato.pem" --first-apply
is "... which no signature needs" "$status $(grep -c 'goes with --check' <<<"$err")" "1 1"
edit muster.json 'del(.Approval)'
by eve "No approval"
muster apply --auto-approve --adopt '*'
refused "... nor without any rules, which there were once" 'the state in .*/.other is empty'
held="$(topics | wc -l) 1"
export MUSTER_STATE_PATH=.muster
muster apply --auto-approve --adopt '*'
refused "... and where the runner says which state, the specs do not" 'Approval.Required is 1'
plan_to moved.json
like "... but their plan says what they change" "$out" 'this changes State, where muster keeps what it made: \(not set\) -> \{"Backend":"local","Path":".other"\}'
unset MUSTER_STATE_PATH
rm -rf "$specs/.other"
git -C "$specs" checkout -q main
plan_to files.json
approve files.json kato
muster apply "$work/files.json" --first-apply
is "--first-apply is for an empty state alone" "$status" 1
like "... as it says" "$err" 'is not empty, generation 1 says who must approve'

# -- What was applied in part is still to be answered for --
topic four
topic five
by mallory "Four and five"
plan_to four.json --only '*/four/*'
approve four.json mallory
hold
muster apply "$work/four.json"
refused "a part of one's own change" 'mallory@example.com .* does not count: who signed also wrote commits'
approve four.json kato
muster apply "$work/four.json"
is "... signed by another" "$status $("$muster" -C "$specs" log --json | jq -r '.[0].Facts.Only')" "0 */four/*"
plan_to five.json
approve five.json mallory
hold
muster apply "$work/five.json"
refused "the rest of the same commit" 'mallory@example.com .* does not count: who signed also wrote commits'
approve five.json kato
muster apply "$work/five.json"
is "... signed by another, too" "$status" 0

# -- State surgery --
muster state rm 'web/*/five/*' --auto-approve
is "records are forgotten" "$status" 0
plan_to after.json --adopt '*'
like "every plan afterwards says so first" "$(head -5 <<<"$out")" 'state surgery since the last approved apply: generation 4; muster log tells'
forge after.json silent.json '.muster.notes = []'
approve silent.json kato
hold
muster apply "$work/silent.json"
refused "one that does not" 'does not say what whoever approves it must know .state surgery since'
approve after.json kato
muster apply "$work/after.json"
is "who signs it has seen it" "$status" 0
plan_to quiet.json
unlike "... and then it is approved" "$out" 'state surgery'

# -- Rules outlive the state --
muster state export --out "$work/export.json"
is "an export has the rules" "$status $(jq -c '.Rules.Keys | keys' "$work/export.json")" \
	'0 ["approvers/kato.pem","approvers/mallory.pem"]'
mv "$specs/.muster" "$work/lost"
git -C "$specs" checkout -q -b after
edit muster.json 'del(.Approval)'
by mallory "No approval"
muster state import "$work/export.json"
is "a restore" "$status" 0
muster apply --auto-approve
is "... is under the same rules" "$status" 1
like "... with those who may" "$err" 'Approval.Required is 1'
plan_to restored.json
like "its plan says what it changes in them" "$out" 'Required: 1 -> \(not set\)'
like "... and that the state was restored" "$out" 'state surgery since the last approved apply: generation 6;'
git -C "$specs" checkout -q main
rm -rf "$specs/.muster"
mv "$work/lost" "$specs/.muster"

# -- A rollback under the settings of today --
# shellcheck disable=SC2016 # muster's own
edit muster.json '.Access.Role = "arn:aws:iam::${AccountId}:role/other"'
muster rollback 1 --out "$work/back.json"
is "an Access that is in no commit" "$(jq -c '[.muster.accounts[].access.Role] | unique | map(select(. != null))' "$work/back.json" | grep -c other)" 0
like "... is spoken of" "$err" 'muster.json is not as it is committed'
fleet_commit "$specs" "Another role"
muster rollback 1 --no-refresh --out "$work/back.json"
like "one that is committed is said" "$out" 'this changes Access, by which accounts are entered: '
git -C "$specs" reset -q --hard HEAD~1

# -- Turned on --
rm -rf "$specs/.muster"
git -C "$specs" checkout -q --orphan fresh
edit muster.json '.Approval = {Required: 0, Keys: ["approvers/kato.pem"]}'
fleet_commit "$specs" "Without approvals"
muster apply --auto-approve --adopt '*'
is "without approvals" "$status $(generation)" "0 1"
edit muster.json '.Approval.Keys = ["approvers/kato.pem", "approvers/mallory.pem"]'
fleet_commit "$specs" "Another key"
muster apply --auto-approve
is "rules that change alone make a generation" "$status $(generation)" "0 2"
muster apply --auto-approve
is "... once" "$status $(generation)" "0 2"
edit muster.json '.Approval.Required = 1'
fleet_commit "$specs" "With approvals"
hold
muster apply --auto-approve
refused "approvals are not turned on in one go" 'Approval.Required is 1'
plan_to on.json
muster apply "$work/on.json"
is "... but by a saved plan" "$status $(generation)" "0 3"
topic seven
fleet_commit "$specs" "Seven"
hold
plan_to seven.json
muster apply "$work/seven.json"
refused "and from then on all must be approved" 'the specs of generation 3 require 1 of 2 keys'
approve seven.json kato
muster apply "$work/seven.json"
edit muster.json '.Limits = {MaxDelete: 0}'
rm "$specs/stacks/seven.json"
fleet_commit "$specs" "Limits"
hold
plan_to gone.json --override-limit
forge gone.json unlimited.json 'del(.muster.limits)'
approve unlimited.json kato
edit muster.json 'del(.Limits)'
muster apply "$work/unlimited.json"
refused "limits that are lifted in the work tree alone" 'MaxDelete'
git -C "$specs" checkout -q .

done_testing
