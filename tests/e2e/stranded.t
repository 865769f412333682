#!/bin/bash
# What a run that was cut off has left where nobody can look any more: it is said, and can be let go.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
stack s <<'JSON'
{ "Targets": { "Accounts": ["app"], "Regions": ["home"] },
  "Resources": { "One": { "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": "x" } } } }
JSON
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json" --latency-ms 1500
fleet_commit "$specs" "a topic"
"$muster" -C "$specs" apply --auto-approve >/dev/null 2>&1 &
pid=$!
for _ in $(seq 300); do
	sleep 0.1
	sandbox_get stats | jq -e '(.Operation // {}) | to_entries[] | select(.key | test("CreateTopic"))' >/dev/null && break
done
kill -9 "$pid"
wait "$pid" 2>/dev/null
sandbox_stop

# The account is closed: off the roster, and nothing can be entered.
cp "$specs/accounts.json" "$work/accounts.json"
edit accounts.json '.Accounts |= map(select(.Name != "app"))'
edit stacks/s.json '.Targets.Accounts = ["web"]'
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"
muster state rm 'app/*' --auto-approve
is "before an apply has looked, an intent is not let go" "$status" 1
like "... with the way" "$err" 'app/eu-west-1/s/One: .* run muster apply --recover first'
muster apply --auto-approve
is "where nobody can look, apply does the rest, and says so in its exit status" "$status" 1
like "... with the rest" "$out" 'Applied: 1 created'
like "... and words" "$err" 'what came of 1 change of a run that was cut off is not known yet.*muster state rm'
muster apply --auto-approve
is "... as long as it is so" "$status" 1
muster state mv web/eu-west-1/s/One app/eu-west-1/s/One
is "nothing is moved there" "$status" 1
like "... with the reason and the way out" "$err" 'could not look it up \(.*could not assume.*muster state rm '"'app/eu-west-1/s/One'"
muster state rm 'app/*'
is "it is let go only on confirmation" "$status" 1
muster state rm 'app/*' --auto-approve
is "it is let go" "$status" 0
like "... with what AWS may have" "$out" 'app/eu-west-1/s/One \(AWS::SNS::Topic\): its create was cut off, .*AWS may have it, with TopicName s-One-'
like "... counted" "$out" 'Forgot 1 resource'
muster plan --detailed-exitcode
is "and it is quiet again" "$status $out" "0 No changes. 1 resource is as specified."
muster apply --auto-approve
is "... as is apply" "$status" 0
done_testing
