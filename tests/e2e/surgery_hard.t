#!/bin/bash
# What surgery must not do: lose what is under way, let a plan be applied twice, take in what cannot be read, lead astray.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
state=$specs/.muster

stack s <<'JSON'
{
  "Targets": { "Accounts": ["app"], "Regions": ["home"] },
  "Resources": {
    "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": "v1" } },
    "Key": { "Type": "AWS::KMS::Key", "Properties": { "Description": "x", "KeyPolicy": { "Version": "2012-10-17",
      "Statement": [{ "Effect": "Allow", "Action": "kms:*", "Resource": "*",
        "Principal": { "AWS": { "Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root" } } }] } } }
  }
}
JSON

# -- What is under way goes along --
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"
sandbox_post fault '{"Faults": ["operation=CreateKey,action=hang"]}'
fleet_commit "$specs" "One key"
"$muster" -C "$specs" apply --auto-approve >"$work/cut" 2>&1 &
pid=$!
for _ in $(seq 200); do
	sandbox_calls '.Operation // {} | keys | join(" ")' | grep -q CreateKey && break
	sleep 0.05
done
muster state export --out "$work/running.json"
is "while an apply runs, there is no export" "$status $([ -e "$work/running.json" ] && echo there)" "1 "
like "... who is at it, and what to do" "$err" "written to by pid $pid .*apply --auto-approve.*wait until that is done"
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
sandbox_post fault '{"Clear": true}'
muster state export --out "$work/cut.json"
is "after one was cut off there is" "$status" 0
like "... which says what it has" "$err" 'left something under way at 1 address'
is "... and has it" "$(jq -c '.Intents | map_values([.Phase, .Type])' "$work/cut.json")" '{"app/eu-west-1/s/Key":["create","AWS::KMS::Key"]}'
rm -rf "$state"
muster state import "$work/cut.json"
is "it goes into a new state" "$status" 0
muster plan
like "... which knows what was cut off" "$out" 's/Key: a run that was cut off'
muster state verify
is "... and is whole" "$status" 0
muster apply --auto-approve
is "... and the next apply settles it" "$status $(jq -r '.[0].Outcome.Result' <<<"$("$muster" -C "$specs" log --json)")" "0 complete"
muster state export
is "... once" "$(jq -c .Intents <<<"$out")" '{}'
muster plan --detailed-exitcode
is "... and quietly" "$status" 0
is "one key was made" "$(sandbox_get dump | grep -oE 'arn:aws:kms:[a-z0-9-]+:[0-9]+:key/[0-9a-f-]+"' | sort -u | wc -l)" 1

# -- No plan is applied twice --
edit stacks/s.json '.Resources.Topic.Properties.DisplayName = "v2"'
muster plan --out "$work/v2.json"
muster apply "$work/v2.json"
is "a plan is applied" "$status" 0
edit stacks/s.json '.Resources.Other = {Type: "AWS::SNS::Topic", Properties: {TopicName: "other"}}'
muster plan --out "$work/other.json"
newest() { "$muster" -C "$specs" log --json | jq -r '.[0].Number'; }
before=$(newest)
hash=$("$muster" -C "$specs" log --json | jq -r '.[0].Hash')
muster state export --out "$work/numbers.json"
rm -rf "$state"
muster state import "$work/numbers.json"
is "after export and import generations go on" "$status $(newest)" "0 $((before + 1))"
is "... as does their chain" "$("$muster" -C "$specs" log --json | jq -r '.[0].Previous')" "$hash"
muster state verify
like "... and hold" "$status$out" '^0The state is whole: 1 generation,'
muster apply "$work/v2.json"
is "a plan that was applied before is not applied again" "$status" 1
like "... and it says so" "$err" "this plan was applied already, as generation $before"
muster apply "$work/other.json"
is "... nor is one that was made before" "$status" 1
like "... and it says so" "$err" "before the state was imported from an export as generation $((before + 1)); make a new plan"
muster log
is "the log begins at the import" "$status $(grep -c '^generation' <<<"$out")" "0 1"
muster state diff 1 "$(newest)"
like "what is before it is not there" "$status$err" "^1.*there is no generation 1 here: the history begins at $((before + 1))"
muster rollback 1
like "... nor can it be gone back to" "$status$err" "^1.*there is no generation 1 here: the history begins at $((before + 1))"
muster apply --auto-approve
is "the next apply goes on" "$status $(newest)" "0 $((before + 2))"
muster state verify
is "... and the chain holds" "$status" 0
muster state history app/eu-west-1/s/Topic
is "... and the history is there" "$status" 0

# -- Who must approve survives --
keys=$work/keys
mkdir -p "$keys" "$specs/approvers"
for name in kato mallory; do
	openssl genpkey -algorithm ed25519 -out "$keys/$name.pem" 2>/dev/null
	openssl pkey -in "$keys/$name.pem" -pubout -out "$keys/$name.pub.pem"
done
cp "$keys/kato.pub.pem" "$specs/approvers/kato.pem"
edit muster.json '.Approval = {Required: 1, Keys: ["approvers/kato.pem"]}'
edit stacks/s.json '.Resources.Topic.Properties.DisplayName = "v3"'
muster plan --out "$work/rules.json"
muster approve "$work/rules.json" --key "$keys/kato.pem"
muster apply "$work/rules.json"
is "rules of approval are in force" "$status" 0
muster state export --out "$work/ruled.json"
is "an export has them" "$(jq -c '[.Rules.Approval.Required, (.Rules.Keys | keys)]' "$work/ruled.json")" '[1,["approvers/kato.pem"]]'
rm -rf "$state"
muster state import "$work/ruled.json"
is "... and is imported" "$status" 0
cp "$keys/mallory.pub.pem" "$specs/approvers/mallory.pem"
edit muster.json '.Approval.Keys = ["approvers/mallory.pem"]'
edit stacks/s.json '.Resources.Topic.Properties.DisplayName = "v4"'
muster plan --out "$work/own.json"
muster approve "$work/own.json" --key "$keys/mallory.pem"
muster apply "$work/own.json"
is "a plan that was approved by a key of its own branch is refused" "$status" 1
like "... by the rules that were exported" "$err" '0 of the 1 approvals that the specs of generation [0-9]+ require'
muster apply --auto-approve
is "... as is an apply that nobody has approved" "$status" 1
muster approve "$work/own.json" --key "$keys/kato.pem"
muster apply "$work/own.json"
is "... and one that is approved by the old rules goes" "$status" 0
muster state verify
is "... and all is whole" "$status" 0

# -- A record goes only where a plan finds it --
muster state mv app/eu-west-1/s/Topic $'app/eu-west-1/s/T\nX'
like "mv to a name that specs cannot have is refused" "$status$err" '^1.*a logical id is made of letters and digits'
muster state mv app web
like "... and to another account of the roster, where nothing is recorded" "$status$err" \
	'^1.*app is account 222222222222 and web is account 333333333333'

# -- What cannot be read is not taken in --
muster state export --secrets --out "$work/good.json"
cp -R "$state" "$work/kept"
topic='.Resources["app/eu-west-1/s/Topic"]'
# damaged NAME JQ-FILTER MESSAGE
damaged() {
	rm -rf "$state"
	jq "$2" "$work/good.json" >"$work/bad.json"
	muster state import "$work/bad.json"
	like "an export with $1 is refused" "$status$err" "^1.*$3"
	is "... whole" "$("$muster" -C "$specs" state list 2>/dev/null | wc -l)" 0
}
damaged "dependencies that are no addresses" "$topic.DependsOn = [1, null]" 'app/eu-west-1/s/Topic: DependsOn is no list of addresses'
damaged "half a deposed resource" "$topic.Deposed = [{}]" 'app/eu-west-1/s/Topic: an entry of Deposed has no Type'
damaged "a negative incarnation" "$topic.Incarnation = -5" 'app/eu-west-1/s/Topic: Incarnation is no number from 0 on'
damaged "a name that specs cannot have" '.Resources["app/eu-west-1/s/a\u0001b"] = '"$topic" 'that is no address of a resource'
rm -rf "$state"
mv "$work/kept" "$state"
muster state verify
is "a good state is said to be good" "$status" 0

# -- What was moved needs nothing --
muster apply --destroy --auto-approve
edit muster.json 'del(.Approval)'
stack s <<'JSON'
{
  "Targets": { "Accounts": ["app"], "Regions": ["home"] },
  "Resources": {
    "B": { "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": "b" } },
    "C": { "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": "c" } },
    "P": { "Type": "AWS::SSM::Parameter", "Properties": { "Type": "String",
      "Value": { "Fn::Join": ["", [{ "Ref": "B" }, { "Ref": "C" }]] } } }
  }
}
JSON
rm -rf "$state"
muster apply --auto-approve --first-apply
is "what depends on two" "$status" 0
muster state mv app/eu-west-1/s/B app/eu-west-1/s/Z
edit stacks/s.json '.Resources.Z = .Resources.B | del(.Resources.B) | .Resources.P.Properties.Value["Fn::Join"][1][0].Ref = "Z"'
muster plan --detailed-exitcode
is "... one of which got a name that sorts behind the other: nothing to do" "$status" 0

done_testing
