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

done_testing
