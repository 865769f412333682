#!/bin/bash
# A run of a signed plan that is cut off: what it left is settled without another round of signatures.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
as_they_are=yes # commits decide here, so each is made by the test
mkdir -p "$specs/approvers"
openssl genpkey -algorithm ed25519 -out "$work/kato.pem" 2>/dev/null
openssl pkey -in "$work/kato.pem" -pubout -out "$specs/approvers/kato.pem"

# topic NAME: a stack with one topic in both regions of app and web.
topic() {
	jq -n --arg name "$1" '{Targets: {Accounts: ["tag:project"], Regions: ["*"]},
		Resources: {Topic: {Type: "AWS::SNS::Topic", Properties: {TopicName: $name}}}}' >"$specs/stacks/$1.json"
}
plan_to() {
	local file=$work/$1
	shift
	muster plan --out "$file" "$@"
}
approve() {
	muster approve "$work/$1" --key "$work/kato.pem"
}
generation() {
	"$muster" -C "$specs" log --json 2>/dev/null | jq '(map(.Number) | max) // 0'
}

topic one
edit muster.json '.Approval = {Required: 1, Keys: ["approvers/kato.pem"]}'
fleet_commit "$specs" "One"
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"
plan_to one.json
approve one.json
muster apply "$work/one.json" --first-apply
is "the first apply" "$status $(topics | wc -l) $(generation)" "0 4 1"

# cut_off FILE: an apply of the plan, killed when its first topic is made.
cut_off() {
	local before pid
	before=$(sandbox_calls '.Operation["sns:CreateTopic"] // 0')
	sandbox_post config '{"LatencyMs": 400}'
	"$muster" -C "$specs" apply "$work/$1" >"$work/out" 2>"$work/err" &
	pid=$!
	for _ in $(seq 500); do
		[ "$(sandbox_calls '.Operation["sns:CreateTopic"] // 0')" -gt "$before" ] && break
		sleep 0.02
	done
	kill -9 $pid
	wait $pid 2>/dev/null
	sandbox_post config '{"LatencyMs": 0}'
	sleep 0.5 # what was on its way arrives
}
topic eight
fleet_commit "$specs" "Eight"
plan_to eight.json
approve eight.json
cut_off eight.json
muster apply "$work/eight.json"
is "a plan whose run was cut off is not applied again" "$status" 1
like "... and what comes first is said" "$err" 'run muster apply --recover first, then plan what is left'
plan_to early.json --adopt '*'
like "a plan that is made before says it, too" "$out" 'run muster apply --recover first, then plan'
approve early.json
muster apply --recover early.json
is "--recover applies nothing" "$status $(grep -c 'leave out FILE' <<<"$err")" "1 1"
muster apply --recover --only '*'
is "... and plans nothing" "$status" 1
before=$(topics)
run "$muster" -C "$specs" apply --recover --json
is "it needs no approval" "$status" 0
is "... settles what was open" "$(jq -sc '.[-1] | [.type, .settled > 0, .open]' <<<"$out")" '["recovery",true,0]'
is "... by looking alone" "$(topics)" "$before"
is "... in a generation that says so" "$("$muster" -C "$specs" log --json | jq '.[0].Facts | [.Recovery, has("Inputs")]' -c)" '[true,false]'
muster apply --recover
is "... once" "$status $(grep -c 'has left anything open' <<<"$out")" "0 1"
hold=$(generation)
muster apply "$work/early.json"
is "a plan of before is refused" "$status $(grep -c 'since the plan was made; make a new plan' <<<"$err" | sed 's/[1-9]/some/')" "1 some"
is "... before a generation comes of it" "$(generation)" "$hold"
plan_to late.json
unlike "one of after knows all" "$out" 'cut off'
approve late.json
muster apply "$work/late.json"
is "... and is signed once" "$status $(topics | grep -c '/eight$')" "0 4"
topic nine
fleet_commit "$specs" "Nine"
plan_to nine.json
approve nine.json
cut_off nine.json
plan_to early.json --adopt '*'
approve early.json
muster apply "$work/early.json"
is "a plan that what is found speaks against" "$status" 1
like "... is refused with what to do next time" "$err" 'muster apply --recover settles it before a plan is made'
muster apply --recover
is "... and all is settled by then" "$status $(grep -c 'has left anything open' <<<"$out")" "0 1"

done_testing
