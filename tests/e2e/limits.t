#!/bin/bash
# Limits and Protect: a plan that does more than it may is shown and saved, and not applied.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"

# topic NAME [JQ-FILTER-OVER-THE-RESOURCE]: a stack with one topic in both regions of app and web.
topic() {
	jq -n --arg name "$1" '{Targets: {Accounts: ["tag:project"], Regions: ["*"]},
		Resources: {Topic: ({Type: "AWS::SNS::Topic", Properties: {TopicName: $name}} | '"${2:-.}"')}}' \
		>"$specs/stacks/$1.json"
}
generation() {
	"$muster" -C "$specs" log --json 2>/dev/null | jq '(map(.Number) | max) // 0'
}
# refused NAME MESSAGE: of the last run; nothing in AWS and no generation may have come of it.
refused() {
	is "$1: refused" "$status" 1
	like "... saying why" "$err" "$2"
	is "... and nothing was changed" "$(topics | wc -l) $(generation)" "$held"
}
hold() {
	held="$(topics | wc -l) $(generation)"
}
for name in one two three four five; do topic $name; done
topic safe '.Protect = true'
fleet_commit "$specs" "Six topics in four targets"
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"

# -- Targets --
edit muster.json '.Limits = {MaxTargets: 3}'
fleet_commit "$specs" "Three targets"
hold
muster apply --auto-approve
refused "a plan that changes more targets than it may" 'over the limits of its specs: it changes 4 targets, MaxTargets is 3'
like "... and how to go on" "$err" 'make the plan again with --override-limit'
like "... and is shown" "$out" '24 to create'
edit muster.json '.Limits = {MaxTargets: "75%"}'
muster plan --out "$work/plan.json"
is "it can be planned and saved" "$status" 0
like "... and says so before anything else" "$(head -1 <<<"$out")" 'Over the limits: changes 4 targets, MaxTargets is 75% of 4 targets: 3'
unlike "... and does not say how to apply it" "$err" 'apply exactly this'
like "... with the way on" "$out$err" '\-\-override-limit'
muster apply "$work/plan.json" --auto-approve
refused "a saved plan over its limits" 'it changes 4 targets, MaxTargets is 75% of 4 targets: 3'
muster apply "$work/plan.json" --override-limit
is "whoever applies a saved plan cannot override" "$status" 1
like "... since that is not what was reviewed" "$err" 'a saved plan is applied as it is'
muster apply --auto-approve --only 'app/*'
is "a part within the limits is applied" "$status $(topics | wc -l)" "0 12"
muster plan --override-limit --out "$work/plan.json"
is "within the limits there is nothing to override" "$(jq -c .muster.limits "$work/plan.json")" \
	'{"Limits":{"MaxTargets":"75%"},"Over":[],"Overridden":false}'
edit muster.json '.Limits = {MaxTargets: 1}'
muster apply "$work/plan.json" --auto-approve
hold
refused "limits that came after the plan" 'over the limits of muster.json: it changes 2 targets, MaxTargets is 1'
edit muster.json 'del(.Limits)'
muster apply --auto-approve
is "all of it is there" "$status $(topics | wc -l)" "0 24"

# -- Deletions --
edit muster.json '.Limits = {MaxDelete: "10%"}'
rm "$specs/stacks/one.json"
muster plan --out "$work/plan.json"
like "10% of 24, rounded up, is three" "$out" 'Over the limits: deletes 4, MaxDelete is 10% of 24 recorded resources: 3'
is "... which stands in the file" "$(jq -c .muster.limits.Over "$work/plan.json")" \
	'["deletes 4, MaxDelete is 10% of 24 recorded resources: 3"]'
hold
# What somebody can do who can write the file: change it and make its digest anew.
forge() {
	jq -c "$1" "$work/plan.json" >"$work/changed"
	jq -c --arg digest "$(jq -cSj 'del(.muster.digest)' "$work/changed" | sha256sum | cut -d' ' -f1)" \
		'.muster.digest = $digest' "$work/changed" >"$work/forged.json"
}
forge '.muster.limits.Over = []'
muster apply "$work/forged.json" --auto-approve
refused "a list that was emptied" 'limits: expected what the changes add up to'
forge 'del(.muster.limits)'
muster apply "$work/forged.json" --auto-approve
refused "limits that were taken out of the file" 'over the limits of muster.json: it deletes 4'
forge '.muster.limits.Limits = {MaxDelete: "many"}'
muster apply "$work/forged.json" --auto-approve
refused "a limit that is none" 'Limits.MaxDelete must be a number'
muster plan --out "$work/plan.json" --override-limit
like "overridden limits are said, too" "$out" 'Over the limits \(overridden with --override-limit\): deletes 4'
is "... in the file that is signed" "$(jq .muster.limits.Overridden "$work/plan.json")" true
muster apply "$work/plan.json" --auto-approve
is "... and it is applied" "$status $(topics | wc -l)" "0 20"
over='over its limits, with --override-limit: deletes 4, MaxDelete is 10% of 24 recorded resources: 3'
is "... which the generation keeps" "$("$muster" -C "$specs" log --json | jq -c '.[0].Facts | [.OverrideLimit, .Over]')" \
	'[true,["deletes 4, MaxDelete is 10% of 24 recorded resources: 3"]]'
muster log --limit 1
like "... and log tells" "$out" "^    $over"
muster show --apply "$(generation)"
like "... so does the report" "$out" "^    $over"
muster show --apply "$(generation)" --format markdown
like "... as markdown, too" "$out" "^- .$over"
note=$(git -C "$specs" notes --ref=muster show HEAD)
like "... and the note in git" "$note" "^  $over"
is "... for machines as well" "$(grep '^{"muster":' <<<"$note" | tail -1 | jq -c '.muster | [.OverrideLimit, (.Over | length)]')" '[true,1]'
topic two '.DeletionPolicy = "Retain"'
muster apply --auto-approve
rm "$specs/stacks/two.json"
muster plan
unlike "what is left in AWS is no deletion" "$out" 'Over the limits'
muster apply --auto-approve
is "... and is only forgotten" "$status $(topics | wc -l)" "0 20"

# -- Replacements --
edit muster.json '.Limits = {MaxReplace: 3}'
topic three '.Properties.TopicName = "three-anew"'
hold
muster apply --auto-approve
refused "more replacements than there may be" 'it replaces 4, MaxReplace is 3'
muster apply --auto-approve --override-limit
is "an apply in one go can override as well" "$status $(topics | grep -c three-anew)" "0 4"

# -- A limit of nothing --
edit muster.json '.Limits = {MaxDelete: 0}'
rm "$specs/stacks/five.json"
hold
muster apply --auto-approve --only 'app/eu-west-1/*'
refused "not even one" 'it deletes 1, MaxDelete is 0'
topic five

# -- Protect: no option lifts it --
rm "$specs/stacks/safe.json"
edit muster.json 'del(.Limits)'
hold
muster apply --auto-approve --override-limit
refused "what is protected" 'safe/Topic'
topic safe
muster plan
like "lifting protection is a change of its own" "$out" '[0-9]+ to update'
muster apply --auto-approve
is "... a generation of its own" "$status" 0
rm "$specs/stacks/safe.json"
muster apply --auto-approve
is "... and then it can go" "$status $(topics | grep -c /safe)" "0 0"
topic safe '.Protect = true'
muster apply --auto-approve
jq '.Resources.Topic.Protect = false | .Resources.Topic.Properties.TopicName = "safe-anew"' "$specs/stacks/safe.json" >"$work/edited" &&
	cp "$work/edited" "$specs/stacks/safe.json"
hold
muster apply --auto-approve --override-limit
refused "lifting it and replacing in one plan" 'rotect'

done_testing
