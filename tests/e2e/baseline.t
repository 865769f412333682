#!/bin/bash
# The whole baseline on 6 accounts and 5 regions, one of which has to be opted in to: applied, quiet, changed, gone;
# with the policies that the guide hands out for it; and rosters that are too large for one bus.
# shellcheck disable=SC2016 # jq's variables
. "$(dirname "$0")/lib.sh"
fleet=$work/fleet
secret='https://chat.example/services/T0PSECRET'
export MUSTER_CHAT_WEBHOOK=$secret
access=("python3" "$root/tests/baseline/access.py")

# parameter NAME JSON: in muster.json, committed.
parameter() {
	jq --arg name "$1" --argjson value "$2" '.Parameters[$name] = $value' "$fleet/muster.json" >"$work/new"
	cp "$work/new" "$fleet/muster.json"
	fleet_commit "$fleet" "$1 is $2" >"$work/git"
}

# facts JQ-FILTER: over what the sandbox holds, by account and region.
facts() {
	sandbox_get dump | jq -c "[to_entries[] | .key as \$account | .value | to_entries[] | .key as \$region | .value | $1]"
}

# planned: sets out to "create update replace delete" of a plan that is also saved.
planned() {
	run "$muster" -C "$fleet" plan --out "$work/plan.json"
	[ "$status" -eq 0 ] || out="failed: $err"
	out=$(jq -r '[.resource_changes[].change.actions | join("+")] | [
		(map(select(. == "create")) | length), (map(select(. == "update")) | length),
		(map(select(test("[+]"))) | length), (map(select(. == "delete")) | length)] | join(" ")' "$work/plan.json")
}

fleet_make "$fleet" 6
jq '.Parameters += {Chat: "true", ChatWebhook: {Env: "MUSTER_CHAT_WEBHOOK"}}' \
	"$fleet/muster.json" >"$work/new" && cp "$work/new" "$fleet/muster.json"
fleet_commit "$fleet" "With the chat"
echo '{"Regions": {"Enabled": ["us-east-1", "eu-west-1", "ap-northeast-1", "us-west-2"], "OptIn": ["me-south-1"]}}' \
	>"$work/sandbox.json"
sandbox_start "$fleet/accounts.json" --config "$work/sandbox.json"

run "$muster" -C "$fleet" validate
is "the baseline is valid" "$status" 0
is "... without a warning" "$err" ""
run "${access[@]}" --handlers
is "the guide's policies cover every call of the types that it uses" "$out" ""

export MUSTER_CHAT_WEBHOOK=http://chat.example/services/T0PSECRET
run "$muster" -C "$fleet" plan --out "$work/plan.json"
is "a webhook without TLS is refused" "$status" 1
like "... saying so" "$err" 'ChatWebhook.*https://'
unlike "... without the secret" "$out$err" T0PSECRET
export MUSTER_CHAT_WEBHOOK=$secret

run "$muster" -C "$fleet" plan --out "$work/plan.json"
is "the whole is planned" "$status" 0
unlike "... nothing blocked or unreachable" "$out" 'Blocked|Unreachable'
unlike "... without the secret in the text" "$out$err" T0PSECRET
is "... nor in the file" "$(grep -c T0PSECRET "$work/plan.json")" 0
sandbox_get stats >"$work/stats.json"
run "${access[@]}" "$fleet/accounts.json" plan "$work/stats.json"
is "the plan role's policies cover what the plan called" "$out" ""
resources=$(jq '.resource_changes | length' "$work/plan.json")
# In each of the 30 targets 5 that record (trail, recorder, channel, detector, export) and 2 Config rules; in 25 of them 3
# rules that forward; 2 roles an account; bucket, policy, key, alias; in 5 regions bus policy, 3 rules, topic, policy;
# queue, log group, role, function, and 2 for each of 5 topics.
is "... and it has every resource of the system" "$resources" $((30 * 7 + 25 * 3 + 12 + 4 + 5 * 6 + 4 + 10))

run "$muster" -C "$fleet" apply "$work/plan.json"
is "the whole is applied" "$status" 0
like "... in one go" "$out$err" "$resources created"
unlike "... without the secret" "$out$err" T0PSECRET
sandbox_get stats >"$work/stats.json"
run "${access[@]}" "$fleet/accounts.json" apply "$work/stats.json"
is "the apply role's policies cover what the apply called" "$out" ""
run "$muster" -C "$fleet" plan --detailed-exitcode
is "a second plan is quiet" "$status" 0
is "the state has no secret" "$(grep -rc T0PSECRET "$fleet/.muster" | grep -vc ':0$')" 0

is "a trail logs in every target" "$(facts '.cloudtrail.Trails // {} | .[] | select(.IsLogging)' | jq length)" 30
is "... all management events" \
	"$(facts '.cloudtrail.Trails // {} | .[].EventSelectors[] | [.ReadWriteType, .IncludeManagementEvents]' | jq -c unique)" \
	'[["All",true]]'
is "... with global events in one region only" \
	"$(facts '.cloudtrail.Trails // {} | .[] | select(.IncludeGlobalServiceEvents) | $region' | jq -c unique)" '["us-east-1"]'
is "Config records in every target" "$(facts '.config.Recorders // {} | .[] | select(.Recording)' | jq length)" 30
is "... global types in one region only" \
	"$(facts '.config.Recorders // {} | .[] | select(.recordingGroup.includeGlobalResourceTypes) | $region' | jq -c unique)" \
	'["us-east-1"]'
is "everything is delivered to one bucket" \
	"$(facts '(.cloudtrail.Trails, .config.Channels) // {} | .[] | .S3BucketName // .s3BucketName' | jq -c unique)" \
	'["example-logs-111111111111"]'
is "subscriptions are made from the function's account, and none is pending" \
	"$(facts '.sns.Subscriptions // {} | .[] | [.Owner, .Pending]' | jq -c unique)" '[["222222222222",false]]'
is "... one for each topic" "$(facts '.sns.Subscriptions // {} | .[] | $region' | jq -c 'sort')" \
	'["ap-northeast-1","eu-west-1","me-south-1","us-east-1","us-west-2"]'
is "the topic of a region that is opted in to has the permission for SNS's name there" \
	"$(facts '.lambda.Functions // {} | .[].Policy.Statement[] | .Principal.Service' | jq -c unique)" \
	'["sns.amazonaws.com","sns.me-south-1.amazonaws.com"]'
is "the function has the webhook" \
	"$(facts '.lambda.Functions // {} | .[].Environment.Variables.WEBHOOK_URL' | jq -c .)" "[\"$secret\"]"

parameter LogDays 500
planned
is "another retention is one update" "$out" "0 1 0 0"
printf '\n# changed\n' >>"$fleet/files/chat.py"
fleet_commit "$fleet" "Another text"
planned
is "... another source one more" "$out" "0 2 0 0"
export MUSTER_CHAT_WEBHOOK=${secret}2
planned
is "... another webhook is in the same function" "$out" "0 2 0 0"
is "... and not in the plan" "$(grep -c T0PSECRET "$work/plan.json")" 0
run "$muster" -C "$fleet" apply "$work/plan.json"
is "... applied" "$status" 0
is "... and there" "$(facts '.lambda.Functions // {} | .[].Environment.Variables.WEBHOOK_URL' | jq -c .)" "[\"${secret}2\"]"
is "the key is also for GuardDuty's name in the region that is opted in to" \
	"$(facts '.kms.Keys // {} | .[].Policy | fromjson | .Statement[1].Principal.Service' | jq -c .)" \
	'[["guardduty.amazonaws.com","guardduty.me-south-1.amazonaws.com"]]'
parameter ExportFindings '"false"'
planned
is "without exports 30 destinations, key and alias go, and the bucket policy changes" "$out" "0 1 0 32"
run "$muster" -C "$fleet" apply "$work/plan.json"
is "... applied" "$status" 0
parameter Chat '"false"'
planned
is "without the chat its 14 resources go" "$out" "0 0 0 14"
parameter Chat '"true"'
parameter ExportFindings '"true"'
run "$muster" -C "$fleet" apply --auto-approve
is "... and come back" "$status" 0
run "$muster" -C "$fleet" plan --detailed-exitcode
is "... after which all is quiet" "$status" 0
sandbox_get stats >"$work/stats.json"
run "${access[@]}" "$fleet/accounts.json" apply "$work/stats.json"
is "the policies cover all these changes" "$out" ""

run "$muster" -C "$fleet" plan --destroy --out "$work/destroy.json"
run "$muster" -C "$fleet" apply "$work/destroy.json"
is "all of it is destroyed" "$status" 0
is "nothing is recorded any more" "$("$muster" -C "$fleet" state list | wc -l)" 0
is "nothing is left" "$(sandbox_get dump | jq -c '[paths(strings) as $p | getpath($p) | select(test("muster-|:trail/muster"))]')" "[]"
sandbox_get stats >"$work/stats.json"
run "${access[@]}" "$fleet/accounts.json" apply "$work/stats.json"
is "the policies cover the deletes" "$out" ""
sandbox_stop

# 700 accounts: the policy of one bus is too small for them, and a plan says so before anything is done.
large=$work/large
fleet_make "$large" 700
run "$muster" -C "$large" validate
is "a roster that is too large for one bus is refused" "$status" 1
like "... with the place and the size" "$err" 'stacks/notification.json:[0-9]+:[0-9]+: .*Statement: [0-9]+ bytes; .*10240'
jq '.Accounts |= map(if .Id > "300000000400" then .Tags += ["bus-two"] else . end)' "$large/accounts.json" >"$work/new"
cp "$work/new" "$large/accounts.json"
jq '.Parameters.ExtraBuses = "two"' "$large/muster.json" >"$work/new" && cp "$work/new" "$large/muster.json"
fleet_commit "$large" "Two buses"
echo '{"Regions": {"Enabled": ["us-east-1"]}}' >"$work/sandbox.json"
sandbox_start "$large/accounts.json" --config "$work/sandbox.json"
run "$muster" -C "$large" plan --out "$work/large.json"
is "with a second bus it fits" "$status" 0
# destination ACCOUNT
destination() {
	jq -r --arg address "$1/us-east-1/detection/FindingRule" \
		'.resource_changes[] | select(.address == $address) | .change.after.Targets[0].Arn' "$work/large.json"
}
is "accounts without the tag send to the default bus" "$(destination app-400)" \
	arn:aws:events:us-east-1:111111111111:event-bus/default
is "... those with it to the other" "$(destination app-401)" arn:aws:events:us-east-1:111111111111:event-bus/muster-two
principals() {
	jq --arg address "security/us-east-1/notification/$1" '.resource_changes[] | select(.address == $address)
		| .change.after.Statement.Principal.AWS | length' "$work/large.json"
}
is "... and each may" "$(principals AccountsMaySend) $(principals AccountsMaySendtwo)" "399 300"
run "$muster" -C "$large" apply "$work/large.json"
is "... applied" "$status" 0
run "$muster" -C "$large" plan --detailed-exitcode
is "... and quiet" "$status" 0
done_testing
