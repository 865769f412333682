#!/bin/bash
# Outputs of stacks: which of them a plan changes, and what is recorded of them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"

# output_of FILE KEY FILTER: of one output in a saved plan
output_of() {
	jq -c --arg k "$2" ".output_changes[\$k] | $3" "$1"
}
# kept INSTANCE FILTER: of what is recorded
kept() {
	"$muster" -C "$specs" state export --secrets | jq -c --arg i "$1" ".Outputs[\$i] | $2"
}

# -- Create --
stack source <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["*"] },
  "Resources": {
    "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "source", "DisplayName": "one" } },
    "Detector": { "Type": "AWS::GuardDuty::Detector", "Properties": { "Enable": true } } },
  "Outputs": {
    "Arn": { "Value": { "Ref": "Topic" } },
    "Detector": { "Value": { "Ref": "Detector" } },
    "Word": { "Value": "first" } } }
JSON
muster plan --out "$work/plan.json"
is "a first plan with outputs is made" "$status" 0
like "... with a section of outputs" "$out" '^Outputs$'
like "... one entry for all targets" "$out" '^\+ create source/Arn in all 4 targets$'
like "... in which the target's own is put in general" "$out" 'arn:aws:sns:\$\{AWS::Region\}:\$\{AWS::AccountId\}:source'
like "... what only the service knows is not known yet" "$out" '\+ \(known after apply: [A-Za-z]+ of source/Detector\)'
like "... and they are counted" "$out" '^Outputs: 12 to create\.$'
is "the plan file has them in Terraform's shape" \
	"$(output_of "$work/plan.json" app/eu-west-1/source.Word '[.actions[0], .before, .after, .after_unknown, .after_sensitive]')" \
	'["create",null,"first",false,false]'
is "... also what is unknown" \
	"$(output_of "$work/plan.json" app/eu-west-1/source.Detector '[.after, .after_unknown]')" '[null,true]'
run "$muster" show "$work/plan.json"
like "a saved plan shows them again" "$out" '^\+ create source/Word in all 4 targets$'
for format in markdown html; do
	run "$muster" show --format $format "$work/plan.json"
	like "... as $format, too" "$out" 'source/Word'
done
muster apply "$work/plan.json"
is "it is applied" "$status" 0
like "... and says how many were recorded" "$out" '^Applied: 8 created, 12 outputs in '
is "what was not known is recorded" "$(kept app/eu-west-1/source .Detector)" \
	"\"$("$muster" -C "$specs" state show app/eu-west-1/source/Detector | jq -r .Attributes.Id)\""
muster plan --detailed-exitcode
is "then nothing changes" "$status" 0
unlike "... no output either" "$out" '^Outputs'
muster plan --no-refresh --detailed-exitcode
is "... without asking AWS, too" "$status" 0

# -- Only outputs change --
edit stacks/source.json '.Outputs.Word.Value = "second" | del(.Outputs.Arn) | .Outputs.More = {Value: ["a", "b"]}'
muster plan --detailed-exitcode --out "$work/plan.json"
is "outputs alone are changes" "$status" 2
like "... from what was recorded" "$out" '^ +~ "first" -> "second"$'
like "... what goes" "$out" '^- delete source/Arn in all 4 targets$'
like "... no resource" "$out" '^Plan: 0 to create, 0 to update, 0 to replace, 0 to delete\.$'
like "... counted" "$out" '^Outputs: 4 to create, 4 to update, 4 to delete\.$'
is "... which may be applied" "$(jq -c '[.applyable, (.resource_changes | length)]' "$work/plan.json")" '[true,0]'
cp "$work/plan.json" "$work/stale.json"
muster plan --no-refresh --detailed-exitcode
is "... without asking AWS, too" "$status" 2
muster plan --only '*/source/Topic' --detailed-exitcode
is "--only has outputs of what it changes only" "$status" 0
muster apply "$work/plan.json"
is "outputs alone are applied" "$status" 0
like "... as a generation" "$out" '^Applied: 12 outputs in .*generation 2, 0 calls'
is "... and recorded" "$(kept web/us-east-1/source .)" "$(kept web/us-east-1/source '{Detector, More: ["a", "b"], Word: "second"}')"
muster plan --detailed-exitcode
is "... so that nothing is left to do" "$status" 0
muster apply "$work/stale.json"
is "a plan whose outputs were recorded since is refused" "$status" 1
like "... by name" "$err" 'app/eu-west-1/source, whose outputs this plan changes, has others recorded'
muster state verify
is "the state is whole" "$status" 0

# -- A branch --
edit stacks/source.json '.Outputs.Word.Value = "third"'
fleet_commit "$specs" "Pending"
edit stacks/source.json '.Outputs.More.Value = ["a"]'
muster plan --base HEAD~1 --out "$work/plan.json"
is "a plan against a base is made" "$status" 0
like "... with what was pending before" "$(grep -A1 'update source/Word' <<<"$out")" '# pending before this branch'
unlike "... and what is the branch's" "$(grep -A1 'update source/More' <<<"$out")" 'pending'
run "$muster" show "$work/plan.json"
like "... as the file says, too" "$out" '# pending before this branch'
edit stacks/source.json '.Outputs.More.Value = ["a", "b"]'

# -- A plan that somebody edits --
muster plan --out "$work/plan.json"
# forge FILTER: edits the plan and makes its digest anew
forge() {
	jq "$1 | del(.muster.digest)" "$work/plan.json" >"$work/forged.json"
	digest=$(jq -cjS . "$work/forged.json" | sha256sum | cut -d' ' -f1)
	jq --arg d "$digest" '.muster.digest = $d' "$work/forged.json" >"$work/forged2.json"
	run "$muster" show "$work/forged2.json"
}
forge .
is "a plan can be written by others" "$status" 0
forge '.output_changes["app/eu-west-1/source.Word"].after = "harmless"'
is "one that shows other outputs than it records is refused" "$status" 1
like "... saying where" "$err" 'output_changes: expected what the rest of the plan says'
forge '.muster.outputs["app/eu-west-1/source"].changes.Word.action = "explode"'
is "... so is an action that there is not" "$status" 1
forge '.muster.outputs["app//source"] = .muster.outputs["app/eu-west-1/source"]'
is "... and an address that is none" "$status" 1
like "... saying what" "$err" 'expected account/region/stack'
muster apply --auto-approve
is "it is applied as it was" "$status" 0

# -- Secrets --
stack secret <<'JSON'
{ "Targets": { "Accounts": ["app"], "Regions": ["home"] },
  "Parameters": { "Word": { "Type": "String", "NoEcho": true } },
  "Resources": { "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "secret" } } },
  "Outputs": { "Url": { "Value": { "Fn::Join": ["", ["https://", { "Ref": "Word" }, "@", { "Fn::GetAtt": ["Topic", "TopicName"] }]] } } } }
JSON
edit muster.json '.Parameters.Word = {Env: "THE_WORD"}'
export THE_WORD=opensesame
muster plan --out "$work/plan.json"
like "a secret output is shown as one" "$out" '^ +\+ \(sensitive\)$'
is "... and marked" "$(output_of "$work/plan.json" app/eu-west-1/secret.Url .after_sensitive)" true
for format in text markdown html json; do
	run "$muster" show --format $format "$work/plan.json"
	unlike "... never in clear as $format" "$out$err" opensesame
done
muster apply "$work/plan.json"
is "it is applied" "$status" 0
is "... and stands nowhere in the state" "$(grep -c opensesame "$specs/.muster/data.mdb")" 0
muster plan --detailed-exitcode
is "... the same secret is no change" "$status" 0
THE_WORD=another
muster plan --detailed-exitcode
is "another one is" "$status" 2
like "... as what it is" "$out" '\(sensitive, changed\)'
"$muster" -C "$specs" state export --out "$work/export.json"
is "an export without secrets tells nothing of it" \
	"$(jq -c '[.. | objects | select(has("Hmac"))] | length' "$work/export.json")" 0
THE_WORD=opensesame

# -- What they hang on fails --
edit stacks/source.json '.Resources.Topic.Properties.DisplayName = "two" | .Outputs.Word.Value = "fourth" |
	.Outputs.Name = {Value: {"Fn::GetAtt": ["Topic", "TopicName"]}}'
stack reader <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["*"] },
  "Resources": { "Own": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "own" } } },
  "Outputs": { "Own": { "Value": { "Fn::GetAtt": ["Own", "TopicName"] } },
    "Through": { "Value": { "Fn::GetStackOutput": { "StackName": "source", "OutputName": "Name" } } } } }
JSON
sandbox_post fault '{"Faults": ["service=sns,operation=SetTopicAttributes,region=us-east-1,code=AuthorizationError,status=403"]}'
muster apply --auto-approve
is "an update fails in one region" "$status" 1
is "outputs of what failed stay as they were" "$(kept app/us-east-1/source .Word)" '"third"'
is "... others are recorded" "$(kept app/eu-west-1/source .Word)" '"fourth"'
is "... what rests on what failed is not" "$(kept app/us-east-1/reader .)" '{"Own":"own"}'
is "... but where it worked" "$(kept app/eu-west-1/reader .)" '{"Own":"own","Through":"source"}'
sandbox_post fault '{"Clear": true}'
muster plan
like "the next plan shows them again" "$out" '~ "third" -> "fourth"'
like "... where they are left" "$out" '^\+ create reader/Through in 2 of 4 targets'
muster apply --auto-approve
is "... and they are recorded when it is done" "$status $(kept app/us-east-1/source .Word)" '0 "fourth"'

# -- Another name of the account --
edit accounts.json '(.Accounts[] | select(.Name == "app")).Name = "shop"'
edit stacks/secret.json '.Targets.Accounts = ["shop"]'
muster plan --out "$work/plan.json"
is "an account with another name keeps its outputs" \
	"$(jq -c '[.output_changes // {} | keys[] | select(contains("source") or contains("reader"))]' "$work/plan.json")" '[]'
muster apply "$work/plan.json"
is "... which are moved" "$status $(kept shop/eu-west-1/source .Word) $(kept app/eu-west-1/source .)" '0 "fourth" null'
muster plan --detailed-exitcode
is "... for good" "$status" 0
muster state mv shop/us-east-1/reader shop/us-east-1/other
is "what surgery moves brings them along" "$status $(kept shop/us-east-1/other .Own) $(kept shop/us-east-1/reader .)" \
	'0 "own" null'
muster state mv shop/us-east-1/other shop/us-east-1/reader
muster plan --detailed-exitcode
is "... and back" "$status" 0

# -- Out of an export --
run "$muster" -C "$specs" state export --secrets --out "$work/export.json"
cp -r "$specs" "$work/copy"
rm -rf "$work/copy/.muster"
run "$muster" -C "$work/copy" state import "$work/export.json"
is "an export is taken into another state" "$status" 0
run "$muster" -C "$work/copy" plan --detailed-exitcode
is "... with all outputs" "$status" 0
jq 'del(.Outputs)' "$work/export.json" >"$work/older.json"
rm -rf "$work/copy/.muster"
run "$muster" -C "$work/copy" state import "$work/older.json"
run "$muster" -C "$work/copy" plan --detailed-exitcode
is "a state without outputs does not call them changes" "$status" 0
unlike "... nor shows them" "$out" '^Outputs'
edit_copy() { jq "$2" "$work/copy/$1" >"$work/edited" && cp "$work/edited" "$work/copy/$1"; }
edit_copy stacks/reader.json '.Resources.Own.Properties.DisplayName = "x"'
run "$muster" -C "$work/copy" apply --auto-approve
is "... and the next apply" "$status" 0
is "... takes them all down" \
	"$("$muster" -C "$work/copy" state export --secrets | jq -cS .Outputs)" "$(jq -cS .Outputs "$work/export.json")"
jq '.Outputs["a/b"] = {}' "$work/export.json" >"$work/bad.json"
rm -rf "$work/copy/.muster"
run "$muster" -C "$work/copy" state import "$work/bad.json"
is "an export with outputs of nothing is refused" "$status" 1
like "... saying which" "$err" 'Outputs: what stands under "a/b" cannot be read'
muster state rm --auto-approve 'web/us-east-1/source/*'
is "what is forgotten has none" "$status $(kept web/us-east-1/source .)" '0 null'
muster apply --adopt '*' --auto-approve
is "... until it is adopted" "$status $(kept web/us-east-1/source .Word)" '0 "fourth"'

# -- A stack that goes --
rm "$specs/stacks/secret.json" "$specs/stacks/reader.json"
muster plan
like "outputs of a stack that goes are deleted" "$out" '^- delete reader/Own in all 4 targets$'
sandbox_post fault '{"Faults": ["service=sns,operation=DeleteTopic,region=us-east-1,code=AuthorizationError,status=403"]}'
muster apply --auto-approve
is "... as far as it goes" "$status $(kept web/eu-west-1/reader .) $(kept web/us-east-1/reader .Own)" '1 null "own"'
sandbox_post fault '{"Clear": true}'
muster plan --only '*/source/*' --detailed-exitcode
is "... left out by --only they are not touched" "$status" 0
muster apply --destroy --auto-approve
is "destroy takes all" "$status $("$muster" -C "$specs" state export | jq -c .Outputs)" '0 {}'
done_testing
