#!/bin/bash
# Rollback: a plan back to what an earlier generation applied, and plans of other revisions than the work tree's.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
mkdir -p "$specs/files"
echo "the first text" >"$specs/files/text"
stack alerts <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["*"] },
  "Parameters": { "Owner": { "Type": "String", "Default": "nobody" } },
  "Resources": {
    "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "alerts", "DisplayName": "one",
      "Tags": [{ "Key": "owner", "Value": { "Ref": "Owner" } }] } },
    "Settings": { "Type": "AWS::SSM::Parameter", "Properties": { "Name": "/alerts", "Type": "String",
      "Value": { "Muster::File": "files/text" } } } } }
JSON
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"

# held: what AWS has, in words that stay the same when it is made again.
held() {
	sandbox_get dump | jq -S '[paths(scalars) as $p | select($p | map(tostring) | join("/") | test("alerts|extra"; "i"))
		| {key: ($p | map(tostring) | join("/")), value: getpath($p)}
		| select(.key | test("Date|Time|Modified|Version|Created|At$") | not)] | sort_by(.key)'
}
# records: the state's, without what tells when they were written.
records() {
	"$muster" -C "$specs" state list | while read -r address; do
		"$muster" -C "$specs" state show "$address" --json 2>/dev/null | jq -Sc '.. | objects | .Properties? // empty'
	done
}
# uncommitted COMMAND...: muster with the specs as they are: nothing is committed before.
uncommitted() {
	run env "$muster" -C "$specs" "$@"
}
digest() {
	sha256sum "$1" | cut -d' ' -f1
}
# fact N JQ-FILTER: of generation N's facts
fact() {
	"$muster" -C "$specs" log --json | jq -c ".[] | select(.Number == $1) | .Facts | $2"
}

# -- Nothing to go back to --
muster rollback 1
is "before anything was applied there is nothing to go back to" "$status" 1
like "... which is said" "$err" 'nothing was applied yet'
fleet_commit "$specs" "One"
first=$(git -C "$specs" rev-parse HEAD)

# -- Forth --
muster apply --auto-approve --parameter Owner=team-a
is "a generation is applied" "$status" 0
held >"$work/held1"
records >"$work/records1"
is "... and keeps what it was made from" "$(fact 1 '.Inputs | keys')" \
	'["accounts.json","files/text","muster.json","stacks/alerts.json"]'
is "... under their hashes" "$(fact 1 '.Inputs["files/text"]')" "\"$(digest "$specs/files/text")\""
edit stacks/alerts.json '.Resources.Topic.Properties.DisplayName = "two"'
edit accounts.json '.Accounts |= map(select(.Name != "web"))'
echo "the second text" >"$specs/files/text"
stack extra <<'JSON'
{ "Targets": { "Accounts": ["security"], "Regions": ["home"] },
  "Resources": { "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "extra" } } } }
JSON
fleet_commit "$specs" "Two"
muster apply --auto-approve --parameter Owner=team-b
is "another one is applied" "$status" 0
is "... what was changed, added and taken off the roster" "$(topics | tr '\n' ' ')" \
	"$security/eu-west-1/extra $app/eu-west-1/alerts $app/us-east-1/alerts "

# -- And back --
muster rollback 1 --out "$work/back.json"
is "a plan back is made" "$status" 0
like "... it says at its top where to" "$out" \
	"^Rollback to generation 1 \(commit ${first:0:12}, applied 20[0-9-]+T[0-9:]+Z by .+\)$"
is "... it makes again what was deleted" "$(planned "$work/back.json" '.change.actions == ["create"]')" \
	"web/eu-west-1/alerts/Settings web/eu-west-1/alerts/Topic web/us-east-1/alerts/Settings web/us-east-1/alerts/Topic"
is "... deletes what was made since" "$(planned "$work/back.json" '.change.actions == ["delete"]')" \
	"security/eu-west-1/extra/Topic"
is "... turns back what was changed" "$(planned "$work/back.json" '.change.actions == ["update"]')" \
	"app/eu-west-1/alerts/Settings app/eu-west-1/alerts/Topic app/us-east-1/alerts/Settings app/us-east-1/alerts/Topic"
like "... to the properties of then" "$out" '~ DisplayName: "two" -> "one"'
like "... with the file of then" "$out" 'the second text.*the first text|- the second text'
like "... and the parameters of then" "$out" 'team-b.*team-a'
is "... the plan file says it" "$(jq -c '.muster | [.rollback, .commit == "'"$first"'", .dirty, .inputs["files/text"], .rollback_of.Commit == .commit]' "$work/back.json")" \
	"[1,true,false,\"$(echo "the first text" | sha256sum | cut -d' ' -f1)\",true]"
muster show "$work/back.json"
like "... so it is shown again" "$out" '^Rollback to generation 1 \(commit'
is "... nothing was changed by planning" "$(git -C "$specs" status --porcelain)$(topics | grep -c extra)" 1
muster rollback 1 --detailed-exitcode --only 'security/*'
is "... parts of it can be had" "$status $(grep -c '^Plan: 0 to create, 0 to update, 0 to replace, 1 to delete' <<<"$out")" "2 1"

muster apply "$work/back.json"
is "the plan is applied like any other" "$status" 0
held >"$work/held3"
records >"$work/records3"
is "... AWS has what it had" "$(diff "$work/held1" "$work/held3")" ""
is "... and so has the state" "$(diff "$work/records1" "$work/records3")" ""
is "... there was something to compare" "$(($(jq length "$work/held1") > 8)) $(($(wc -l <"$work/records1") >= 8))" "1 1"
is "... the generation says so" "$(fact 3 .Rollback)" 1
is "... and keeps the same" "$(fact 3 .Inputs)" "$(fact 1 .Inputs)"
muster rollback 3 --detailed-exitcode
is "back to the newest is a plan of what was applied" "$status" 0
like "... which is nothing" "$out" 'No changes'
like "... under its own name" "$out" '^Rollback to generation 3 \(commit'
muster rollback 1 --detailed-exitcode
is "... as is the one that it went back to" "$status" 0
muster plan --detailed-exitcode --parameter Owner=team-b
is "the work tree is as it was, so its plan goes forth again" "$status" 2
muster state verify
is "the state is whole" "$status" 0

# -- What comes from where --
edit muster.json '.Limits = {MaxDelete: 0} | .Access.SessionName = "of-today" | .ConfigGlobalRegion = "us-east-1"'
muster rollback 2 --out "$work/forth.json"
is "settings that are in no commit are not used" "$status $(jq -c '[.muster.accounts[].access.SessionName] | unique' "$work/forth.json")" "0 [null]"
like "... which is said" "$err" 'muster.json is not as it is committed: what a rollback takes from today.s settings is taken from the commit'
fleet_commit "$specs" "Settings of today"
muster rollback 2 --out "$work/forth.json"
is "the settings of today are used" "$(jq -c '[.muster.accounts[] | select(.name != "web") | .access.SessionName] | unique' "$work/forth.json")" '["of-today"]'
is "... and the roster of then" "$(jq -c '[.resource_changes[] | select(.address | startswith("web/")) | .change.actions[0]] | unique' "$work/forth.json")" \
	'["delete"]'
uncommitted apply "$work/forth.json"
is "the limits of today hold" "$status $(grep -c MaxDelete <<<"$err")" "1 1"
muster rollback 2 --override-limit --out "$work/over.json"
is "... and are overridden where a reviewer sees it" "$status $(jq -c .muster.limits.Overridden "$work/over.json")" "0 true"
git -C "$specs" reset -q --hard HEAD~1

# -- Wrong numbers --
for wrong in 9:'there is no generation 9: the newest is 3' 0:'"0" is no generation' x:'"x" is no generation' \
	99999999999999999999:'is no generation'; do
	muster rollback "${wrong%%:*}"
	is "rollback ${wrong%%:*}" "$status" 1
	like "... is refused in words" "$err" "${wrong#*:}"
done
muster rollback
is "no generation at all" "$status" 1
muster rollback 1 --parameter Owner=team-c
is "a plain parameter is not given again" "$status" 1
like "... which is said" "$err" 'Owner is no secret: a rollback gives it the value that generation 1 had'

# -- Other revisions --
as_they_are=1
git -C "$specs" tag release HEAD~1
for revision in HEAD~1 release "${first:0:10}" main~1; do
	uncommitted plan --at "$revision" --out "$work/at.json" --parameter Owner=team-a
	is "plan --at $revision" "$status" 0
	is "... is of its specs" "$(jq -c '[(.resource_changes | length), .muster.commit == "'"$first"'", .muster.dirty, .muster.tree]' "$work/at.json")" \
		"[0,true,false,\"$(git -C "$specs" rev-parse 'HEAD~1^{tree}')\"]"
done
uncommitted plan --at HEAD --out "$work/at.json"
is "the same of the newest" "$status" 0
echo "uncommitted" >"$specs/files/text"
uncommitted plan --at HEAD --out "$work/at2.json"
is "... what is not committed does not come in" "$(jq -cS .resource_changes "$work/at2.json")" "$(jq -cS .resource_changes "$work/at.json")"
muster validate --at HEAD~1
is "validate --at, too" "$status" 0
uncommitted plan --at no-such-branch
is "a revision that is none" "$status" 1
like "... is named" "$err" 'no-such-branch'
echo '{' >"$work/broken.json"
cp "$specs/muster.json" "$work/muster.json"
cp "$work/broken.json" "$specs/muster.json"
uncommitted plan --at HEAD
is "where the state is only the work tree says" "$status" 1
like "... so its settings must be readable" "$err" '^muster.json:'
cp "$work/muster.json" "$specs/muster.json"
uncommitted apply "$work/at2.json"
is "a plan of a revision is applied without its being checked out" "$status" 0
is "... and the generation keeps its files" "$(fact 4 '.Inputs["files/text"]')" "\"$(echo "the second text" | sha256sum | cut -d' ' -f1)\""
is "... its commit" "$(fact 4 '[.Commit, .Dirty]')" "[\"$(git -C "$specs" rev-parse HEAD)\",false]"

# -- Files that are gone --
uncommitted plan --out "$work/dirty.json"
echo "still uncommitted" >"$specs/files/text"
uncommitted apply --allow-dirty "$work/dirty.json"
is "a plan whose files are nowhere any more is not applied" "$status" 1
like "... they are named" "$err" 'not to be found as they were then.*: files/text; put them back'
echo "uncommitted" >"$specs/files/text"
uncommitted apply --allow-dirty "$work/dirty.json"
is "... when they are back it is" "$status" 0
git -C "$specs" checkout -q files/text
muster rollback 5 --out "$work/back.json" --detailed-exitcode
is "the way back to it is known, too" "$status $(jq -r '.muster.inputs["files/text"]' "$work/back.json")" \
	"0 $(echo uncommitted | sha256sum | cut -d' ' -f1)"
unlike "... git is not asked for what no commit had" "$err" 'git|other files'
muster rollback 4 --out "$work/back.json"
uncommitted apply "$work/back.json"
muster rollback 5 --out "$work/back.json"
uncommitted apply "$work/back.json"
is "... to apply it is to apply what is not committed" "$status" 1
like "... which is said" "$err" 'what generation 5 applied was in no commit'
uncommitted apply --allow-dirty "$work/back.json"
is "... and allowed" "$status" 0

# -- Git forgets --
git -C "$specs" tag -d release >/dev/null
git -C "$specs" checkout -q --orphan squashed
git -C "$specs" commit -q -m "All in one"
git -C "$specs" branch -q -D main
git -C "$specs" reflog expire --expire=now --all
git -C "$specs" gc -q --prune=now
muster rollback 1 --out "$work/back.json"
is "when its commit is gone the way back is still there" "$status $(git -C "$specs" cat-file -t "$first" 2>/dev/null)" "0 "
is "... to the same" "$(jq '.resource_changes | length' "$work/back.json")" 9
like "... with a remark" "$err" 'note: generation 1 is taken from what the state keeps of it, which git cannot confirm'
cp -R "$specs" "$work/alone"
rm -rf "$work/alone/.git"
run "$muster" -C "$work/alone" rollback 1 --detailed-exitcode
is "without a repository, too" "$status" 2
like "... with a remark" "$err" 'note: generation 1 .* git cannot confirm'
git clone -q --depth 1 "file://$specs" "$work/shallow"
cp -R "$specs/.muster" "$work/shallow/"
run "$muster" -C "$work/shallow" rollback 1 --detailed-exitcode
is "in a shallow clone, too" "$status" 2
like "... with a remark" "$err" 'note: generation 1 .* git cannot confirm'
run "$muster" -C "$work/shallow" plan --at "$first"
is "... where other revisions are not to be had" "$status" 1
like "... which is said" "$err" 'shallow'
muster apply "$work/back.json"
is "it is applied, out of the state" "$status" 0
held >"$work/held6"
is "... and AWS has what it had" "$(diff "$work/held1" "$work/held6")" ""
done_testing
