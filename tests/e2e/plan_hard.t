#!/bin/bash
# What a plan must not do: delete what is still used, promise what cannot be done, or say one thing to policy tools and
# another to apply.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"

# topic NAME [PROPERTIES]: one stack "s" with a topic T in app, home region
topic() {
	stack s <<-JSON
		{ "Targets": { "Accounts": ["app"], "Regions": ["home"] },
		  "Resources": { "T": { "Type": "AWS::SNS::Topic", ${2:-} "Properties": { "TopicName": "$1" ${3:-} } } } }
	JSON
}
reset() {
	curl -sf -X POST "$AWS_ENDPOINT_URL/_sandbox/reset" >/dev/null
	sandbox_post config "$(<"$work/sandbox.json")"
	rm -rf "$specs/.muster" "$specs"/stacks/*
	specs_make "$specs"
}
# unreachable NAME: its roles cannot be assumed
unreachable() {
	edit accounts.json "(.Accounts[] | select(.Name == \"$1\")).Access =
		{Role: \"arn:aws:iam::\${AccountId}:role/nope\", PlanRole: \"arn:aws:iam::\${AccountId}:role/nope\"}"
}

# -- Still used --
user_stacks() {
	stack base <<'JSON'
{ "Targets": { "Accounts": ["app"], "Regions": ["home"] },
  "Resources": {
    "T": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "used" } },
    "T2": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "used-2" } },
    "Lone": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "lone" } } },
  "Outputs": { "Arn": { "Value": { "Ref": "T" } } } }
JSON
	stack user <<'JSON'
{ "Targets": { "Accounts": ["web"], "Regions": ["home"] }, "DependsOn": ["base"],
  "Resources": { "Rule": { "Type": "AWS::Events::Rule", "Properties": { "Name": "r", "EventPattern": { "source": ["aws.x"] },
    "Targets": [{ "Id": "a", "Arn": { "Fn::GetStackOutput": { "StackName": "base", "OutputName": "Arn", "Account": "app" } } }] } } } }
JSON
}
user_stacks
muster apply --auto-approve
is "a topic and, in another account, its user" "$status" 0
muster plan --destroy --only '*/base/T'
is "--only does not delete what something left out uses" "$status" 1
like "... and says what" "$err" 'app/eu-west-1/base/T would be deleted, but web/eu-west-1/user/Rule still uses it'
muster plan --only '*/base/Lone' --destroy --out "$work/plan.json"
is "... nor what something needs the whole of" "$status" 1
edit stacks/base.json 'del(.Resources.Lone)'
muster plan --only '*/base/Lone' --out "$work/plan.json"
is "... but a stack that stays may lose what nobody uses" "$status $(planned "$work/plan.json" true)" "0 app/eu-west-1/base/Lone"
user_stacks
muster plan --destroy --out "$work/plan.json"
is "with its user it goes" "$status $(jq '.resource_changes | length' "$work/plan.json")" "0 4"
unreachable web
muster plan --destroy --out "$work/plan.json"
is "what an account out of reach uses is not destroyed" "$status $(jq '.resource_changes | length' "$work/plan.json")" "0 0"
like "... which is said" "$out" 'is not deleted: web/eu-west-1/user/Rule still uses it and cannot be changed now'
edit stacks/base.json 'del(.Resources.T) | .Outputs.Arn.Value.Ref = "T2"'
muster plan --out "$work/plan.json"
is "... nor deleted when the stack lets go of it" "$status $(jq '.resource_changes | length' "$work/plan.json")" "0 0"
edit stacks/base.json '.Resources.T = {Type: "AWS::SNS::Topic", Properties: {TopicName: "used-3"}}'
muster plan --out "$work/plan.json"
is "... nor replaced" "$status $(jq '.resource_changes | length' "$work/plan.json")" "0 0"
like "... which is said" "$out" 'is not replaced: web/eu-west-1/user/Rule still uses it'
edit accounts.json '(.Accounts[] | select(.Name == "web")) |= del(.Access)'
muster apply --auto-approve
is "... until it can be reached" "$status $(topics | grep -c 'used-3')" "0 1"
reset

# -- The two halves of the file --
topic plain
muster plan --out "$work/plan.json"
# forge JQ-FILTER: $work/forged.json with a digest that fits
forge() {
	local digest
	jq -cS "del(.muster.digest) | $1" "$work/plan.json" >"$work/forged"
	digest=$(printf '%s' "$(<"$work/forged")" | sha256sum | cut -d' ' -f1)
	jq -cS --arg digest "$digest" '.muster.digest = $digest' "$work/forged" >"$work/forged.json"
}
forge .
muster show "$work/forged.json"
is "the forger's tools make a plan that is read" "$status" 0
forge '.resource_changes[0].change.actions = ["no-op"]'
muster apply "$work/forged.json"
is "a plan that shows policy tools something else is refused" "$status" 1
like "... with the address" "$err" 'app/eu-west-1/s/T: resource_changes: expected what muster.changes says'
forge '.muster.secrets = [5]'
muster apply "$work/forged.json"
is "a plan with a secret from nowhere is refused" "$status" 1
like "... as such" "$err" 'Muster::Secret'
is "nothing was made" "$(topics)" ""
reset
# -- Replacements that keep the old one --
topic fifo '"UpdateReplacePolicy": "Retain",' ', "FifoTopic": false'
muster apply --auto-approve
topic fifo '"UpdateReplacePolicy": "Retain",' ', "FifoTopic": true'
muster plan
is "the old one cannot be kept where the new one has its name" "$status" 1
like "... which the plan says, with its place" "$err" '^stacks/s.json:[0-9]+:[0-9]+: .*app/eu-west-1/s/T would be replaced under the same name, but its UpdateReplacePolicy'
topic fifo '' ', "FifoTopic": true'
rm -rf "$specs/.muster"
muster plan --adopt '*'
is "what would have to be replaced is not adopted" "$status" 1
like "... which the plan says, with what differs" "$err" 'stacks/s.json.*T exists already and differs in what cannot be changed in place \(FifoTopic\)'
topic fifo '' ', "FifoTopic": false'
muster apply --auto-approve --adopt '*'
is "... as it is it may be" "$status $("$muster" -C "$specs" state show app/eu-west-1/s/T | jq .Adopted)" "0 true"
topic fifo '' ', "FifoTopic": true'
muster plan
is "what was adopted is kept, too" "$status" 1
like "... which the plan says" "$err" 'the old one was adopted and is kept'

# -- Whose it is --
topic other
muster apply --auto-approve
is "a replacement of what was adopted" "$status $(topics | tr '\n' ' ')" "0 222222222222/eu-west-1/fifo 222222222222/eu-west-1/other "
is "... is muster's own" "$("$muster" -C "$specs" state show app/eu-west-1/s/T | jq .Adopted)" null
muster apply --destroy --auto-approve
is "... and goes with its stack" "$status $(topics)" "0 222222222222/eu-west-1/fifo"
topic fifo
muster apply --auto-approve --adopt '*'
outsider $app eu-west-1 sns Action=DeleteTopic TopicArn=arn:aws:sns:eu-west-1:$app:fifo >"$work/answer"
muster apply --auto-approve
is "what was adopted and is gone is made anew" "$status $(topics)" "0 222222222222/eu-west-1/fifo"
muster apply --destroy --auto-approve
is "... and goes with its stack" "$status $(topics)" "0 "
reset

# -- One mistake in many targets --
stack many <<'JSON'
{ "Targets": { "Accounts": ["*"], "Regions": ["home"] },
  "Resources": { "T": { "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": "x" } } } }
JSON
muster apply --auto-approve
edit stacks/many.json '.Resources.T.Properties.FifoTopic = true'
cp "$specs/stacks/many.json" "$work/fifo.json"
muster plan --out "$work/plan.json"
is "a generated name changes in each target for itself" \
	"$(jq '[.resource_changes[].change | .before.TopicName, .after.TopicName] | [length, (unique | length)]' -c "$work/plan.json")" '[6,6]'
edit stacks/many.json '.Resources.T = {Type: "AWS::Events::Rule", Properties: {EventPattern: {source: ["aws.x"]}}}'
muster plan
is "another type under an address" "$status" 1
is "... is one error for three targets, with its place" \
	"$(grep -cE '^stacks/many.json:[0-9]+:[0-9]+: .*in 3 targets .*recorded as AWS::SNS::Topic' <<<"$err") $(grep -c 'recorded as' <<<"$err")" "1 1"
reset

# -- What a region does not offer --
mkdir "$work/types"
jq '.Type = "Test::SNS::Topic" | .Regions = {Except: ["us-east-1"]}' "$root/providers/aws/types/sns-topic.json" >"$work/types/t.json"
stack many <<'JSON'
{ "Targets": { "Accounts": ["*"], "Regions": ["*"] },
  "Resources": { "T": { "Type": "Test::SNS::Topic", "Properties": { "TopicName": "x" } } } }
JSON
run env MUSTER_TYPES_PATH="$work/types" "$muster" -C "$specs" plan --out "$work/plan.json"
is "a type that a region lacks is left out there" "$status $(planned "$work/plan.json" true)" \
	"0 app/eu-west-1/many/T security/eu-west-1/many/T web/eu-west-1/many/T"
like "... which the plan says" "$out" 'types that a region lacks'
is "... and the file" "$(jq -c '[.muster.notes[] | select(.kind == "type_not_in_region") | .region] | unique' "$work/plan.json")" '["us-east-1"]'
done_testing
