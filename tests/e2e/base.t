#!/bin/bash
# plan --base: what a branch introduces, told from what was pending before it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
stack s <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["home"] },
  "Resources": {
    "Own": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "own", "DisplayName": "one" } },
    "Late": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "late", "DisplayName": "one" } },
    "Tagged": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "tagged", "DisplayName": "one",
      "Tags": [{ "Key": "team", "Value": "a" }] } },
    "Mixed": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "mixed", "DisplayName": "one",
      "Tags": [{ "Key": "team", "Value": "a" }] } } } }
JSON
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"
tag() {
	outsider "$app" eu-west-1 sns Action=TagResource Version=2010-03-31 \
		"ResourceArn=arn:aws:sns:eu-west-1:$app:$1" Tags.member.1.Key=team "Tags.member.1.Value=$2" >/dev/null
}
# told FILE: "address pending" of each change, sorted, the address without the target where it is in app
told() {
	jq -r '.muster.changes | to_entries[] | "\(.key) \(.value.pending == true)"' "$1" | sed 's,^app/eu-west-1/,,' |
		sort | tr '\n' ';'
}
withdrawn() {
	jq -c '[.muster.notes[] | select(.kind == "withdrawn") | "\(.subject): \(.text)"] | sort' "$1"
}

edit accounts.json '.Accounts |= map(select(.Name != "web"))'
muster apply --auto-approve
is "a fleet of one account" "$status" 0
edit stacks/s.json '.Resources.Late.Properties.DisplayName = "two"'
fleet_commit "$specs" "On main, and not applied"
git -C "$specs" checkout -q -b branch
tag tagged b
tag mixed b
muster plan --base main --out "$work/plan.json"
is "a branch that does nothing yet" "$status" 0
is "... introduces nothing" "$(told "$work/plan.json")" "s/Late true;s/Mixed true;s/Tagged true;"
like "... and says so" "$(grep -A1 '^Introduced by this branch$' <<<"$out" | tr '\n' ' ')" '^Introduced by this branch +nothing $'

# -- Three things told apart --
edit stacks/s.json '.Resources.Own.Properties.DisplayName = "two" | .Resources.Mixed.Properties.DisplayName = "two"'
muster plan --base main --out "$work/plan.json"
is "the branch changes a property while another has drifted and main has something open" "$status" 0
is "... told apart" "$(told "$work/plan.json")" "s/Late true;s/Mixed false;s/Own false;s/Tagged true;"
like "... with totals for both" "$out" '^Introduced by this branch: 2 to update in 1 of 1 target$'
like "... the base by its commit" "$out" \
	"^Pending before it \(drift, or not applied yet\), also at $(git -C "$specs" rev-parse --short=12 main): 2 to update in 1 of 1 target$"
like "... and that all of it is applied" "$out" '^All of it is applied, what was pending before this branch, too\.$'
is "... the branch first" "$(grep -nE '^(Introduced|Pending)|^~ update s/' <<<"$out" | sed 's/.*s\///; s/ .*//; s/^[0-9]*://' | tr '\n' ' ')" \
	"Introduced Mixed Own Pending Late Tagged "
like "in one resource by property" "$out" '~ Tags\[team\]\.Value: "b" -> "a"  # pending before this branch'
like "... what is the branch's has no such remark" "$out" '~ DisplayName: "one" -> "two"$'
is "the file has the base" "$(jq -r .muster.base "$work/plan.json")" "$(git -C "$specs" rev-parse main)"
shown=$out
muster show "$work/plan.json"
is "show tells the same" "$out" "$shown"
muster plan --base main --format markdown
like "markdown has both sections" "$(grep '^####' <<<"$out" | tr '\n' ' ')" '^#### Introduced by this branch: .* #### Pending before it .*'
muster plan --base main --format html
like "the page, too" "$out" '"sections":\["Introduced by this branch: [^"]*","Pending before it [^"]*"\]'
muster plan --base main --no-refresh --out "$work/offline.json"
is "without AWS there is no drift" "$status $(told "$work/offline.json")" "0 s/Late true;s/Mixed false;s/Own false;"
muster plan --base HEAD --out "$work/plan.json"
is "a base is any revision" "$(told "$work/plan.json")" "s/Late true;s/Mixed true;s/Own true;s/Tagged true;"
calls() {
	sandbox_calls .Calls
}
muster plan --base main --out "$work/plan.json"
muster plan
before=$(calls)
muster plan
once=$(($(calls) - before))
before=$(calls)
muster plan --base main
is "AWS is not read a second time" "$(($(calls) - before))" "$once"
like "... (it was read at all)" "$once" '^[1-9]'

# -- What the branch takes back; new on it --
edit stacks/s.json '.Resources.Late.Properties.DisplayName = "one" | .Resources.New = {Type: "AWS::SNS::Topic", Properties: {TopicName: "new"}}'
muster plan --base main --out "$work/plan.json"
is "a branch that takes back what main would do" "$(withdrawn "$work/plan.json")" \
	'["app/eu-west-1/s/Late: the base would update it"]'
like "... says so" "$out" '^Taken back by this branch: what the base would do$'
is "... and brings something new" "$(told "$work/plan.json")" "s/Mixed false;s/New false;s/Own false;s/Tagged true;"
cp "$specs/accounts.json" "$work/accounts.json"
edit accounts.json '.Accounts += [{Name: "web", Id: "333333333333", Tags: ["project"]}]'
muster plan --base main --out "$work/plan.json"
is "an account that is new on the branch" "$status" 0
is "... is all the branch's" "$(jq -r '[.muster.changes | to_entries[] | select(.key | startswith("web/")) | .value.pending == true] | unique | @csv' "$work/plan.json")" false
is "... the others are as they were" "$(told "$work/plan.json" | tr ';' '\n' | grep -c '^s/.* true')" 1
edit accounts.json '.Accounts |= map(select(.Name != "app"))'
muster plan --base main --out "$work/plan.json"
is "an account that the branch takes away" "$status $(jq '[.muster.changes[] | select(.action == "delete" and .pending != true)] | length' "$work/plan.json")" "0 4"
cp "$work/accounts.json" "$specs/accounts.json"

# -- A base that is none --
muster plan --base nowhere
is "no such revision" "$status" 1
like "... is an error" "$err" 'nowhere'
muster plan --base main --destroy
is "--base and --destroy" "$status" 1
like "... do not go together" "$err" '^(error: )?--base compares specs, and --destroy looks at none'
edit stacks/s.json '.Parameters = {Word: {Type: "String"}} | .Resources.New.Properties.DisplayName = {Ref: "Word"}'
muster plan --base main --parameter Word=hello --out "$work/plan.json"
is "a parameter that only the branch has" "$status $(told "$work/plan.json")" "0 s/Mixed false;s/New false;s/Own false;s/Tagged true;"
git -C "$specs" checkout -q -f -B broken main
edit stacks/s.json '.Resources.Late.Type = "AWS::SNS::Tropic"'
fleet_commit "$specs" "Does not compile"
git -C "$specs" checkout -q branch
muster plan --base broken --parameter Word=hello --out "$work/plan.json"
is "a base that does not compile" "$status" 0
is "... makes all of it the branch's" "$(told "$work/plan.json")" "s/Mixed false;s/New false;s/Own false;s/Tagged false;"
like "... with a warning" "$err" 'warning: --base: the specs at the base make no plan.*AWS::SNS::Tropic'
like "... that is in the plan, too" "$out" '--base: the specs at the base make no plan, so everything counts as introduced by this branch: '
git -C "$specs" checkout -q -f -B empty main
git -C "$specs" rm -q -r stacks accounts.json
git -C "$specs" commit -q -m "No roster"
git -C "$specs" checkout -q branch
muster plan --base empty --parameter Word=hello
is "a base without a roster" "$status" 0
like "... is told likewise" "$err" 'warning: --base: the specs at the base make no plan.*accounts\.json'

# -- Applying --
muster plan --base main --parameter Word=hello --out "$work/plan.json"
muster apply "$work/plan.json"
is "such a plan is applied" "$status" 0
muster plan --parameter Word=hello --out "$work/plan.json"
is "... all of it" "$(told "$work/plan.json")" ""

done_testing
