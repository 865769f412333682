#!/bin/bash
# Resources that change their address and stay what they are: an account with another name, a logical id with another
# name, both at once; and what must not happen on the way.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
jq '.Regions.Enabled += ["ap-northeast-1"]' "$work/sandbox.json" >"$work/three.json"
sandbox_start "$specs/accounts.json" --config "$work/three.json"

# Names left out throughout: they follow from the address that something was made under.
stack fleet <<'JSON'
{
  "Targets": { "Accounts": ["*"], "Regions": ["*"] },
  "Resources": {
    "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": "fleet" } },
    "Policy": {
      "Type": "AWS::SNS::TopicPolicy",
      "Properties": {
        "Topics": [{ "Ref": "Topic" }],
        "PolicyDocument": { "Version": "2012-10-17", "Statement": [{
          "Effect": "Allow", "Action": "sns:Publish", "Resource": { "Ref": "Topic" },
          "Principal": { "Service": "events.amazonaws.com" } }] }
      }
    },
    "Group": { "Type": "AWS::Logs::LogGroup", "Properties": { "RetentionInDays": 30 } },
    "Detector": { "Type": "AWS::GuardDuty::Detector", "Properties": { "Enable": true } }
  },
  "Outputs": { "Arn": { "Value": { "Ref": "Topic" } } }
}
JSON
stack reader <<'JSON'
{
  "Targets": { "Accounts": ["security"], "Regions": ["home"] },
  "Resources": {
    "Names": {
      "Type": "AWS::SSM::Parameter",
      "Properties": {
        "Type": "String",
        "Value": { "Fn::GetStackOutput": { "StackName": "fleet", "OutputName": "Arn", "Account": "222222222222",
          "Region": "us-east-1" } }
      }
    }
  }
}
JSON

# Operations that change something, as the sandbox counted them.
writes() {
	sandbox_calls '[.Operation | to_entries[]
		| select(.key | test(":(Get|List|Describe|AssumeRole|Decode|Lookup|Head)") | not) | .value] | add // 0'
}
# Everything in AWS that has an identity, and nothing that a read could change.
held() {
	sandbox_get dump | grep -oE '"(arn:aws:[^"]*|[0-9a-f]{32})"' | sort -u | md5sum
}
quiet() {
	muster plan --detailed-exitcode
	is "$1" "$status" 0
}

muster apply --auto-approve
is "a fleet of 3 accounts in 3 regions" "$status $("$muster" -C "$specs" state list | wc -l)" "0 37"
quiet "... and quiet"
before=$(held)
written=$(writes)

# -- An account gets another name --
edit accounts.json '.Accounts[1].Name = "payments"'
muster plan --no-refresh
is "a renamed account is planned without asking AWS" "$status" 0
muster plan --out "$work/rename.json"
like "a renamed account: said once" "$out" 'account renamed from app to payments \(222222222222\): 12 resources move'
is "... and once only" "$(grep -c 'renamed from' <<<"$out")" 1
like "... as moves" "$out" '0 to create, 1 to update in 1 of 9 targets, 0 to replace, 0 to delete, 12 to move in 3 of 9'
like "... with what depends on it" "$out" 'only the record changes'
is "... nothing else" "$(planned "$work/rename.json" '.change.actions != ["no-op"]')" ""
is "... in Terraform's words" \
	"$(jq -r '.resource_changes[] | select(.address == "payments/us-east-1/fleet/Topic") | .previous_address' "$work/rename.json")" \
	"app/us-east-1/fleet/Topic"
is "... and in ours" \
	"$(jq -r '[.muster.changes[] | select(.moved_from)] | length' "$work/rename.json")" 12
run "$muster" -C "$specs" show "$work/rename.json"
like "... and shown again" "$out" 'account renamed from app to payments'
muster apply "$work/rename.json"
is "... applied without one call that changes anything" "$status $(writes)" "0 $written"
like "... and says what it did" "$out" 'Applied: 1 updated, 12 moved in'
is "... and everything is as it was in AWS" "$(held)" "$before"
is "... under the new name" "$("$muster" -C "$specs" state list | grep -c '^payments/') $("$muster" -C "$specs" state list | grep -c '^app/')" "12 0"
quiet "... and quiet afterwards: names stay"

# -- A plan of before the rename --
edit accounts.json '.Accounts[1].Name = "app"'
muster plan --out "$work/back.json"
muster apply --auto-approve
is "... and back" "$status $(writes)" "0 $written"
quiet "... quietly"
muster apply "$work/back.json"
is "... once: an older plan of that is refused" "$status" 1
edit accounts.json '.Accounts[1].Name = "payments"'
muster plan --only 'app/us-east-1/*' --out "$work/only.json"
is "--only takes the old name" "$(jq '[.muster.changes[] | select(.moved_from)] | length' "$work/only.json")" 4
muster plan --out "$work/stale.json"
muster plan --only 'payments/us-east-1/*' --out "$work/only.json"
is "... or the new one" "$(jq '[.muster.changes[] | select(.moved_from)] | length' "$work/only.json")" 4
muster apply "$work/only.json"
is "... and moves that much" "$status $("$muster" -C "$specs" state list | grep -c '^payments/')" "0 4"
muster apply --auto-approve
is "... the rest follows" "$status $("$muster" -C "$specs" state list | grep -c '^payments/') $(writes)" "0 12 $written"
quiet "... quietly"
muster apply "$work/stale.json"
is "a plan that moves what has moved since is refused" "$status" 1
like "... with words" "$err" 'payments/.*/fleet/[A-Z][a-z]+, which this plan changes, has been recorded since'
like "... at both ends" "$err" 'app/.*/fleet/[A-Z][a-z]+, which this plan moves, has been removed since'

# -- Moved --
edit stacks/fleet.json '.Moved = [{From: "Topic", To: "Alarms"}]
	| .Resources.Alarms = .Resources.Topic | del(.Resources.Topic)
	| .Resources.Policy.Properties.Topics = [{Ref: "Alarms"}]
	| .Resources.Policy.Properties.PolicyDocument.Statement[0].Resource = {Ref: "Alarms"}
	| .Outputs.Arn.Value = {Ref: "Alarms"}'
muster plan --out "$work/moved.json"
like "Moved: another logical id" "$out" '^~ move fleet/Alarms'
like "... in all targets at once" "$out" 'in 9 of 9 targets'
like "... with where it was" "$out" 'moved from fleet/Topic'
is "... nothing made or deleted" "$(planned "$work/moved.json" '.change.actions != ["no-op"]')" ""
muster apply "$work/moved.json"
is "... applied without a call that changes anything" "$status $(writes) $(held)" "0 $written $before"
quiet "... and quiet: names stay"
edit stacks/fleet.json '.Moved = [{From: "Topic", To: "Alarms"}, {From: "Group", To: "Events"}]
	| .Resources.Events = (.Resources.Group | .Properties.RetentionInDays = 60) | del(.Resources.Group)'
edit accounts.json '.Accounts[1].Name = "billing"'
muster plan --out "$work/both.json"
like "renamed, moved and changed at once" "$out" 'moved from fleet/Group'
like "... the change is an update" "$out" 'RetentionInDays: 30 -> 60'
is "... in place" "$(planned "$work/both.json" '.change.actions != ["no-op"] and .change.actions != ["update"]')" ""
is "... from the address under both old names" \
	"$(jq -r '.muster.changes["billing/eu-west-1/fleet/Events"].moved_from' "$work/both.json")" "payments/eu-west-1/fleet/Group"
muster apply "$work/both.json"
is "... and so it is done" "$status $(sandbox_get dump | grep -c '"retentionInDays": 60') $(held)" "0 9 $before"
quiet "... and quiet"
run "$muster" -C "$specs" state show billing/eu-west-1/fleet/Events
like "the record says what its name is made from" "$out" 'app/eu-west-1/fleet/Group'

# -- A new resource under the old id --
edit stacks/fleet.json 'del(.Moved) | .Resources.Group = .Resources.Events'
muster plan
like "something new under the old id is new" "$out" '^\+ create fleet/Group'
muster apply --auto-approve
is "... with a name of its own" "$status $(sandbox_get dump | grep -oE '"fleet-Group-[a-z2-7]{12}"' | sort -u | wc -l)" "0 18"
quiet "... and quiet"
edit stacks/fleet.json 'del(.Resources.Group)'
muster apply --auto-approve
is "... and goes alone" "$status $(held)" "0 $before"

# -- A replacement takes a name by the new address --
stack roles <<'JSON'
{
  "Targets": { "Accounts": ["*"], "Regions": ["home"] },
  "Resources": { "Old": { "Type": "AWS::IAM::Role", "Properties": {
    "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [{
      "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "ec2.amazonaws.com" } }] } } } }
}
JSON
muster apply --auto-approve
edit stacks/roles.json '.Moved = [{From: "Old", To: "Mid"}, {From: "Mid", To: "New"}]
	| .Resources.New = (.Resources.Old | .Properties.Path = "/new/") | del(.Resources.Old)'
muster plan
like "moved by two steps, and replaced" "$out" '^.*replace roles/New'
like "... it says from where" "$out" 'moved from roles/Old'
muster apply --auto-approve
is "... the new one has a name by the new address, the old one goes" \
	"$status $(sandbox_get dump | grep -oE '"roles-(Old|New)-[a-z2-7]{12}"' | sort -u | cut -c2-10 | uniq -c | tr -d '\n ')" "0 3roles-New"
run "$muster" -C "$specs" state show security/eu-west-1/roles/New
unlike "... and nothing is left of it" "$out" "Origin|Deposed|roles-Old"
quiet "... and quiet"

# -- What must not be --
edit stacks/fleet.json '.Moved = [{From: "Alarms", To: "Evnts"}]'
muster validate
is "Moved is checked" "$status" 1
like "... what is a resource still" "$err" 'stacks/fleet.json:[0-9]+:[0-9]+: Moved\[0\]\.From: "Alarms" is a resource of this stack still'
like "... with the likely name" "$err" 'Moved\[0\]\.To: no resource is called "Evnts" \(did you mean "Events"\?\)'
edit stacks/fleet.json 'del(.Moved)'
edit stacks/fleet.json '.Resources.Alarms.Protect = true'
muster apply --auto-approve
edit stacks/fleet.json '.Moved = [{From: "Alarms", To: "Bells"}] | .Resources.Bells = .Resources.Alarms | del(.Resources.Alarms)
	| .Resources.Policy.Properties.Topics = [{Ref: "Bells"}]
	| .Resources.Policy.Properties.PolicyDocument.Statement[0].Resource = {Ref: "Bells"}
	| .Outputs.Arn.Value = {Ref: "Bells"}'
muster apply --auto-approve
is "what is protected may move" "$status" 0
edit stacks/fleet.json '.Resources.Bells.Properties.TopicName = "other"'
muster plan
is "... and is protected there" "$status" 1
like "... by name" "$err" 'fleet/Bells .*would be replaced, but it is protected'
edit stacks/fleet.json 'del(.Resources.Bells.Properties.TopicName)'
quiet "... and quiet"

# -- Two records for one resource --
muster state mv security/eu-west-1/reader/Names security/eu-west-1/fleet/Alarms
muster plan
is "what is recorded at both addresses is refused" "$status" 1
like "... with both, and the way out" "$err" \
	'security/eu-west-1/fleet/Bells is recorded, and so is security/eu-west-1/fleet/Alarms, which is to be moved here.*muster state rm'
muster state mv security/eu-west-1/fleet/Alarms security/eu-west-1/reader/Names
quiet "... and quiet when it is put back"

# -- Out of the specs while its account is renamed --
edit accounts.json '.Accounts[1].Name = "ledger"'
edit stacks/fleet.json 'del(.Resources.Events)'
muster plan --out "$work/gone.json"
is "what is not wanted under the new name is deleted under the old one" \
	"$(planned "$work/gone.json" '.change.actions == ["delete"] and (.address | test("^billing"))' | wc -w)" 3
muster apply "$work/gone.json"
is "... entered by the account's id" "$status $(sandbox_get dump | grep -cE '"fleet-(Group|Events)-[a-z2-7]{12}"')" "0 0"
quiet "... and quiet"

# -- Another account under the old name --
edit accounts.json '.Accounts[1].Name = "wages" | .Accounts += [{Name: "ledger", Id: "444444444444", Tags: []}]'
muster plan
is "a name that goes to another account is refused while something is recorded under it" "$status" 1
like "... with words" "$err" 'the roster calls account 444444444444 ledger, but what is recorded under that name is in account 222222222222, which is called wages now'
edit accounts.json 'del(.Accounts[3]) | .Accounts[1].Name = "ledger"'
quiet "... put back, quiet"
done_testing
