#!/bin/bash
# A live resource whose name is not the one that its new address makes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
stack named <<'JSON'
{ "Targets": { "Accounts": ["app"], "Regions": ["home"] }, "Resources": { "A": { "Type": "AWS::SNS::Topic" } } }
JSON
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"
muster apply --auto-approve
is "a topic with a name that muster made" "$status" 0
muster state rm --auto-approve 'app/*'
id=$(sed -n 's/^- .*(AWS::SNS::Topic) //p' <<<"$out")
like "state rm shows its ID" "$id" '^arn:aws:sns:eu-west-1:222222222222:'
muster state import app/eu-west-1/named/A "$id"
is "import takes it by that" "$status" 0
unlike "... and it has its name" "$out" 'the next plan replaces it'
muster state rm --auto-approve 'app/*'
edit stacks/named.json '.Resources.B = .Resources.A | del(.Resources.A)'
muster state import app/eu-west-1/named/B "$id"
is "at another address" "$status" 0
like "... another name is made, and what comes of it is said" "$out" "^Its TopicName is ${id##*:}, and what the specs make at this address is .*: the next plan replaces it"
muster plan --out "$work/plan.json"
is "... and so it is" "$(jq -r '[.muster.changes | to_entries[] | "\(.key) \(.value.action)"] | join(" ")' "$work/plan.json")" "app/eu-west-1/named/B replace"
done_testing
