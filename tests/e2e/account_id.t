#!/bin/bash
# An account on the roster that gets another id is another account: nothing recorded in the old one is touched or lost.
. "$(dirname "$0")/lib.sh"
fleet=$work/fleet
fleet_make "$fleet" 3
rm "$fleet"/stacks/{recording,detection,event-access,log-archive,chat}.json 2>/dev/null
jq '.Targets = {Accounts: ["tag:project"], Regions: ["us-east-1"]} | .Resources |= {Topic: {Type: "AWS::SNS::Topic",
	Properties: {TopicName: "events"}}} | del(.Outputs, .Parameters, .Conditions)' "$fleet/stacks/notification.json" >"$work/new"
cp "$work/new" "$fleet/stacks/notification.json"
jq '.Accounts += [{Name: "spare", Id: "300000000009", Tags: []}]' "$fleet/accounts.json" >"$work/new"
cp "$work/new" "$fleet/accounts.json"
fleet_commit "$fleet" "A topic"
sandbox_start "$fleet/accounts.json"

run "$muster" -C "$fleet" apply --auto-approve
is "a topic is made" "$status" 0
jq '.Accounts |= (map(select(.Name != "spare")) | map(if .Name == "app-3" then .Id = "300000000009" else . end))' \
	"$fleet/accounts.json" >"$work/new"
cp "$work/new" "$fleet/accounts.json"
fleet_commit "$fleet" "app-3 has another id"
for how in --refresh --no-refresh; do
	run "$muster" -C "$fleet" plan "$how" --detailed-exitcode
	is "another id under the same name is refused, $how" "$status" 1
	like "... with both ids" "$err" 'app-3/us-east-1/notification/Topic is recorded in account 300000000003, but .* 300000000009'
done
run "$muster" -C "$fleet" apply --auto-approve --no-refresh
is "... and not applied" "$status" 1
is "the record is as it was" "$("$muster" -C "$fleet" state show app-3/us-east-1/notification/Topic | jq -r .AccountId)" 300000000003
done_testing
