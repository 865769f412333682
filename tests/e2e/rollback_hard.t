#!/bin/bash
# Rollback where something is in its way: secrets, types that are gone, data that is lost, things left in AWS, state
# surgery, names that moved, and what must not come back (approval, access).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"
# commit WORDS: and apply
applied() {
	fleet_commit "$specs" "$1"
	shift
	muster apply --auto-approve "$@"
	is "generation $("$muster" -C "$specs" log --json | jq '.[0].Number')" "$status$(grep -i warning <<<"$err")" 0
}
secret=sesame
untold() {
	is "$1" "$(grep -rla "$secret" "$specs/.muster" "$work"/*.json "$work/out" "$work/err" 2>/dev/null)" ""
}

# -- Secrets --
edit muster.json '.Parameters = {Hook: {Env: "CHAT_HOOK"}, Token: {File: "token"}}'
stack chat <<'JSON'
{ "Targets": { "Accounts": ["app"], "Regions": ["home"] },
  "Parameters": {
    "Hook": { "Type": "String", "NoEcho": true },
    "Token": { "Type": "String", "NoEcho": true },
    "Pin": { "Type": "String", "NoEcho": true, "Default": "none" },
    "Plain": { "Type": "String", "Default": "x" } },
  "Resources": {
    "Settings": { "Type": "AWS::SSM::Parameter", "Properties": { "Type": "String", "Description": { "Ref": "Plain" },
      "Value": { "Fn::Sub": "hook=${Hook} token=${Token}" } } },
    "Pin": { "Type": "AWS::SSM::Parameter", "Properties": { "Type": "String", "Value": { "Ref": "Pin" } } } } }
JSON
printf 'token\n' >"$specs/.gitignore"
echo $secret-token >"$specs/token"
export CHAT_HOOK=$secret-hook
applied "Secrets" --parameter Pin=$secret-pin --parameter Plain=y
is "the file of a secret is no input" "$("$muster" -C "$specs" log --json | jq -c '.[0].Facts.Inputs | keys')" \
	'["accounts.json","muster.json","stacks/chat.json"]'
untold "... nor does anything tell it"
rm "$specs/stacks/chat.json"
edit muster.json 'del(.Parameters)'
applied "No secrets"
mv "$specs/token" "$work/kept"
run env -u CHAT_HOOK "$muster" -C "$specs" rollback 1
is "going back without its secrets" "$status" 1
like "... names them all" "$err" 'rollback to 1 needs these secrets: (--parameter Pin=…|the environment variable CHAT_HOOK|the file token)(, (--parameter Pin=…|the environment variable CHAT_HOOK|the file token)){2}$'
mv "$work/kept" "$specs/token"
muster rollback 1
like "... those that are there are not" "$err" 'rollback to 1 needs these secrets: --parameter Pin=…$'
muster rollback 1 --parameter Pin=$secret-pin --out "$work/back.json"
is "... with them a plan is made" "$status$err" "0Saved as $work/back.json; apply exactly this with: muster -C $specs apply $work/back.json"
untold "... which tells none"
muster apply "$work/back.json"
is "... to be applied with them" "$status" 1
like "... all of them" "$err" '"Pin" is not given'
muster apply "$work/back.json" --parameter Plain=z
like "... and nothing else" "$err" 'Plain is no secret'
muster apply "$work/back.json" --parameter Pin=$secret-pin
is "... so it is applied" "$status" 0
is "... and they arrive" "$(sandbox_get dump | grep -cE "\"(hook=$secret-hook token=$secret-token|$secret-pin)\"")" 2
like "... with the plain one of then" "$(sandbox_get dump)" '"y"'
untold "... and nothing tells them"
muster rollback 1 --parameter Pin=$secret-pin --detailed-exitcode
is "... quiet afterwards" "$status" 0
muster rollback 2 --out "$work/forth.json"
is "back where no secrets are needed" "$status" 0
muster apply "$work/forth.json"
is "... needs none" "$status" 0

# -- What is lost --
stack data <<'JSON'
{ "Targets": { "Accounts": ["security"], "Regions": ["home"] },
  "Resources": {
    "Bucket": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": "what-is-lost" } },
    "Key": { "Type": "AWS::KMS::Key", "Properties": { "PendingWindowInDays": 7 } },
    "Queue": { "Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain", "Properties": { "QueueName": "what-is-left" } },
    "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "without-data" } } } }
JSON
applied "Data"
rm "$specs/stacks/data.json"
applied "No data"
muster rollback 5 --out "$work/data.json"
is "what was left in AWS is not made a second time" "$status" 1
like "... as everywhere" "$err" 'data/Queue.*exists already'
muster rollback 5 --adopt '*/Queue' --out "$work/data.json"
is "... but may be taken over" "$status" 0
like "what a deleted bucket held does not come back" "$out" 'data/Bucket: is made anew and empty: what the deleted one held is gone'
like "... nor what a key encrypted" "$out" 'data/Key: a new key is made, and what the deleted one encrypted cannot be read'
like "... that it may be there still is said" "$out" 'while the deletion of the old one is pending'
is "... of others nothing is said" "$(jq -c '[.muster.notes[] | select(.kind == "data_destroyed") | .subject | split("/")[3]] | sort' "$work/data.json")" '["Bucket","Key"]'
muster apply "$work/data.json"
is "it is applied" "$status" 0
muster rollback 6 --out "$work/left.json"
is "what was adopted stays when it is gone back from" \
	"$(jq -c '.resource_changes[] | select(.name == "Queue") | .change.actions' "$work/left.json")" '["forget"]'
like "... which is said" "$out" 'data/Queue: left in AWS'
muster rollback 5 --out "$work/same.json" --detailed-exitcode
is "... from there to there is nothing" "$status" 0

# -- A type that is not known any more --
mkdir -p "$work/types"
jq '.Type = "Our::SNS::Topic"' "$root/providers/aws/types/sns-topic.json" >"$work/types/topic.json"
export MUSTER_TYPES_PATH=$work/types
stack ours <<'JSON'
{ "Targets": { "Accounts": ["app"], "Regions": ["home"] },
  "Resources": {
    "Fn::ForEach::Two": ["Name", ["A", "B"], {
      "Topic${Name}": { "Type": "Our::SNS::Topic", "Properties": { "TopicName": { "Fn::Sub": "ours-${Name}" } } } }] },
  "Transform": "AWS::LanguageExtensions" }
JSON
applied "A type of our own"
rm "$specs/stacks/ours.json"
applied "... that is gone"
unset MUSTER_TYPES_PATH
muster rollback 8
is "back to a type that is not known any more" "$status" 1
like "... generation, stack and type are named" "$err" 'generation 8 has a resource of type Our::SNS::Topic \(Topic\$\{Name\} in stacks/ours.json\), which is not known any more'
is "... once, and nothing more" "$(wc -l <<<"$err")" 1
MUSTER_TYPES_PATH=$work/types muster rollback 8 --detailed-exitcode
is "... with it, it works" "$status" 2

stack later <<'JSON'
{ "Targets": { "Accounts": ["app"], "Regions": ["home"] },
  "Resources": { "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "later" } } } }
JSON
applied "Later"

# -- Accounts come and go --
edit accounts.json '.Accounts |= map(if .Name == "web" then .Name = "shop" else . end)'
stack later <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["home"] },
  "Resources": { "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "later" } } } }
JSON
applied "In both"
edit accounts.json '.Accounts |= map(if .Name == "shop" then .Name = "web" else . end)'
edit stacks/later.json '.Resources.Topic.Properties.DisplayName = "x"'
applied "Called back"
muster rollback 11 --out "$work/names.json"
is "an account that had another name then" "$status" 0
is "... has its resources moved back, not made again" \
	"$(jq -c '[.resource_changes[].change.actions[0]] | unique' "$work/names.json")" '["update"]'

# -- Logical ids that moved --
stack later <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["home"] },
  "Resources": { "Alarms": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "later" } } },
  "Moved": [{ "From": "Topic", "To": "Alarms" }] }
JSON
applied "Moved"
stack later <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["home"] },
  "Resources": { "Alerts": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "later" } } },
  "Moved": [{ "From": "Alarms", "To": "Alerts" }] }
JSON
applied "Moved again"
stack later <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["home"] },
  "Resources": { "Alerts": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "later", "DisplayName": "y" } } } }
JSON
applied "The list is dropped"
muster rollback 12 --out "$work/moved.json"
is "what has another name since" "$status" 0
is "... gets the old one back, and is not deleted" \
	"$(jq -c '[.resource_changes[] | [.address, .change.actions[0]]] | sort' "$work/moved.json")" \
	'[["app/eu-west-1/later/Topic","update"],["web/eu-west-1/later/Topic","update"]]'
muster apply "$work/moved.json"
is "... applied" "$status" 0
is "... as the state has it" "$("$muster" -C "$specs" state list | grep later | tr '\n' ' ')" \
	"app/eu-west-1/later/Topic web/eu-west-1/later/Topic "
muster rollback 12 --detailed-exitcode
is "... quiet afterwards" "$status" 0

# -- Destruction --
muster apply --destroy --auto-approve
is "everything is deleted" "$status" 0
muster rollback 17
is "there is nothing to go back to in a destruction" "$status" 1
like "... which is said" "$err" 'generation 17 deleted everything'
muster rollback 16 --detailed-exitcode --out "$work/again.json"
is "... but to what was before" "$status" 2
muster apply "$work/again.json"
is "... which is made again" "$status $("$muster" -C "$specs" state list | grep -c later/)" "0 2"

# -- What must not come back --
mkdir -p "$specs/approvers"
openssl genpkey -algorithm ed25519 -out "$work/kato.key" 2>/dev/null
openssl pkey -in "$work/kato.key" -pubout -out "$specs/approvers/kato.pem" 2>/dev/null
edit muster.json '.Approval = {Required: 1, Keys: ["approvers/kato.pem"]}'
edit stacks/later.json '.Resources.Alerts.Properties.DisplayName = "approved"'
fleet_commit "$specs" "Approvers"
muster apply --auto-approve
is "approvals are not turned on by what nobody could approve" "$status" 1
muster plan --out "$work/approvers.json"
muster apply "$work/approvers.json"
is "generation 19" "$status" 0
is "a generation keeps its approvers' keys" "$("$muster" -C "$specs" log --json | jq -c '.[0] | [.Number, (.Facts.Inputs | has("approvers/kato.pem"))]')" '[19,true]'
mv "$specs/approvers/kato.pem" "$work/kato.pem"
muster plan
is "a key that is missing is an error of the plan" "$status" 1
like "... it is named" "$err" 'approvers/kato.pem'
muster rollback 16 --out "$work/without.json"
is "... but none of a rollback, whose approvers are those of the state" "$status" 0
mv "$work/kato.pem" "$specs/approvers/kato.pem"
muster apply "$work/without.json"
is "going back to before approvals is no way around them" "$status" 1
muster approve "$work/without.json" --key "$work/kato.key"
muster apply "$work/without.json"
is "... approved, it is applied" "$status" 0
is "... with the files of then" "$("$muster" -C "$specs" log --json | jq -c '.[0].Facts | [.Rollback, (.Inputs | has("approvers/kato.pem")), (.Approvals | length)]')" \
	'[16,false,1]'
muster rollback 19 --out "$work/with.json"
muster apply "$work/with.json"
is "... and approvals are still needed" "$status" 1
done_testing
