#!/bin/bash
# The saved plan: what show tells again, and when apply refuses it.
. "$(dirname "$0")/lib.sh"
fleet=$work/fleet
fleet_make "$fleet" 3
rm "$fleet"/stacks/{recording,detection,event-access,log-archive}.json
jq '.Targets.Regions = ["us-east-1", "eu-west-1"] | del(.Resources.Rule)' "$fleet/stacks/notification.json" >"$work/new"
cp "$work/new" "$fleet/stacks/notification.json"
fleet_commit "$fleet" "Only topics"
sandbox_start "$fleet/accounts.json"

run "$muster" -C "$fleet" plan --out "$work/plan.json" --format json
is "a plan as JSON" "$status" 0
is "... has Terraform's shape" "$(jq -r '.resource_changes[0].change.actions[0]' <<<"$out")" create
like "... with what muster needs" "$(jq -c '.muster | keys' <<<"$out")" lineage
is "show gives the same JSON" "$("$muster" -C "$fleet" show --format json "$work/plan.json" | jq -S . | sha256sum)" \
	"$(jq -S . <<<"$out" | sha256sum)"

run "$muster" -C "$fleet" plan --out "$work/again.json"
planned=$out
run "$muster" -C "$fleet" show "$work/again.json"
is "show tells a saved plan word for word as plan did" "$out" "$planned"

jq '(.resource_changes[0].change.after) |= (.DisplayName = "changed")' "$work/plan.json" >"$work/edited.json"
run "$muster" -C "$fleet" apply "$work/edited.json"
is "an edited plan is refused" "$status" 1
like "... as edited" "$err" "changed after"
run "$muster" -C "$fleet" show "$work/missing.json"
is "a plan that is not there" "$status" 1
like "... is said to be missing" "$err" "missing.json.*No such file"
echo '{"format_version": "1.2"' >"$work/broken.json"
run "$muster" -C "$fleet" apply "$work/broken.json"
is "a plan that is no JSON is refused" "$status" 1
like "... with its place" "$err" "broken.json:[0-9]+:[0-9]+"
echo '{"format_version": "1.2", "resource_changes": []}' >"$work/other.json"
run "$muster" -C "$fleet" show "$work/other.json"
is "another tool's plan is refused" "$status" 1

run "$muster" -C "$fleet" plan --out "$work/stale.json"
run "$muster" -C "$fleet" apply "$work/plan.json"
is "the plan is applied" "$status" 0
run "$muster" -C "$fleet" apply "$work/stale.json"
is "a plan of before is refused" "$status" 1
run "$muster" -C "$fleet" apply "$work/plan.json"
is "the same plan is refused the second time" "$status" 1
like "... as applied already" "$err" "already"

# Two plans over different resources do not disturb each other; two over the same do.
run "$muster" -C "$fleet" plan --only '*/us-east-1/*' --destroy --out "$work/us.json"
run "$muster" -C "$fleet" plan --only '*/eu-west-1/*' --destroy --out "$work/eu.json"
run "$muster" -C "$fleet" plan --destroy --out "$work/all.json"
run "$muster" -C "$fleet" apply "$work/us.json"
is "one region is destroyed" "$status" 0
run "$muster" -C "$fleet" apply "$work/all.json"
is "a plan over a changed resource is stale" "$status" 1
like "... and names it" "$err" "us-east-1/notification/Topic"
run "$muster" -C "$fleet" apply "$work/eu.json"
is "a plan over other resources is not" "$status" 0
is "nothing is recorded" "$("$muster" -C "$fleet" state list | wc -l)" 0
run "$muster" -C "$fleet" apply "$work/plan.json"
is "the first plan is still refused, though all is as before" "$status" 1
like "... as applied already" "$err" "already"

# On a state of another lineage, and on none at all.
mkdir "$work/other" && cp -R "$fleet/." "$work/other" && rm -rf "$work/other/.muster" "$work/other/.git"
jq '.Lineage = "01OTHERLINEAGE000000000000"' "$fleet/muster.json" >"$work/other/muster.json"
fleet_commit "$work/other" "Another lineage"
run "$muster" -C "$work/other" apply --auto-approve --only '*/us-east-1/*'
is "another lineage has its own state" "$status" 0
run "$muster" -C "$fleet" plan --only '*/eu-west-1/*' --out "$work/mine.json"
is "what another made elsewhere does not disturb --only" "$status" 0
run "$muster" -C "$work/other" apply "$work/mine.json"
is "a plan of another lineage is refused" "$status" 1
like "... and says so" "$err" lineage
run "$muster" -C "$fleet" apply --only '*/eu-west-1/*'
is "nobody there to say yes" "$status" 1
like "... is said" "$err" "auto-approve"

# Who can write the file can make its digest, too: what is shown must be what the values say, and they what the state has.
# shellcheck source=tests/e2e/small.sh
. "$(dirname "$0")/small.sh"
sandbox_stop
specs_make "$specs"
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"
stack topics <<'JSON'
{ "Targets": { "Accounts": ["app", "web"], "Regions": ["home"] },
  "Resources": { "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "t", "DisplayName": "one" } } } }
JSON
run "$muster" -C "$specs" apply --auto-approve
is "topics to forge plans for" "$status" 0

# forge FROM TO JQ-FILTER: an edited plan with the digest that it has then
forge() {
	local digest
	jq "$3" "$1" >"$work/forging"
	digest=$(jq -cSj 'del(.muster.digest, .muster.signatures)' "$work/forging" | sha256sum | cut -d ' ' -f 1)
	jq --arg digest "$digest" '.muster.digest = $digest' "$work/forging" >"$2"
}

edit stacks/topics.json '.Resources.Topic.Properties.DisplayName = "two"'
run "$muster" -C "$specs" plan --out "$work/true.json"
forge "$work/true.json" "$work/forged.json" .
run "$muster" -C "$specs" show "$work/forged.json"
is "a plan with its own digest made anew is read" "$status" 0
key=app/eu-west-1/topics/Topic
forge "$work/true.json" "$work/forged.json" '.resource_changes[0].change.after.DisplayName = "evil"'
for command in show apply; do
	run "$muster" -C "$specs" "$command" "$work/forged.json"
	is "$command: other values than the differences are refused" "$status" 1
	like "... as such" "$err" "$key: differences: expected what before, after and recorded differ in"
done
forge "$work/true.json" "$work/forged.json" "del(.muster.changes[\"$key\"].differences)
	| .resource_changes[0].action_reason = \"update_because_incomplete\""
run "$muster" -C "$specs" show "$work/forged.json"
is "differences that are left out are refused" "$status" 1
forge "$work/true.json" "$work/forged.json" "del(.muster.changes[\"$key\"].recorded_is_before)
	| .muster.changes[\"$key\"].recorded = {TopicName: \"t\", DisplayName: \"was never\"}"
run "$muster" -C "$specs" apply "$work/forged.json"
is "what was never recorded is refused by apply" "$status" 1
like "... as such" "$err" "what this plan says is recorded of $key is not what the state has"
run "$muster" -C "$specs" apply "$work/true.json"
is "the plan as it was made is applied" "$status" 0

# Protect and DeletionPolicy are not in AWS, but who lifts them must be seen to do it.
edit stacks/topics.json '.Resources.Topic += {Protect: true, DeletionPolicy: "Retain"}'
run "$muster" -C "$specs" plan
like "Protect that comes is shown" "$out" '~ Protect: false -> true'
like "... as is a DeletionPolicy" "$out" '\+ DeletionPolicy: "Retain"'
run "$muster" -C "$specs" apply --auto-approve --only 'app/*'
edit stacks/topics.json '.Resources.Topic |= (del(.Protect) | .DeletionPolicy = "Delete" | .Properties.DisplayName = "three")'
run "$muster" -C "$specs" plan --out "$work/lifted.json"
for format in text markdown html; do
	case $format in
	text) run "$muster" -C "$specs" show "$work/lifted.json" ;;
	*) run "$muster" -C "$specs" show --format "$format" "$work/lifted.json" ;;
	esac
	like "$format: Protect that goes is shown beside what else changes" "$out" 'Protect: true -(>|&gt;|\\u003e) false'
	like "$format: ... and what that allows" "$out" 'Protect is lifted: the next generation may delete or replace it'
	like "$format: ... as is Retain" "$out" 'DeletionPolicy: .*Retain.* -(>|&gt;|\\u003e) .*Delete'
done
run "$muster" -C "$specs" show "$work/lifted.json"
is "targets that do not lose it are another entry" "$(grep -c '^~ update topics/Topic' <<<"$out")" 2
forge "$work/lifted.json" "$work/forged.json" ".muster.changes[\"$key\"].policies_recorded.protect = false"
run "$muster" -C "$specs" apply "$work/forged.json"
is "what was never recorded of Protect is refused by apply" "$status" 1
like "... as such" "$err" "what this plan says is recorded of $key is not what the state has"
run "$muster" -C "$specs" apply "$work/lifted.json"
is "the plan that lifts it is applied" "$status" 0

# What percentages are of is not what the file says alone.
edit muster.json '.Limits = {MaxTargets: "10%", MaxDelete: "10%"}'
git -C "$specs" init -q 2>/dev/null
fleet_commit "$specs" "Limits"
edit stacks/topics.json '.Resources.Topic.Properties.DisplayName = "four"'
run "$muster" -C "$specs" plan --out "$work/limited.json"
forge "$work/limited.json" "$work/forged.json" 'del(.muster.limits) | .muster.unchanged = 5000
	| .muster.reached.other = [{accounts: ["security", "app", "web"], regions: [range(1000) | "xx-fake-\(.)"]}]'
run "$muster" -C "$specs" apply --allow-dirty "$work/forged.json"
is "targets that nobody knows do not raise a limit" "$status" 1
like "... of muster.json" "$err" 'over the limits of muster.json: it changes 2 targets, MaxTargets is 10% of 2 targets: 1'
# shellcheck disable=SC2016
forge "$work/limited.json" "$work/forged.json" '(.resource_changes[].address | select(startswith("app"))) as $app
	| .muster.changes[$app].pending = true | .muster.base = "feedbeef"'
run "$muster" -C "$specs" show "$work/forged.json"
is "what is pending needs a base" "$status" 1
like "... that is a commit" "$err" 'pending: expected a plan with a base, which is the full id of a commit'
forge "$work/limited.json" "$work/forged.json" '.muster.signatures = [{Algorithm: "ed25519", KeyType: "ssh-ed25519",
	Key: "SHA256:AAAA", Comment: "ciso@example.com", Time: "2026-11-23T00:00:00Z", Signature: "AAAA"}]'
run "$muster" -C "$specs" show "$work/forged.json"
like "a signature that nobody has checked is not said to hold" "$out" \
	'Carries a signature that names SHA256:AAAA .ciso@example.com.*checked by apply'
done_testing
