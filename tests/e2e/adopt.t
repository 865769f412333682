#!/bin/bash
# What exists already: a plan says so, takes it over only where it is told to, and nothing adopted is lost unasked.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
alerts() {
	stack alerts <<-'JSON'
		{ "Targets": { "Accounts": ["tag:project"], "Regions": ["*"] },
		  "Resources": { "Topic": { "Type": "AWS::SNS::Topic",
		    "Properties": { "TopicName": "alerts", "DisplayName": "ours" } } } }
	JSON
}
alerts
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"
changing='[.Operation | to_entries[] | select(.key | test(":(Create|Set|Delete|Put|Update|Tag)")) | .value] | add // 0'

outsider $app eu-west-1 sns Action=CreateTopic Name=alerts >"$work/answer"
muster plan --detailed-exitcode
is "a plan over what exists already fails" "$status" 1
like "... says so with the place in the stack" "$err" '^stacks/alerts.json:2:[0-9]+: Resources.Topic: app/eu-west-1/alerts/Topic exists already .AWS::SNS::Topic'
like "... where" "$err" 'app/eu-west-1/alerts/Topic'
like "... and what takes it over" "$err" "use --adopt '[*]/alerts/Topic' or \"Adopt\": true"
unlike "... nothing is said of the other targets" "$err" 'us-east-1|account web'
muster plan --adopt 'web/*'
is "a glob that does not cover it does not help" "$status" 1
before=$(sandbox_calls "$changing")
muster apply --auto-approve
is "an apply does not start" "$status" 1
is "... and changes nothing" "$(sandbox_calls "$changing")" "$before"

muster plan --adopt 'app/*/alerts/*' --out "$work/plan.json"
is "with --adopt it is planned" "$status" 0
like "... as adopt" "$out" '^< adopt alerts/Topic'
like "... with its diff" "$out" '~ DisplayName: "" -> "ours"'
like "... and counted" "$out" '3 to create .*1 to adopt'
is "... it is an import for those who read Terraform's plans" \
	"$(planned "$work/plan.json" '.change.importing.id != null and .change.actions == ["update"]')" app/eu-west-1/alerts/Topic
muster apply "$work/plan.json"
is "it is adopted" "$status" 0
like "... and said to be" "$out" '3 created, 1 adopted'
like "... and brought in line" "$(outsider $app eu-west-1 sns Action=GetTopicAttributes TopicArn=arn:aws:sns:eu-west-1:$app:alerts)" \
	'<value>ours</value>'
muster plan --detailed-exitcode
is "... and quiet afterwards" "$status" 0
muster state show app/eu-west-1/alerts/Topic
is "the record says that it was adopted" "$(jq .Adopted <<<"$out")" true

muster plan --destroy
like "destruction leaves what was adopted" "$out" 'app/eu-west-1: alerts/Topic: left in AWS: it was adopted'
like "... and deletes what was made" "$out" '3 to delete .*1 to forget'
muster apply --destroy --auto-approve
is "... and does so" "$status $(topics | tr '\n' ' ')" "0 $app/eu-west-1/alerts "
is "... the record goes" "$("$muster" -C "$specs" state list)" ""

edit stacks/alerts.json '.Resources.Topic += {Adopt: true, DeletionPolicy: "Delete"}'
muster plan --out "$work/plan.json"
is "\"Adopt\": true in the stack takes it over, too" "$status" 0
is "... as it is, where nothing differs" "$(planned "$work/plan.json" '.change.importing != null and .change.actions == ["no-op"]')" \
	app/eu-west-1/alerts/Topic
muster apply "$work/plan.json"
muster apply --destroy --auto-approve
is "DeletionPolicy: Delete deletes what was adopted" "$status $(topics)" "0 "

# DeletionPolicy: Delete counts as last applied, not as last written.
alerts
edit stacks/alerts.json '.Resources.Topic.Adopt = true'
outsider $app eu-west-1 sns Action=CreateTopic Name=alerts >"$work/answer"
muster apply --auto-approve
edit stacks/alerts.json '.Resources.Topic.DeletionPolicy = "Delete"'
muster apply --auto-approve
is "a DeletionPolicy is applied without a call" "$status $(grep -c 'updated' <<<"$out")" "0 1"
rm "$specs/stacks/alerts.json"
muster apply --auto-approve
is "... and then obeyed when the spec has gone" "$status $(topics)" "0 "

# Somebody is quicker than the apply.
alerts
muster plan --out "$work/plan.json"
outsider $web us-east-1 sns Action=CreateTopic Name=alerts "Attributes.entry.1.key=DisplayName" \
	"Attributes.entry.1.value=theirs" >"$work/answer"
muster apply "$work/plan.json"
is "what was made after the plan fails the apply" "$status" 1
like "... with the reason" "$out" 'AlreadyExists'
like "... where" "$out" 'web/us-east-1'
like "... and what would take it over" "$out" "adopt"
like "... it is left as it is" "$(outsider $web us-east-1 sns Action=GetTopicAttributes TopicArn=arn:aws:sns:us-east-1:$web:alerts)" \
	'<value>theirs</value>'
is "... the rest is done" "$("$muster" -C "$specs" state list | wc -l)" 3
muster apply --auto-approve --adopt 'web/us-east-1/*'
is "the next apply takes it over" "$status" 0

# What is to be adopted may go again in between.
muster apply --destroy --auto-approve
is "only the adopted one is left" "$(topics)" "$web/us-east-1/alerts"
muster plan --adopt '*' --out "$work/plan.json"
outsider $web us-east-1 sns Action=DeleteTopic TopicArn=arn:aws:sns:us-east-1:$web:alerts >"$work/answer"
muster apply "$work/plan.json"
is "what was to be adopted and is gone fails" "$status" 1
like "... as such" "$out" 'NoLongerThere'
muster apply --auto-approve
is "... and the next apply creates it" "$status $(topics | wc -l)" "0 4"

# An empty state meets names that only its own lineage can have made.
edit stacks/alerts.json '.Resources.Named = {Type: "AWS::SNS::Topic"}'
muster apply --auto-approve
is "names are generated" "$status $(topics | grep -c '/alerts-Named-')" "0 4"
mv "$specs/.muster" "$work/kept"
before=$(sandbox_calls "$changing")
muster plan
is "an empty state does not plan creates over its own fleet" "$status" 1
like "... says whose it is, first" "$(head -1 <<<"$err")" '^error: the state is empty, but resources of this lineage exist in AWS .4 of them with names generated for it, e\.g\. [a-z]+/[a-z0-9-]+/alerts/Named, and 4 more that would be created exist, too.'
like "... and what to do" "$err" 'bring it back from a backup, or take it in with muster state import EXPORT\.json; only where neither'
is "... once for all of them" "$(grep -c 'exists already' <<<"$err") $(grep -c '^error: ' <<<"$err")" "0 1"
muster plan --adopt '*/Topic'
is "... nor if only the rest is adopted" "$status $(grep -c '^error: the state is empty' <<<"$err")" "1 1"
muster plan --adopt '*'
is "who insists adopts all of it" "$status $(grep -c '^warning: the state is empty, but resources of this lineage' <<<"$err")" "0 1"
like "... as the plan says" "$out" '8 to adopt'
muster plan --only '*/Topic'
like "where no name proves it, each is an error" "$status $(grep -v '^note' <<<"$err")" '^1 .*alerts/Topic in 4 targets .*exists already .*--adopt'
like "... with one hint" "$(grep '^note' <<<"$err")" '^note: the state is empty, and 4 of the 4 resources that it would create exist already: .*muster state import EXPORT\.json'
muster apply --auto-approve
is "... nor does apply" "$status $(sandbox_calls "$changing")" "1 $before"
rm -rf "$specs/.muster"
mv "$work/kept" "$specs/.muster"
muster plan --detailed-exitcode
is "with the state back all is quiet" "$status" 0
jq '.Lineage = "01ANOTHERLINEAGE000000000"' "$specs/muster.json" >"$work/edited"
mv "$specs/.muster" "$work/kept"
cp "$work/edited" "$specs/muster.json"
muster plan --only '*/Named'
is "another lineage has other names" "$status" 0
like "... and creates them" "$out" '4 to create'
rm -rf "$specs/.muster"
mv "$work/kept" "$specs/.muster"
muster plan
is "another lineage than the state's is refused" "$status" 1
like "... with both" "$err" 'of lineage 01ANOTHERLINEAGE0*, but the state is of lineage 01SMALLFLEET'
edit muster.json '.Lineage = "01SMALLFLEET0000000000000"'

# A fixed name under another logical id is no find: the plan itself takes the old one away first.
edit stacks/alerts.json '.Resources = {Topic: {Type: "AWS::SNS::Topic", Properties: {TopicName: "fixed"}}}'
muster apply --auto-approve
edit stacks/alerts.json '.Resources = {Renamed: .Resources.Topic}'
muster plan
is "a fixed name may get another logical id" "$status" 0
like "... the old one goes and the new one comes" "$out" '4 to create .*4 to delete'
muster plan --only '*/Renamed'
is "... but not the new one alone" "$status" 1
muster apply --auto-approve --adopt '*'
is "... in that order, also where --adopt is given" "$status $(topics | grep -c /fixed)" "0 4"
muster plan --detailed-exitcode
is "... and quiet afterwards" "$status" 0

# A singleton has no name to tell it by.
stack guard <<'JSON'
{ "Targets": { "Accounts": ["app"], "Regions": ["home"] },
  "Resources": { "Detector": { "Type": "AWS::GuardDuty::Detector", "Properties": { "Enable": true } } } }
JSON
muster apply --auto-approve
other=$work/other
specs_make "$other"
cp "$specs/stacks/guard.json" "$other/stacks/"
jq '.Lineage = "01ANOTHERLINEAGE000000000"' "$specs/muster.json" >"$other/muster.json"
run "$muster" -C "$other" plan
is "a singleton that another fleet made is found" "$status" 1
like "... and said to exist" "$err" 'app/eu-west-1/guard/Detector exists already .AWS::GuardDuty::Detector'
jq '.Resources.Detector.Properties.FindingPublishingFrequency = "ONE_HOUR"' "$specs/stacks/guard.json" >"$other/stacks/guard.json"
run "$muster" -C "$other" apply --auto-approve --adopt '*'
is "... and adopted" "$status" 0
is "... by its id" "$("$muster" -C "$other" state show app/eu-west-1/guard/Detector | jq .Attributes.Id)" \
	"$("$muster" -C "$specs" state show app/eu-west-1/guard/Detector | jq .Attributes.Id)"
done_testing
