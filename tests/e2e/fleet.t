#!/bin/bash
# The main job on 12 accounts and 17 regions: from nothing to applied, quiet, one change, nothing again.
. "$(dirname "$0")/lib.sh"
fleet=$work/fleet
fleet_make "$fleet" 12
sandbox_start "$fleet/accounts.json"
targets=204

# All that the sandbox holds, but for what nobody can take away at once: keys that wait for their deletion, roles that
# services make for themselves.
what_is_there() {
	sandbox_get dump | jq -S '
		del(.. | objects | select(has("DeletionMs") or ((.Path? // "") | tostring | startswith("/aws-service-role/"))))
		| until(. == (del(.. | select(. == {} or . == [])) // {}); del(.. | select(. == {} or . == [])) // {})'
}
there_before=$(what_is_there)

run "$muster" -C "$fleet" validate
is "the specs are valid" "$status" 0

run "$muster" -C "$fleet" access
is "every account can be entered" "$status" 0
is "... all twelve" "$(grep -c ' ok ' <<<"$out")" 12

run "$muster" -C "$fleet" plan --out "$work/plan.json" --detailed-exitcode
is "a first plan has changes" "$status" 2
like "... shows the trail once, in all targets" "$out" "in $targets of $targets targets"
at_most "... on a page or two" "$(wc -l <<<"$out")" 400
unlike "... without warnings" "$err" "warning|error"
resources=$(jq '[.resource_changes[] | select(.change.actions == ["create"])] | length' "$work/plan.json")
at_most "... with well over a thousand resources" 1500 "$resources"
is "nothing is made by a plan" "$(sandbox_calls '[.Operation | keys[] | select(test(":(Create|Put|Start)"))] | length')" 0

run "$muster" -C "$fleet" show "$work/plan.json"
is "the saved plan can be shown" "$status" 0
like "... like the plan itself" "$out" "$resources to create"

run "$muster" -C "$fleet" apply "$work/plan.json"
is "the saved plan is applied" "$status" 0
like "... and says what it did" "$out$err" "$resources created"
is "everything is recorded" "$("$muster" -C "$fleet" state list | wc -l)" "$resources"

run "$muster" -C "$fleet" apply "$work/plan.json"
is "a plan is applied once only" "$status" 1
like "... and says so" "$err" "applied already|already applied"

run "$muster" -C "$fleet" plan --detailed-exitcode
is "a second plan is quiet" "$status" 0
like "... and says so" "$out" "No changes"

run "$muster" -C "$fleet" state show app-3/eu-west-1/recording/Trail
is "a record can be shown" "$(jq -r .Type <<<"$out")" AWS::CloudTrail::Trail
like "... with its ARN" "$(jq -r .Attributes.Arn <<<"$out")" '^arn:aws:cloudtrail:eu-west-1:300000000003:trail/muster$'

dump=$(sandbox_get dump)
like "the sandbox has the trail" "$dump" 'trail/muster'

# One property of one stack.
jq '.Resources.Detector.Properties.FindingPublishingFrequency = "ONE_HOUR"' "$fleet/stacks/recording.json" >"$work/new"
cp "$work/new" "$fleet/stacks/recording.json"
fleet_commit "$fleet" "Publish findings hourly"
run "$muster" -C "$fleet" plan --out "$work/change.json"
is "one changed property is planned" "$status" 0
like "... as one change in all targets" "$out" "in $targets of $targets targets"
is "... shown once" "$(grep -c 'FindingPublishingFrequency' <<<"$out")" 1
before=$(sandbox_calls '.Operation["guardduty:UpdateDetector"] // 0')
run "$muster" -C "$fleet" apply "$work/change.json"
is "... applied" "$status" 0
after=$(sandbox_calls '.Operation["guardduty:UpdateDetector"] // 0')
is "... as one call a target" $((after - before)) "$targets"
run "$muster" -C "$fleet" plan --detailed-exitcode
is "... and quiet afterwards" "$status" 0

run "$muster" -C "$fleet" plan --destroy --out "$work/destroy.json"
is "destruction is planned" "$status" 0
run "$muster" -C "$fleet" apply "$work/destroy.json"
is "... and done" "$status" 0
is "nothing is recorded any more" "$("$muster" -C "$fleet" state list | wc -l)" 0
run "$muster" -C "$fleet" plan --destroy --detailed-exitcode
is "nothing is left to destroy" "$status" 0
is "the sandbox is as it was before" "$(what_is_there)" "$there_before"
done_testing
