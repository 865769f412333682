#!/bin/bash
# Moves, and what comes after: names that are in use by what was moved, replacements that turn out to be none.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"

# resources JQ: the stack of this test has these.
resources() {
	jq -n "{Targets: {Accounts: [\"app\"], Regions: [\"home\"]}} + {Resources: ($1)} + (${2:-null} // {})" >"$specs/stacks/s.json"
}
record() {
	"$muster" -C "$specs" state show "app/eu-west-1/s/$1" | jq -c "$2"
}
# afresh: nothing in AWS, no state.
afresh() {
	sandbox_stop
	rm -rf "$specs/.muster"
	sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"
}
role() {
	echo "{Type: \"AWS::IAM::Role\", Properties: {Path: $1, AssumeRolePolicyDocument: {Version: \"2012-10-17\", Statement: [
		{Effect: \"Allow\", Principal: {Service: \"lambda.amazonaws.com\"}, Action: \"sts:AssumeRole\"}]}}}"
}

# -- A replacement that turns out to be none, of something that was moved --
resources "{A: $(role '"/x/"'), B: $(role '"/x/"')}"
muster apply --auto-approve
resources "{A: $(role '"/x/"'), B: $(role '"/y/"')}"
muster apply --auto-approve
muster state mv app/eu-west-1/s/B app/eu-west-1/s/C
muster state mv app/eu-west-1/s/A app/eu-west-1/s/B
resources "{D: {Type: \"AWS::GuardDuty::Detector\", Properties: {Enable: true}},
	B: $(role '{"Fn::Select": [0, {"Fn::Split": ["|", {"Fn::Join": ["", ["/x/|", {Ref: "D"}]]}]}]}'), C: $(role '"/y/"')}"
before=$(record B '[.Origin, .Incarnation, .Properties.RoleName]')
muster plan
like "a path not known yet may force a replacement" "$out" '^\+/- replace s/B'
muster apply --auto-approve
like "... it turns out to be none: it is told as the update that it was" "$err" 's/B: updated in'
like "... and counted as one" "$out" 'Applied: 1 created, 1 updated in'
is "... its name and what that is made from stay" "$(record B '[.Origin, .Incarnation, .Properties.RoleName]')" "$before"
muster plan --detailed-exitcode
is "... and quiet" "$status" 0

# -- What a replacement has left keeps its name while it is there --
topic() {
	echo "{Type: \"AWS::SNS::Topic\", Properties: $1}"
}
afresh
resources "{A: $(topic '{DisplayName: "a"}')}"
muster apply --auto-approve
first=$(record A '.Attributes.TopicName')
resources "{B: $(topic '{DisplayName: "a", FifoTopic: true}')}" '{Moved: [{From: "A", To: "B"}]}'
sandbox_post fault '{"Faults": ["service=sns,operation=DeleteTopic,code=AuthorizationError,status=403"]}'
muster apply --auto-approve
is "moved and replaced, and the old one cannot be deleted" "$status" 1
is "... what is left says what its name is made from" "$(record B '[.Origin, .Deposed[0].Origin]')" '[null,"app/eu-west-1/s/A"]'
resources "{A: $(topic '{DisplayName: "new"}'), B: $(topic '{DisplayName: "a", FifoTopic: true}')}"
muster apply --auto-approve
like "something new at the old address" "$out" '^\+ create s/A'
is "... has a name of its own" "$([ "$(record A .Attributes.TopicName)" != "$first" ] && echo yes)" yes
# The same with a name that is given.
sandbox_post fault '{"Clear": true}'
resources "{A: $(topic '{TopicName: "x"}')}"
muster apply --auto-approve
resources "{B: $(topic '{TopicName: "y"}')}" '{Moved: [{From: "A", To: "B"}]}'
sandbox_post fault '{"Faults": ["service=sns,operation=DeleteTopic,code=AuthorizationError,status=403"]}'
muster apply --auto-approve
sandbox_post fault '{"Clear": true}'
resources "{A: $(topic '{TopicName: "x"}'), B: $(topic '{TopicName: "y"}')}"
muster plan --adopt '*'
unlike "what is to be deleted is not adopted by another" "$out" 'adopt s/A'
like "... that waits, and says for what" "$out" 's/A: waits: an earlier replacement of app/eu-west-1/s/B has left the AWS::SNS::Topic that has this name'
muster apply --auto-approve
is "... apply deletes what was left, and is not done" "$status $(record B .Deposed)" "1 null"
muster apply --auto-approve
is "... the next one is" "$status" 0
muster plan --detailed-exitcode
is "... and quiet" "$status" 0

# -- Names are in use after an export and an import, too --
afresh
resources "{B: $(topic '{DisplayName: "b"}')}"
muster apply --auto-approve
first=$(record B .Attributes.TopicName)
muster state mv app/eu-west-1/s/B app/eu-west-1/s/Z
muster state export --out "$work/export.json" --secrets
rm -rf "$specs/.muster"
muster state import "$work/export.json"
resources "{B: $(topic '{DisplayName: "new"}'), Z: $(topic '{DisplayName: "b"}')}"
muster apply --auto-approve
is "after an import, something new at an address that was moved away from is made" "$status" 0
is "... with a name of its own" "$([ "$(record B .Attributes.TopicName)" != "$first" ] && echo yes)" yes
is "... what was moved has the one it had" "$(record Z .Attributes.TopicName)" "$first"
muster plan --detailed-exitcode
is "... and quiet" "$status" 0

# -- Loops: which names they make is known in a target only --
loop() {
	resources "{\"Fn::ForEach::T\": [\"N\", $1, {\"T\${N}\": {Type: \"AWS::SNS::Topic\", Properties: {DisplayName: \"t\"}}}]}" "${2:-null}"
}
afresh
loop '["One", "Two"]'
muster apply --auto-approve
for to in Three A; do
	loop "[\"One\", \"Two\", \"$to\"]" "{Moved: [{From: \"TOne\", To: \"T$to\"}]}"
	muster plan --out "$work/loop.json"
	is "what a loop still makes is not moved to T$to" "$status" 1
	like "... and said so" "$err" "app/eu-west-1/s/TOne .*is a resource of this stack still, and Moved says that it is T$to now"
done
loop '["Two", "Three"]' '{Moved: [{From: "TOne", To: "TThree"}]}'
muster plan
like "what it makes no more is" "$out" '^~ move s/TThree'
is "... nothing else" "$status $(grep -cE '^(\+|-) ' <<<"$out")" "0 0"

# -- Going back over a state mv --
group() {
	echo "{Type: \"AWS::Logs::LogGroup\", Properties: {RetentionInDays: $1}}"
}
afresh
resources "{A: $(group 30)}"
jq '.Resources = {K: .Resources.A}' "$specs/stacks/s.json" >"$specs/stacks/other.json"
muster apply --auto-approve
name=$(record A .Properties.LogGroupName)
muster state mv app/eu-west-1/s/A app/eu-west-1/s/M
muster state mv app/eu-west-1/s/M app/eu-west-1/s/B
muster state mv app/eu-west-1/other/K app/eu-west-1/s/K
rm "$specs/stacks/other.json"
resources "{B: $(group 60), K: $(group 30)}"
muster apply --auto-approve
is "moved by state mv, and changed" "$status $(record B .Properties.LogGroupName)" "0 $name"
muster rollback 1 --out "$work/back.json"
like "going back moves it back" "$out" '^~ update s/A'
like "... and says so" "$out" 'moved from s/B'
like "... what came from another stack is warned of" "$err" \
	'app/eu-west-1/s/K was app/eu-west-1/other/K in generation 1 .*muster state mv app/eu-west-1/s/K app/eu-west-1/other/K'
muster state mv app/eu-west-1/s/K app/eu-west-1/other/K
muster rollback 1 --out "$work/back.json"
unlike "... moved back first, it is not" "$err" 'other/K'
is "... nothing is made or deleted" "$(planned "$work/back.json" '.change.actions | index("create") or index("delete")')" ""
muster apply "$work/back.json" --allow-dirty
is "... applied" "$status $(record A '[.Properties.LogGroupName, .Properties.RetentionInDays]')" "0 [$name,30]"
done_testing
