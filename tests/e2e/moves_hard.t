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
done_testing
