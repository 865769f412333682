#!/bin/bash
# Secrets (NoEcho parameters): never in a plan, in the state or in a message, and the same ones in plan and apply.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
mkdir -p "$specs/files"
edit muster.json '.Parameters = {Hook: {Env: "CHAT_HOOK"}, Token: {File: "files/token"}}'
printf '*\n' >"$specs/files/.gitignore"
stack chat <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["home"] },
  "Parameters": {
    "Hook": { "Type": "String", "NoEcho": true },
    "Token": { "Type": "String", "NoEcho": true },
    "Pin": { "Type": "String", "NoEcho": true, "Default": "none" },
    "Plain": { "Type": "String", "Default": "anybody may read this" } },
  "Resources": {
    "Settings": { "Type": "AWS::SSM::Parameter", "Properties": { "Type": "String", "Description": { "Ref": "Plain" },
      "Value": { "Fn::Sub": "hook=${Hook} token=${Token}" }, "Tags": { "team": "a" } } },
    "Pin": { "Type": "AWS::SSM::Parameter", "Properties": { "Type": "String", "Value": { "Ref": "Pin" } } },
    "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "chat", "DisplayName": { "Ref": "Token" },
      "Tags": [{ "Key": "team", "Value": "a" }] } } },
  "Outputs": { "Token": { "Value": { "Ref": "Token" } } } }
JSON
stack copy <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["home"] },
  "Resources": { "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "copy",
    "DisplayName": { "Fn::GetStackOutput": { "StackName": "chat", "OutputName": "Token" } } } } } }
JSON
# Everything secret has this word in it; nothing else has.
secret=sesame
export CHAT_HOOK=$secret-hook-1
echo $secret-token-1 >"$specs/files/token"

# untold NAME: nothing that muster wrote or said since the last time holds a secret.
untold() {
	local found
	found=$(grep -rla "$secret" "$specs/.muster" "$work"/*.json "$work/out" "$work/err" "$work/said" 2>/dev/null)
	is "$1" "$found" ""
}
# say COMMAND...: muster, with what it says kept for untold.
say() {
	muster "$@"
	cat "$work/out" "$work/err" >>"$work/said"
}
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"

say plan --parameter Pin=$secret-pin-1 --out "$work/plan.json"
is "a plan with secrets from a variable, a file and the command line" "$status" 0
like "... shows that they are there" "$out" '\+ Value: \(sensitive\)'
like "... also through another stack's output" "$out" '\+ DisplayName: \(sensitive\)'
like "... and what is none" "$out" 'anybody may read this'
is "... the file says where it found them" "$(jq -c '[.muster.secrets[].Source] | sort' "$work/plan.json")" \
	'[{"Env":"CHAT_HOOK"},{"File":"files/token"},{"Parameter":"Pin"}]'
is "... and marks what is sensitive" \
	"$(jq -c '.resource_changes[] | select(.address == "app/eu-west-1/chat/Topic") | .change.after_sensitive' "$work/plan.json")" \
	'{"DisplayName":true}'
say show "$work/plan.json"
say plan --parameter Pin=$secret-pin-1 --format json
say show --format json "$work/plan.json"
untold "... and nothing tells them"

say apply "$work/plan.json"
is "a secret of the command line is needed again to apply the plan" "$status" 1
like "... which one is said" "$err" 'secret parameter "Pin" is not given'
say apply "$work/plan.json" --parameter Pin=$secret-pin-2
is "... and the same" "$status" 1
like "... as is said" "$err" 'Pin.* is another one than the plan was made with'
say apply "$work/plan.json" --parameter Pin=$secret-pin-1 --parameter Plain=x
is "... and nothing else" "$status" 1
like "... as is said" "$err" 'Plain is no secret'
say apply "$work/plan.json" --parameter Pin=$secret-pin-1 --json
is "applied" "$status" 0
is "... the real values arrive" "$(sandbox_get dump | grep -cE "\"(hook=$secret-hook-1 token=$secret-token-1|$secret-pin-1)\"")" 4
is "... through the output, too" "$(sandbox_get dump | grep -c "\"DisplayName\": \"$secret-token-1\"")" 4
say state show app/eu-west-1/chat/Settings
like "... the record has a keyed hash" "$out" '"Hmac": "[0-9a-f]{64}"'
untold "... and nothing tells them"
say plan --detailed-exitcode --parameter Pin=$secret-pin-1
is "... quiet afterwards" "$status" 0
muster plan --parameter Hook=x --parameter Pin=$secret-pin-1
like "two fleets with one secret have two hashes" \
	"$(specs_make "$work/other"; cp -R "$specs/stacks" "$specs/files" "$specs/muster.json" "$work/other/"
		"$muster" -C "$work/other" plan --adopt '*' --format json |
			jq -r '[.. | .Hmac? | strings] | unique[]' | grep -cf - "$work/plan.json")" '^0$'

# -- Another value --
export CHAT_HOOK=$secret-hook-2
say plan --detailed-exitcode --out "$work/plan.json" --parameter Pin=$secret-pin-1
is "a secret that changed is a change" "$status" 2
is "... one, shown once" "$(grep -c '~ ' <<<"$out") $(grep -c '~ Value: (sensitive, changed)' <<<"$out")" "2 1"
like "... in all its targets" "$out" '2 to update'
CHAT_HOOK=$secret-hook-3 say apply "$work/plan.json"
is "a plan is not applied with another value than it was made with" "$status" 1
like "... which one is said" "$err" 'the secret .*CHAT_HOOK.* is another one than the plan was made with'
run env -u CHAT_HOOK "$muster" -C "$specs" apply "$work/plan.json"
is "... nor without" "$status" 1
like "... which is said, too" "$err" 'CHAT_HOOK'
is "... nothing was done" "$(sandbox_get dump | grep -c "$secret-hook-[23]")" 0
say apply "$work/plan.json"
is "with the same value it is" "$status $(sandbox_get dump | grep -c "hook=$secret-hook-2 ")" "0 2"
untold "... and nothing tells them"
mv "$specs/files/token" "$work/token"
say plan --parameter Pin=$secret-pin-1
is "a secret's file that is missing" "$status" 1
like "... is named" "$err" 'files/token'
mv "$work/token" "$specs/files/token"
run env -u CHAT_HOOK "$muster" -C "$specs" plan --parameter Pin=$secret-pin-1
is "a secret's variable that is missing" "$status" 1
like "... is named, with its place" "$err" '^muster.json:[0-9]+:[0-9]+: Parameters.Hook.*CHAT_HOOK'

# -- What the service gives back in clear --
outsider $app eu-west-1 sns Action=UntagResource ResourceArn=arn:aws:sns:eu-west-1:$app:chat TagKeys.member.1=team >"$work/answer"
say plan --out "$work/plan.json" --parameter Pin=$secret-pin-1
like "something else of it was changed behind muster's back" "$out" '\+ Tags\[team\]'
is "... what it had is in the plan, but for the secret" \
	"$(jq -c '.resource_changes[] | select(.address == "app/eu-west-1/chat/Topic") | .change
		| [.before.TopicName, .before.DisplayName, .before_sensitive]' "$work/plan.json")" \
	'["chat",{"Muster::Secret":{}},{"DisplayName":true}]'
say plan --format json --parameter Pin=$secret-pin-1
say plan --destroy --out "$work/destroy.json"
untold "... and nothing tells it"
say apply "$work/plan.json"
is "... and it is put back, with the secret as it was" \
	"$status $(outsider $app eu-west-1 sns Action=GetTopicAttributes TopicArn=arn:aws:sns:eu-west-1:$app:chat | grep -c "$secret-token-1")" "0 1"
say plan --detailed-exitcode --parameter Pin=$secret-pin-1
is "... quiet afterwards" "$status" 0
outsider $app eu-west-1 sns Action=UntagResource ResourceArn=arn:aws:sns:eu-west-1:$app:chat TagKeys.member.1=team >"$work/answer"
cp "$specs/stacks/chat.json" "$work/chat.spec"
edit stacks/chat.json '.Resources.Topic.Properties.DisplayName = "no longer secret"'
say plan --out "$work/plan.json" --parameter Pin=$secret-pin-1
edit stacks/chat.json 'del(.Resources.Topic.Properties.DisplayName)'
say plan --out "$work/plan2.json" --parameter Pin=$secret-pin-1
edit stacks/chat.json 'del(.Resources.Topic)'
say plan --out "$work/plan3.json" --parameter Pin=$secret-pin-1
untold "what was secret is so still when it leaves the spec"
cp "$work/chat.spec" "$specs/stacks/chat.json"
say apply --destroy --auto-approve --parameter Pin=$secret-pin-1
is "destroyed" "$status $("$muster" -C "$specs" state list)" "0 "
outsider $app eu-west-1 sns Action=CreateTopic Name=chat Attributes.entry.1.key=DisplayName \
	Attributes.entry.1.value=$secret-found >"$work/answer"
say plan --out "$work/plan.json" --adopt '*' --parameter Pin=$secret-pin-1
is "what is adopted had something secret in that place" "$status" 0
like "... which is not shown" "$out" '~ DisplayName: \(sensitive, changed\)'
say apply --adopt '*' --auto-approve --parameter Pin=$secret-pin-1
is "... and becomes ours" "$status $(sandbox_get dump | grep -c $secret-found)" "0 0"
untold "... and nothing tells either"

# -- Cut off in the middle --
say apply --destroy --auto-approve
sandbox_post config '{"LatencyMs": 300}'
puts=$(sandbox_calls '.Operation["ssm:PutParameter"]')
commit_before "$specs"
"$muster" -C "$specs" apply --auto-approve --adopt '*' --parameter Pin=$secret-pin-1 >"$work/out" 2>"$work/err" &
pid=$!
for _ in $(seq 100); do
	sandbox_get stats | jq -e ".Operation[\"ssm:PutParameter\"] > $puts" >/dev/null && break
	sleep 0.05
done
kill -9 $pid
wait $pid 2>/dev/null
sandbox_post config '{"LatencyMs": 0}'
say plan --adopt '*' --parameter Pin=$secret-pin-1
like "a run is cut off" "$out" 'Left open by a run that was cut off'
untold "... what it left open does not tell"
say apply --auto-approve --adopt '*' --parameter Pin=$secret-pin-1
is "... and the next run needs no more than they say" "$status" 0
say plan --detailed-exitcode --parameter Pin=$secret-pin-1
is "... quiet afterwards" "$status" 0
untold "... and nothing tells"

# -- Where none is needed --
hook=$CHAT_HOOK
unset CHAT_HOOK
say plan
is "a plan needs its secrets" "$status" 1
say plan --destroy
is "... a destruction none" "$status" 0
export CHAT_HOOK=$hook

# -- Where a secret cannot be --
edit stacks/chat.json '.Resources.Topic.Properties.TopicName = {Ref: "Token"}'
say validate
is "a secret is no name" "$status" 1
cp "$work/chat.spec" "$specs/stacks/chat.json"
edit stacks/chat.json '.Conditions = {Set: {"Fn::Equals": [{Ref: "Hook"}, ""]}}'
say validate
is "... nor a condition" "$status" 1
like "... with its place" "$err" '^stacks/chat.json:[0-9]+:[0-9]+: Conditions.Set.*secret'
untold "... and is not told then either"
done_testing
