#!/bin/bash
# Parts of the fleet that fail: an account whose role refuses, a region that is not enabled, a service that answers
# errors. The rest is applied, the message says who, where and why, and a second apply finishes the work.
. "$(dirname "$0")/lib.sh"
fleet=$work/fleet
fleet_make "$fleet" 6
regions='["us-east-1", "eu-west-1", "ap-northeast-1"]'
sandbox_config=$work/sandbox.json

# app-4 trusts nobody; app-5 has eu-west-1 off.
jq -n --argjson regions "$regions" '{
	Roles: [
		{Account: "300000000004", Name: "from-security", Trust: ["999999999998"]},
		{Account: "300000000004", Name: "from-security-readonly", Trust: ["999999999998"]}
	],
	Regions: {Enabled: $regions, "300000000005": {Enabled: ["us-east-1", "ap-northeast-1"]}}
}' >"$sandbox_config"
# A stack that names regions by name, one of them off in app-5.
jq '.Targets.Regions = ["us-east-1", "eu-west-1", "ap-northeast-1"]' "$fleet/stacks/detection.json" >"$work/new"
cp "$work/new" "$fleet/stacks/detection.json"
fleet_commit "$fleet" "Detection in three regions by name"
sandbox_start "$fleet/accounts.json" --config "$sandbox_config" \
	--fault 'account=300000000006,region=ap-northeast-1,service=guardduty,operation=CreateDetector,code=InternalServerErrorException,status=500,message=broken here'

run "$muster" -C "$fleet" access
is "access says that an account is closed" "$status" 1
like "... which one" "$out" '^app-4 .*FAILED'
like "... and why" "$out" 'not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::300000000004:role/from-security'

run "$muster" -C "$fleet" plan --out "$work/plan.json"
is "the rest is planned" "$status" 0
like "... the closed account is named" "$out" 'app-4'
like "... with the reason" "$out" 'not authorized to perform: sts:AssumeRole'
like "... and the region that is off" "$out" 'eu-west-1.*(not enabled|app-5)|app-5.*eu-west-1'
is "... and nothing planned in the closed account" "$(jq '[.resource_changes[] | select(.address | startswith("app-4/"))] | length' "$work/plan.json")" 0

run "$muster" -C "$fleet" apply "$work/plan.json"
is "what fails makes the apply fail" "$status" 1
like "... says which call" "$out$err" 'guardduty:CreateDetector'
like "... where" "$out$err" 'app-6/ap-northeast-1|app-6.*ap-northeast-1'
like "... and why" "$out$err" 'broken here'
records=$("$muster" -C "$fleet" state list)
like "the rest is applied: the same target" "$records" '^app-6/ap-northeast-1/recording/Trail$'
like "... and the other targets" "$records" '^app-6/us-east-1/recording/Detector$'
unlike "the failed one is not recorded" "$records" '^app-6/ap-northeast-1/recording/Detector$'
unlike "nor what depends on it" "$records" '^app-6/ap-northeast-1/detection/'

run "$muster" -C "$fleet" plan --detailed-exitcode
is "a second plan has what is left" "$status" 2
curl -sf -X POST "$AWS_ENDPOINT_URL/_sandbox/fault" -d '{"Clear": true}' >"$work/out"
run "$muster" -C "$fleet" apply --auto-approve
is "a second apply does it, the closed account still fails it" "$status" 1
like "... which is said again" "$out$err" 'app-4'
records=$("$muster" -C "$fleet" state list)
like "what failed is there" "$records" '^app-6/ap-northeast-1/recording/Detector$'
like "and what depended on it" "$records" '^app-6/ap-northeast-1/detection/FindingRule$'

# The account is off the roster: the rest is whole.
jq '.Accounts |= map(select(.Name != "app-4"))' "$fleet/accounts.json" >"$work/new"
cp "$work/new" "$fleet/accounts.json"
fleet_commit "$fleet" "app-4 goes"
run "$muster" -C "$fleet" apply --auto-approve
is "without the closed account nothing fails" "$status" 0
run "$muster" -C "$fleet" plan --detailed-exitcode
is "... and nothing is left to do" "$status" 0
done_testing
