#!/bin/bash
# Ways around approval that were tried: plans that call themselves something else, files that only seem to be committed,
# another state, rules that come and go. Each is refused, or said where whoever signs reads it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
as_they_are=yes # commits decide here, so each is made by the test
keys=$work/keys
first=
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

done_testing
