#!/bin/bash
# Drift: what AWS has now against what is recorded; what is new since the last report and what has been resolved; and
# drift that goes into the record.
# shellcheck disable=SC2016 # ${AccountId} is for muster
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
secret=sesame
export TOKEN=$secret-token
edit muster.json '.Parameters = {Token: {Env: "TOKEN"}}'
stack topics <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["*"] },
  "Resources": { "T": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "t", "DisplayName": "spec",
    "Tags": [{ "Key": "team", "Value": "a" }] } } } }
JSON
stack chat <<'JSON'
{ "Targets": { "Accounts": ["app"], "Regions": ["home"] },
  "Parameters": { "Token": { "Type": "String", "NoEcho": true } },
  "Resources": { "S": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "secret",
    "DisplayName": { "Ref": "Token" }, "Tags": [{ "Key": "team", "Value": "a" }] } } } }
JSON
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"

# topic_set ACCOUNT REGION TOPIC NAME=VALUE
topic_set() {
	outsider "$1" "$2" sns Action=SetTopicAttributes Version=2010-03-31 "TopicArn=arn:aws:sns:$2:$1:$3" \
		"AttributeName=${4%%=*}" "AttributeValue=${4#*=}" >/dev/null
}
topic_tag() {
	outsider "$1" "$2" sns Action=TagResource Version=2010-03-31 "ResourceArn=arn:aws:sns:$2:$1:$3" \
		"Tags.member.1.Key=${4%%=*}" "Tags.member.1.Value=${4#*=}" >/dev/null
}
topic_delete() {
	outsider "$1" "$2" sns Action=DeleteTopic Version=2010-03-31 "TopicArn=arn:aws:sns:$2:$1:$3" >/dev/null
}
# finding JQ-FILTER: over the report that was made last as JSON
finding() {
	jq -c "$1" "$work/out"
}

generation_of() {
	"$muster" -C "$specs" log --json | jq '.[0].Number'
}

muster drift
is "before there is a state nothing can drift" "$status" 0
is "... and nothing is remembered" "$(ls "$specs/.muster" 2>/dev/null)" ""
muster apply --auto-approve
is "a fleet" "$status" 0
muster drift
is "no drift" "$status" 0
like "... is said" "$out" '^No drift\. 5 resources are as recorded\.$'
is "... remembered for its owner" "$(stat -c %a "$specs/.muster/drift.json")" 600

# -- What differs --
topic_set $app eu-west-1 t DisplayName=other
topic_set $web eu-west-1 t DisplayName=other
topic_tag $app us-east-1 t new=one
topic_delete $web us-east-1 t
before=$(sandbox_get dump | sha256sum)
muster drift
is "drift" "$status" 2
like "... in the same way in several targets is one entry" "$out" '^~ changed topics/T \(AWS::SNS::Topic\)$'
like "... with where" "$out" '^    in 2 of 4 targets: home region of app, web$'
like "... from what is recorded to what is there" "$out" '~ DisplayName: "spec" -> "other"'
like "... what was added" "$out" '\+ Tags\[new\]: '
like "... what is gone" "$out" '^- gone topics/T'
like "... is new" "$out" '^New since the last report \(20[0-9T:-]+Z\): 3 changed in 3 of [0-9] targets, 1 gone in 1 of [0-9] targets$'
is "nothing was changed" "$(sandbox_get dump | sha256sum)" "$before"
muster drift --json
is "as JSON" "$status $(finding '[.drift.new, (.drift.known | length)]')" '2 [[],4]'
is "... in the words of a plan" "$(finding '[.resource_changes[] | .change.actions[0]] | sort')" \
	'["delete","update","update","update"]'
is "... marked as what it is" "$(finding '[.applyable, .muster.drift, .muster.digest]')" '[false,true,null]'
cp "$work/out" "$work/drift-plan.json"
muster apply "$work/drift-plan.json" --auto-approve
is "a report is not applied" "$status" 1
like "... and says what to do" "$err" 'a report of drift, not a plan; muster plan makes one that takes drift back'
muster drift --all --json
is "--all knows nothing of other reports" "$status $(finding '[(.drift.new | length), .drift.previous]')" '2 [4,null]'
muster drift --only '*/us-east-1/*' --json
is "--only" "$status $(finding '[.resource_changes[].address]')" '2 ["app/us-east-1/topics/T","web/us-east-1/topics/T"]'
is "... forgets nothing of what it leaves out" "$(jq '.findings | length' "$specs/.muster/drift.json")" 4
muster drift --only 'nobody/*'
is "--only that matches nothing" "$status" 1
like "... is an error" "$err" "matches no resource"
muster drift --format markdown
like "as markdown" "$out" '^### muster: Drift: what AWS has now against what is recorded$'
muster drift --format html
like "as a page" "$out" '^<!DOCTYPE html>$'

# -- Since the last report --
topic_set $app eu-west-1 t DisplayName=spec
topic_set $web eu-west-1 t DisplayName=third
topic_set $app eu-west-1 secret DisplayName=$secret-found
topic_tag $app eu-west-1 secret team=b
muster drift
is "the next report" "$status" 2
cp "$work/out" "$work/said"
like "... has what is new first" "$(grep -nE '^(New|Known|~|-)' <<<"$out" | head -3 | tr '\n' ' ')" '^[0-9]+:New .* [0-9]+:~ changed .*'
like "... what is known, and since when" "$out" '# known since 20[0-9T:-]+Z'
like "... what is other than it was" "$out" '# the last report told of it, too, but of other differences'
like "... what was put back, and not by muster" "$out" "app/eu-west-1: topics/T: AWS has again what is recorded, and not by muster's doing"
unlike "a secret that somebody else set is no drift" "$out" 'S\.DisplayName|DisplayName: .*sensitive'
like "... but the rest of the resource is looked at" "$out" '~ Tags\[team\].Value: "a" -> "b"'
muster drift --json
cp "$work/out" "$work/said.json"
is "no secret is told or remembered" "$(grep -la "$secret" "$work/said" "$work/said.json" "$specs/.muster/drift.json")" ""
muster apply --auto-approve --only '*/us-east-1/*'
is "some is taken back" "$status" 0
muster drift
like "... which the next report knows" "$out" 'us-east-1: topics/T: taken back by generation 2 \(known since '
muster drift --json
is "... once" "$(finding '.drift.resolved')" '[]'

# -- What stands in the way --
rm -rf "$work/specs2" && cp -R "$specs" "$work/specs2"
rm "$specs"/stacks/*
muster drift --all
is "stacks are not needed" "$status" 2
cp "$work/specs2"/stacks/* "$specs/stacks/"
edit accounts.json '(.Accounts[] | select(.Name == "web")).Access =
	{Role: "arn:aws:iam::${AccountId}:role/nope", PlanRole: "arn:aws:iam::${AccountId}:role/nope"}'
muster drift --json
is "what cannot be read is not resolved" "$status $(finding '[(.drift.resolved | length), (.muster.notes | map(.kind) | unique)]')" \
	'2 [0,["remembered_regions","unreachable"]]'
is "... and stays known" "$(jq -c '[.findings | keys[] | select(startswith("web/"))]' "$specs/.muster/drift.json")" \
	'["web/eu-west-1/topics/T"]'
muster drift --only 'web/*'
is "no drift in what could be reached is no success" "$status" 1
like "... and is said" "$out" '^Unreachable: nobody knows what is there now$'
like "... also at the end" "$out" '^No drift in what could be reached\.'
cp "$work/specs2/accounts.json" "$specs/"
muster drift --json
is "it is known again when it can be read" "$(finding '[.drift.known[].address]')" \
	'["app/eu-west-1/chat/S","web/eu-west-1/topics/T"]'
echo '{' >"$specs/.muster/drift.json"
muster drift --json
is "a damaged memory" "$status $(finding '.drift.new | length')" '2 2'
like "... is said" "$err" 'drift\.json: is damaged, so nobody knows what of this was reported before'
echo '{"version": 2}' >"$specs/.muster/drift.json"
muster drift
is "one of a newer version" "$status" 1
like "... is left alone" "$err$(<"$specs/.muster/drift.json")" 'written by a newer muster; --all does without it\{"version": 2\}'
rm "$specs/.muster/drift.json"
mkdir "$specs/.muster/drift.json"
muster drift
is "a memory that cannot be read" "$status" 1
like "... is said, with the way round" "$err" 'cannot read the last report: .*; --all does without it'
rmdir "$specs/.muster/drift.json"
# No room for a report: no file may be larger than 0 bytes.
full=$(
	ulimit -f 0
	trap '' XFSZ
	"$muster" -C "$specs" drift 2>&1 >/dev/null
	echo "status $?"
)
like "who cannot write beside the state may see drift" "$full" '^status 2$'
like "... and is told" "$full" 'drift\.json: cannot be written \(.*\), so the next report compares with the one before this'
is "... and nothing half is left" "$(find "$specs/.muster" -name 'drift.json*')" ""

# -- Accepting drift --
recorded() {
	"$muster" -C "$specs" state show "$1" --json | jq -c "$2"
}
muster apply --auto-approve
is "all drift is taken back" "$status" 0
muster plan --accept-drift '*' --out "$work/plan.json"
is "without drift there is nothing to accept" "$status" 1
like "... which is an error" "$err" "--accept-drift '\*' matches nothing that has drifted"
topic_set $app eu-west-1 t DisplayName=other
topic_tag $app eu-west-1 t new=one
topic_set $app us-east-1 t DisplayName=other
topic_set $app eu-west-1 secret DisplayName=$secret-found
topic_tag $app eu-west-1 secret team=b
topic_delete $web us-east-1 t
muster drift
is "all of it is new drift" "$status" 2
for option in --no-refresh --destroy; do
	muster plan --accept-drift 'app/*' $option
	is "$option and --accept-drift" "$status" 1
	like "... do not go together" "$err" 'it goes with neither --no-refresh nor --destroy'
done
muster plan --accept-drift 'app/eu-west-1/*' --accept-drift 'nobody/*'
is "each pattern must have something to accept" "$status" 1
like "... and is named" "$err" "'nobody/\*' matches nothing"
muster plan --accept-drift 'app/eu-west-1/*' --accept-drift 'web/*' --out "$work/plan.json"
is "some drift is accepted" "$status" 0
cp "$work/out" "$work/said"
like "... into the record" "$out" '# what AWS has now goes into the record as it is \(--accept-drift\)'
like "... with what is different" "$out" '~ DisplayName: "spec" -> "other"'
like "... and what the specs still want" "$out" \
	'app/eu-west-1: topics/T: accepted into the record; the specs still want DisplayName "spec", no Tags\[new\], so the next plan changes it back unless they say so'
like "... what is gone is forgotten" "$out" 'accepted as gone; the specs still want it, so the next plan makes it again unless they say so'
is "... what was not is taken back" \
	"$(jq -r '[.muster.changes | to_entries[] | "\(.key) \(.value.action) \(.value.accepted == true)"] | sort | join("; ")' "$work/plan.json")" \
	"app/eu-west-1/chat/S update true; app/eu-west-1/topics/T update true; app/us-east-1/topics/T update false; web/us-east-1/topics/T forget true"
is "... other tools see nothing done to AWS" \
	"$(jq -c '[.resource_changes[] | select(.action_reason == "drift_accepted") | .change.actions[]]' "$work/plan.json")" \
	'["no-op","no-op","forget"]'
shown=$out
muster show "$work/plan.json"
is "show tells the same" "$out" "$shown"
muster apply "$work/plan.json"
is "it is applied" "$status" 0
is "... AWS is left as it is" "$(sandbox_get dump | grep -c '"DisplayName": *"other"')" 1
is "... the record has what AWS has" "$(recorded app/eu-west-1/topics/T '.Properties | [.DisplayName, (.Tags | length)]')" '["other",2]'
is "... but for secrets" "$(recorded app/eu-west-1/chat/S '[.Properties.DisplayName["Muster::Secret"].Source, .Properties.Tags[0].Value]')" \
	'[{"Env":"TOKEN"},"b"]'
muster state show web/us-east-1/topics/T
is "... and none of what is gone" "$status" 1
is "no secret is told or recorded" "$(grep -la "$secret" "$work/said" "$work/plan.json" "$specs/.muster"/*)" ""
number=$(generation_of)
for said in "show --apply $number" "state diff $number"; do
	# shellcheck disable=SC2086 # words
	muster $said
	like "$said: what is gone was forgotten" "$out" '^\. forgotten topics/T .*'
	like "... and its record alone" "$out" 'only its record was dropped; nothing was changed in AWS'
	like "... what was accepted is recorded as it is" "$out" 'recorded as it is in AWS \(--accept-drift\); nothing was changed there'
	unlike "... nothing was deleted" "$out" 'deleted'
	# shellcheck disable=SC2086
	muster $said --json
	is "... also as JSON" "$(jq -c '[.. | .action_reason? // empty] | unique' <<<"$out")" '["history_accepted","history_forgotten"]'
done
muster show --apply "$number" --format markdown
like "... and in markdown" "$out" 'recorded as it is in AWS'
muster state history web/us-east-1/topics/T
like "... so does the history of one" "$out" 'forgotten|only its record'
muster drift
is "accepted drift is none" "$status" 0
like "... and settled" "$out" 'app/eu-west-1: topics/T: settled by generation 4, which recorded something else'
like "... what is forgotten is not recorded" "$out" 'web/us-east-1: topics/T: not recorded any more'
muster plan --no-refresh --out "$work/plan.json"
is "the next plan changes it back" "$(planned "$work/plan.json" true)" \
	"app/eu-west-1/chat/S app/eu-west-1/topics/T web/us-east-1/topics/T"
like "... from what was accepted" "$out" '~ DisplayName: "other" -> "spec"'
edit stacks/topics.json '.Resources.T.Properties.DisplayName = "other" | .Resources.T.Properties.Tags += [{Key: "new", Value: "one"}]'
edit stacks/chat.json '.Resources.S.Properties.Tags[0].Value = "b"'
muster plan --only 'app/eu-west-1/*' --detailed-exitcode
is "unless the specs say so" "$status" 0
muster apply --auto-approve
is "what was forgotten is made again" "$status $(topics | grep -c "^$web/us-east-1/t\$")" "0 1"
muster state diff "$((number - 1))" "$(generation_of)" --json
is "over several generations it is what became of it in all" \
	"$(jq -r '[.resource_changes[] | select(.address | startswith("web/us-east-1")) | .change.actions | join(",")] | join(" ")' <<<"$out")" update
muster state rm 'web/us-east-1/topics/T' --auto-approve
muster state diff "$(generation_of)"
like "what state rm took was forgotten" "$out" '^\. forgotten topics/T '
muster apply --auto-approve --adopt '*'
is "... and is taken again" "$status" 0

# -- Accepted as gone, and what uses it --
stack user <<'JSON'
{ "Targets": { "Accounts": ["app"], "Regions": ["home"] },
  "Resources": {
    "Used": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "used" } },
    "Old": { "Type": "AWS::Events::Rule", "Properties": { "Name": "old", "EventPattern": { "source": ["aws.x"] },
      "Targets": [{ "Id": "a", "Arn": { "Ref": "Used" } }] } } } }
JSON
muster apply --auto-approve
is "a topic and its user" "$status" 0
topic_delete $app eu-west-1 used
edit stacks/user.json '.Resources.New = (.Resources.Old | .Properties.Name = "new")'
muster plan --accept-drift '*/Used' --out "$work/plan.json"
is "what is gone is accepted" "$status" 0
is "... what uses it stays as it is, and nothing new is made from it" "$(planned "$work/plan.json" true)" "app/eu-west-1/user/Used"
like "... which is said" "$out" 'user/New: waits for app/eu-west-1/user/Used, which cannot be made now'
muster apply --accept-drift '*/Used' --auto-approve
is "apply takes --accept-drift, too, and says that not all is done" "$status" 1
muster state show app/eu-west-1/user/Used
is "... and forgets" "$status" 1
muster apply --auto-approve
is "... until the next one makes it all" "$status $(topics | grep -c "^$app/eu-west-1/used\$")" "0 1"
muster apply "$work/plan.json" --accept-drift '*'
is "a saved plan takes no more" "$status" 1

done_testing
