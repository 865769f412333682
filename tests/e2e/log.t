#!/bin/bash
# What people read of generations: log, history, diff, --at, the report of an apply, verify; and the writer's lock.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
stack alerts <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["*"] },
  "Parameters": { "Label": { "Type": "String", "Default": "1" } },
  "Resources": {
    "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "alerts", "DisplayName": { "Ref": "Label" } } },
    "Other": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "other", "DisplayName": { "Fn::GetAtt": ["Topic", "TopicName"] } } } } }
JSON
fleet_commit "$specs" "Two topics everywhere"
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"
state=$specs/.muster
topic=app/eu-west-1/alerts/Topic

# -- Nothing yet --
muster log
is "without a state the log says that there is nothing" "$status $out" "0 Nothing was applied yet."
muster log --json
is "... as JSON an empty list" "$status $(jq -c . <<<"$out")" "0 []"
muster state verify
is "... and nothing is broken" "$status $(head -1 <<<"$out")" "0 The state is whole: 0 generations, 0 records, 0 stored inputs."
muster state diff 1
like "... there is no generation to show" "$status $err" "there is no generation 1: nothing was applied yet"
is "... and looking made no state" "$(ls -A "$state" 2>/dev/null)" ""

# -- Generations: all made; one changed while a part is refused; the rest --
muster apply --auto-approve
commit=$(git -C "$specs" rev-parse HEAD)
edit stacks/alerts.json '.Parameters.Label.Default = "2"'
sandbox_post fault '{"Faults": ["operation=SetTopicAttributes,account=333333333333,code=AuthorizationError,status=403,message=no word of 333333333333 may do that"]}'
muster apply --auto-approve --allow-dirty
is "an apply of which a part fails says so" "$status" 1
sandbox_post fault '{"Clear": true}'
muster apply --auto-approve --parameter Label=3
is "... the next does the rest" "$status" 0

muster log
is "the log is newest first" "$(grep -oE '^generation [0-9]+  [a-z]+' <<<"$out")" \
	$'generation 3  complete\ngeneration 2  partial\ngeneration 1  complete'
like "... with when, who and which commit" "$out" \
	"^generation 1  complete  [0-9]{4}-[0-9-]+T[0-9:]+Z  $(id -un)@$(hostname)  commit ${commit:0:12}\$"
like "... that the specs were not as committed" "$out" "^generation 2 .*  commit ${commit:0:12} \(dirty\)\$"
like "... what was done" "$out" '^    8 created in [0-9.]+ s$'
like "... and what was not" "$out" '^    2 updated, 2 failed in '
muster log --limit 1
is "... or only the newest" "$(grep -c ^generation <<<"$out") $(head -1 <<<"$out" | cut -c1-12)" "1 generation 3"
muster log --json
is "as JSON it is an array, newest first" "$(jq -c '[.[].Number]' <<<"$out")" '[3,2,1]'
is "... with status, facts and outcome" "$(jq -c '.[1] | [.Status, .Facts.Commit, .Facts.Dirty, .Facts.Planned, .Outcome.Result,
	.Outcome.Updated, .Outcome.Failed, .Outcome.FailureCount, (.Hash | length)]' <<<"$out")" \
	"[\"finished\",\"$commit\",true,{\"update\":4},\"partial\",2,2,2,64]"
is "... the plan that it was" "$(jq -c '[.[].Facts.PlanDigest | length]' <<<"$out")" '[64,64,64]'
is "... each linked to the one before" "$(jq -c '[.[0].Previous == .[1].Hash, .[1].Previous == .[2].Hash]' <<<"$out")" '[true,true]'
is "... and the failures, each with its cause" "$(jq -c '.[1].Outcome.Failures[0] | [.Address, .Action, .Status, .Operation, .Code, .Message]' <<<"$out")" \
	'["web/eu-west-1/alerts/Topic","update","failed","sns:SetTopicAttributes","AuthorizationError","no word of 333333333333 may do that"]'
is "... times at both ends" "$(jq -c '.[1] | [(.Facts.Time, .Outcome.Ended) | fromdate > 0]' <<<"$out")" '[true,true]'
is "... parameters" "$(jq -c '.[0].Facts.Parameters' <<<"$out")" '{"Label":"3"}'

# -- What became of one resource --
muster state history $topic
is "state history is newest first" "$(grep -oE '^generation [0-9]+' <<<"$out" | tr '\n' ' ')" "generation 3 generation 2 generation 1 "
like "... says what was done" "$out" '^~ updated alerts/Topic \(AWS::SNS::Topic\)$'
like "... property by property" "$out" '^    ~ DisplayName: "2" -> "3"$'
like "... from its beginning" "$out" '^\+ created alerts/Topic'
muster state history web/eu-west-1/alerts/Topic
is "... only where something was done" "$(grep -oE '^generation [0-9]+' <<<"$out" | tr '\n' ' ')" "generation 3 generation 1 "
muster state history $topic --json
is "... as JSON" "$(jq -c '.[1] | [.Generation, .Action, .Type, .Changes, .Commit]' <<<"$out")" \
	"[2,\"update\",\"AWS::SNS::Topic\",[{\"Path\":\"DisplayName\",\"Before\":\"1\",\"After\":\"2\"}],\"$commit\"]"
muster state history app/eu-west-1/alerts/Nothing
is "an address that never was" "$status" 1
like "... is said to be none" "$err" 'never had a resource app/eu-west-1/alerts/Nothing'

# -- Between two generations --
muster state diff 2
like "state diff of one generation is what that one changed" "$out" '^Changed: 2 updated in 2 targets\.$'
like "... the same change in many targets once" "$out" '^    in all 2 targets'
muster state diff 1 3
is "... of two, what is different at the end" "$(grep -c 'DisplayName: "1" -> "3"' <<<"$out") $(grep -c '"2"' <<<"$out")" "1 0"
muster state diff 3 1
like "... also backwards" "$out" 'DisplayName: "3" -> "1"'
muster state diff 0 3
like "... also from before the first" "$out" '^Changed: 8 created in 4 targets\.$'
muster state diff 3 3
is "... nothing, where nothing changed" "$status $out" "0 No changes."
muster state diff 1 2 --json
is "... as JSON like a plan's" "$(jq -c '[.from, .to, (.resource_changes | length), (.resource_changes[0].change | [.actions, .before.DisplayName, .after.DisplayName])]' <<<"$out")" \
	'[1,2,2,[["update"],"1","2"]]'
echo "$out" >"$work/diff.json"
muster apply "$work/diff.json"
is "... which cannot be applied" "$status" 1
muster state diff 1 9
like "a generation that is not there" "$status $err" '^1 .*there is no generation 9: the newest is 3; muster log'
muster state diff 9
like "... is named as it was asked for" "$status $err" '^1 .*there is no generation 9: the newest is 3'
muster state diff one
like "... or no number" "$status $err" '^1 .*a generation is a whole number, not "one"'

# -- As it was --
muster state show $topic --at 1
is "state show --at shows it as it was" "$(jq -c '[.Properties.DisplayName, .Generation]' <<<"$out")" '["1",1]'
muster state show $topic --at 0
like "... says when it was not there yet" "$status $err" "^1 .*no resource $topic at the end of generation 0; muster state history"
muster state show $topic --at 4
like "... and when there was no such generation" "$status $err" '^1 .*there is no generation 4: the newest is 3'
muster state list --at 0
is "state list --at lists what there was" "$status $out" "0 "
muster state list --at 2 --json
is "... all of it" "$(jq -c '[length, .[0].generation]' <<<"$out")" '[8,1]'
muster state list 'nope*'
like "of a pattern that matches nothing the list is empty, which is said" "$status $out $err" "^0  warning: .*'nope\*' matches no recorded resource; a pattern is for whole addresses"
muster state list --json 'nope*'
like "... as JSON, too" "$status $out $err" '^0 \[\] warning: '
muster state list --at 9
is "... not of a generation that is none" "$status" 1
muster state list --at -1
is "... or no number" "$status" 1

# -- The report of an apply --
for format in text markdown json; do
	is "a report that cannot be written as $format is no success" \
		"$("$muster" -C "$specs" show --apply 2 --format "$format" 2>"$work/full" >/dev/full; echo $?)" 1
	like "... and is said" "$(<"$work/full")" 'cannot write to stdout: No space left'
done
is "... nor differences of generations" \
	"$("$muster" -C "$specs" state diff 1 2 2>/dev/null >/dev/full; echo $?)" 1
muster show --apply 2
is "show --apply says what was done and what was not" "$status" 0
like "... grouped as in a plan" "$out" '^~ updated alerts/Topic \(AWS::SNS::Topic\)$'
like "... where it failed" "$out" '^    in 2 of 4 targets: all regions of web$'
like "... and why" "$out" '^    sns:SetTopicAttributes: AuthorizationError: no word of 333333333333 may do that$'
unlike "... without anything that others did" "$out" '"3"'
muster show --apply 2 --json
is "... as JSON" "$(jq -c '[.Number, .Outcome.Result, (.ResourceChanges | length), .Causes[0].count, .Causes[0].code]' <<<"$out")" \
	'[2,"partial",2,2,"AuthorizationError"]'
muster show --apply 2 --format markdown
like "... as markdown" "$out" '^## muster apply: generation 2 partial$'
like "... with the cause in code, which nobody is named by" "$out" '^    sns:SetTopicAttributes: AuthorizationError: no word'
like "... and what was done" "$out" 'DisplayName'
unlike "... in words of what has happened" "$out" 'Apply exactly|to update'
at_most "... in the size of a comment" "$(wc -m <<<"$out")" 65536
muster show --apply 1 --format markdown
unlike "... says nothing of failures where there were none" "$out" 'What failed'
muster show --apply 4
like "... of a generation that is not there" "$status $err" '^1 .*there is no generation 4: the newest is 3'
muster show --apply 0
is "... or cannot be" "$status" 1
muster show
like "show wants one thing to show" "$status $err" '^1 .*needs a plan file, or --apply'
muster show --apply 1 plan.json
is "... not two" "$status" 1
run "$muster" -C "$work" show --apply 1
like "... and a spec directory for the state" "$status $err" '^1 .*holds no muster.json'

# -- verify --
muster state verify
is "a state that is whole" "$status" 0
like "... is counted" "$out" '^The state is whole: 3 generations, 8 records,'
hash=$(muster log --json; jq -r '.[0].Hash' <<<"$out")
muster state verify
like "... with the hash to write down" "$out" "^Hash of generation 3: $hash\$"
muster state verify --json
is "... as JSON" "$(jq -c '[.Whole, .Generations, .Records, .Broken, .Hash]' <<<"$out")" "[true,3,8,null,\"$hash\"]"

# tampered FROM TO: the state with other bytes where these stood.
tampered() {
	rm -rf "$work/bad"
	cp -R "$specs" "$work/bad"
	python3 - "$work/bad/.muster/data.mdb" "$1" "$2" <<'PYTHON'
import sys
path, old, new = sys.argv[1], sys.argv[2].encode(), sys.argv[3].encode()
data = open(path, "rb").read()
assert old in data and len(old) == len(new), "nothing to change"
open(path, "wb").write(data.replace(old, new))
PYTHON
}
tampered '"Planned":{"create":8}' '"Planned":{"create":9}'
run "$muster" -C "$work/bad" state verify
is "a generation that was changed afterwards" "$status $out" "1 "
like "... is named" "$err" 'history is broken at generation 1: it was changed after it was finished'
run "$muster" -C "$work/bad" state verify --json
is "... as JSON" "$status $(jq -c '[.Whole, .Broken, .Hash, (.Messages | length > 0)]' <<<"$out")" '1 [false,1,null,true]'
tampered '"DisplayName":"2"' '"DisplayName":"7"'
run "$muster" -C "$work/bad" state verify
like "... so is what it did: the first link that does not hold" "$status $err" '^1 error: .*broken at generation 2'
run "$muster" -C "$work/bad" log
is "... which stops nobody from reading" "$status" 0

# -- While one applies --
sandbox_post config '{"LatencyMs": 1500}'
edit stacks/alerts.json '.Parameters.Label.Default = "4"'
commit_before "$specs"
"$muster" -C "$specs" apply --auto-approve --no-refresh --parallelism 1 >"$work/first" 2>&1 &
pid=$!
started() {
	for _ in $(seq 200); do
		muster log --limit 1
		[[ $out == "generation $1  "* ]] && return
		sleep 0.05
	done
}
started 4
like "the log shows what is running" "$out" '^generation 4  running  '
like "... as far as it got" "$out" ' so far$'
muster log --json --limit 1
is "... as JSON" "$(jq -c '.[0] | [.Number, .Status, .Outcome.Result, .Hash]' <<<"$out")" '[4,"running","running",null]'
muster state diff 3 4
is "... and can be compared with" "$status" 0
muster state verify
is "... verified" "$status" 0
muster show --apply 4
like "... reported" "$out" '^generation 4  running  '
muster plan --no-refresh
like "a plan meanwhile says first what is running, and by whom" "$(head -1 <<<"$err")" "^warning: generation 4 is being applied right now by pid $pid \\(.*@.*\\) since .*: .*apply --auto-approve.*plan again when it is done"
before=$SECONDS
muster apply --auto-approve
like "a second apply is refused at once, with who holds the state" "$status $err" "locked by pid $pid \\(.*@.*\\) since .*: .*apply --auto-approve"
at_most "... at once" $((SECONDS - before)) 1
like "... and how to wait" "$err" '^note: --lock-timeout SECONDS waits'
muster apply --auto-approve --lock-timeout 1
is "... or after as long as it may wait" "$status" 1
like "... saying for whom it waits" "$err" "^Waiting up to 1.0 s for the state: locked by pid $pid \\("
like "... and for whom in vain" "$err" "^error: .*locked by pid $pid"
muster apply --auto-approve --lock-timeout soon
like "... a time that is none is refused" "$status $err" '^1 .*--lock-timeout is a whole number, not "soon"'
sandbox_post config '{"LatencyMs": 0}'
muster apply --auto-approve --lock-timeout 60
is "... and does its work when the first is done" "$status" 0
unlike "... of which it does not warn" "$err" 'being applied right now'
like "... having waited" "$err" "^Waiting up to 1 min 00 s for the state"
wait $pid
is "... which ended well" "$?" 0

# -- A holder that dies --
sandbox_post config '{"LatencyMs": 1500}'
edit stacks/alerts.json '.Parameters.Label.Default = "5"'
muster log --json --limit 1
next=$(($(jq '.[0].Number' <<<"$out") + 1))
commit_before "$specs"
"$muster" -C "$specs" apply --auto-approve --no-refresh --parallelism 1 >"$work/first" 2>&1 &
pid=$!
started $next
sleep 0.5
kill -9 $pid
wait $pid 2>/dev/null
muster log --limit 1
like "of a run that was killed the log says so" "$out" "^generation $next  interrupted  "
muster log --json --limit 1
is "... as JSON, with what is known of it" "$(jq -c '.[0] | [.Status, .Outcome.Result, (.Outcome.Done | type)]' <<<"$out")" \
	'["interrupted","interrupted","number"]'
sandbox_post config '{"LatencyMs": 0}'
muster plan
unlike "... nor is it said to be running" "$err" 'being applied'
muster apply --auto-approve
is "its lock is nobody's: the next apply takes over" "$status" 0
muster log --json
is "... the generation is closed as interrupted" "$(jq -c ".[] | select(.Number == $next) | [.Status, .Outcome.Result, (.Hash | length)]" <<<"$out")" \
	'["interrupted","interrupted",64]'
muster log
like "... what it left open is settled by a generation of its own" "$out" '^    [0-9]+ changes? of a run that was cut off settled$'
muster show --apply "$next" --format markdown
like "... and reported so" "$out" 'The run was cut off before its end'
muster state verify
is "... and all is whole" "$status" 0
muster plan --detailed-exitcode
is "... and as specified" "$status" 0

# -- What moved --
edit accounts.json '(.Accounts[] | select(.Name == "app")).Name = "payments"'
muster apply --auto-approve
is "an account is renamed" "$status" 0
last=$(muster log --json; jq '.[0].Number' <<<"$out")
muster state diff "$last"
unlike "... of which nothing is deleted or created" "$out" 'deleted|created'
like "... but moved" "$out" 'moved'
muster state history payments/eu-west-1/alerts/Topic
is "... its history begins with that" "$(grep -c ^generation <<<"$out") $(grep -c moved <<<"$out")" "1 2"
muster state history $topic
like "... and that of the old address ends so" "$(grep -A3 ^generation <<<"$out" | head -4)" 'moved'
muster state history $topic --json
is "... as JSON" "$(jq -c '.[0] | [.Address, .MovedFrom, .Action]' <<<"$out")" '["payments/eu-west-1/alerts/Topic","app/eu-west-1/alerts/Topic","update"]'
muster state mv web/eu-west-1/alerts/Other web/eu-west-1/alerts/Another
muster log --limit 1
like "surgery is a generation, by its command" "$out" "^    by muster -C .* state mv web/eu-west-1/alerts/Other web/eu-west-1/alerts/Another\$"
muster state verify
is "... all of it whole" "$status" 0
done_testing
