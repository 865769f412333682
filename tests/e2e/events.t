#!/bin/bash
# From an event to the chat, through what the baseline made: each of the three kinds from each account and region arrives
# exactly once, and says where it happened. With any one link taken away nothing arrives, and the event's trace names
# the link.
# shellcheck disable=SC2016 # jq's variables
. "$(dirname "$0")/lib.sh"
fleet=$work/fleet
command -v python3 >"$work/out" || {
	echo "1..0 # SKIP python3 is not installed"
	exit 0
}

fleet_make "$fleet" 6
jq '.Parameters += {Chat: "true", ChatWebhook: {Env: "MUSTER_CHAT_WEBHOOK"}}' \
	"$fleet/muster.json" >"$work/new" && cp "$work/new" "$fleet/muster.json"
fleet_commit "$fleet" "With the chat"
echo '{"Regions": {"Enabled": ["us-east-1", "eu-west-1", "ap-northeast-1", "us-west-2"], "OptIn": ["me-south-1"]}}' \
	>"$work/sandbox.json"
sandbox_start "$fleet/accounts.json" --config "$work/sandbox.json"
export MUSTER_CHAT_WEBHOOK=$AWS_ENDPOINT_URL/_sandbox/webhook/T0PSECRET
run "$muster" -C "$fleet" apply --auto-approve
is "the baseline is applied" "$status" 0

# emit ACCOUNT REGION KIND: what AWS would emit there.
emit() {
	jq -n --arg account "$1" --arg region "$2" --arg kind "$3" '{Account: $account, Region: $region, Kind: $kind}
		+ if $kind == "compliance" then {ConfigRuleName: "muster-guardduty-enabled"} else {} end' |
		curl -sf -d @- "$AWS_ENDPOINT_URL/_sandbox/emit" >"$work/emitted"
}

# settled: waits until no function runs any more.
settled() {
	for _ in $(seq 600); do
		[ "$(sandbox_get events | jq '[.Events[].Running] | add')" = 0 ] && return
		sleep 0.2
	done
}

kinds=$'api-call\nfinding\ncompliance'
jq -r '.Accounts[] | "\(.Id) \(.Name)"' "$fleet/accounts.json" >"$work/accounts"
printf '%s\n' us-east-1 eu-west-1 ap-northeast-1 us-west-2 me-south-1 >"$work/regions"
while read -r id name; do
	while read -r region; do
		for kind in $kinds; do
			emit "$id" "$region" "$kind"
			printf '%s (%s), %s %s\n' "$name" "$id" "$region" "$kind"
		done
	done <"$work/regions"
done <"$work/accounts" | sort >"$work/sent"
settled
sandbox_get chat | jq -r '.[].Message.text | split("\n") | (.[1] | ltrimstr("Where: ")) + " "
	+ (if .[0] | test("Security group changed") then "api-call" elif .[0] | test("GuardDuty finding") then "finding"
	   elif .[0] | test("GuardDuty is off") then "compliance" else .[0] end)' | sort >"$work/arrived"
is "each kind from each account and region arrives exactly once" "$(diff "$work/sent" "$work/arrived" | head -5)" ""
is "... ninety in all" "$(wc -l <"$work/arrived")" 90
is "... and nothing was stopped on the way" "$(sandbox_get events | jq '[.Events[].Stops[]] | length')" 0
is "... nor is the secret in what functions logged" "$(sandbox_get events | grep -c T0PSECRET)" 0

# Events that nobody asked for.
arrived=$(sandbox_get chat | jq length)
curl -sf -d '{"Account": "300000000003", "Region": "eu-west-1", "Kind": "api-call", "EventName": "RunInstances"}' \
	"$AWS_ENDPOINT_URL/_sandbox/emit" >"$work/out"
curl -sf -d '{"Account": "111111111111", "Region": "eu-west-1", "Kind": "api-call", "EventName": "RunInstances"}' \
	"$AWS_ENDPOINT_URL/_sandbox/emit" >"$work/out"
settled
is "another call arrives neither from a project nor from the security account" "$(sandbox_get chat | jq length)" "$arrived"
for call in cloudtrail:StopLogging cloudtrail:DeleteTrail guardduty:DeleteDetector config:StopConfigurationRecorder; do
	jq -n --arg source "${call%:*}.amazonaws.com" --arg name "${call#*:}" '{Account: "300000000003", Region: "us-west-2",
		Kind: "api-call", EventSource: $source, EventName: $name, RequestParameters: {name: "muster"}}' |
		curl -sf -d @- "$AWS_ENDPOINT_URL/_sandbox/emit" >"$work/out"
	settled
	like "a call that switches recording off does: $call" "$(sandbox_get chat | jq -r '.[-1].Message.text')" \
		"switched off: ${call#*:}"
done

# Calls that leave it on and see less, and those against the rules themselves, made in a project and in the security account.
for account in 300000000003 111111111111; do
	while read -r call parameters; do
		before=$(sandbox_get chat | jq length)
		jq -n --arg account "$account" --arg source "${call%:*}.amazonaws.com" --arg name "${call#*:}" \
			--argjson parameters "$parameters" '{Account: $account, Region: "eu-west-1", Kind: "api-call",
			EventSource: $source, EventName: $name, RequestParameters: $parameters}' |
			curl -sf -d @- "$AWS_ENDPOINT_URL/_sandbox/emit" >"$work/out"
		settled
		is "a call that blinds it arrives once from $account: $call $parameters" \
			"$(($(sandbox_get chat | jq length) - before)) $(sandbox_get chat | jq -r '.[-1].Message.text' | grep -c ": ${call#*:}")" "1 1"
	done <<-'END'
		cloudtrail:PutEventSelectors {"trailName": "muster"}
		guardduty:UpdateDetector {"enable": false}
		guardduty:CreateFilter {"action": "ARCHIVE"}
		config:PutConfigurationRecorder {}
		events:DisableRule {"name": "muster-guardduty-findings"}
		events:RemoveTargets {"rule": "muster-guardduty-findings"}
	END
done
before=$(sandbox_get chat | jq length)
curl -sf -d '{"Account": "300000000003", "Region": "eu-west-1", "Kind": "api-call", "EventSource": "events.amazonaws.com",
	"EventName": "DisableRule", "RequestParameters": {"name": "theirs"}}' "$AWS_ENDPOINT_URL/_sandbox/emit" >"$work/out"
settled
is "rules of others are nobody's concern" "$(sandbox_get chat | jq length)" "$before"

# without LINK STACK JQ-FILTER PATTERN: the filter takes the link away; the trace's reasons match the pattern. Then all is
# as before.
without() {
	local link=$1 file=$fleet/stacks/$2.json filter=$3 pattern=$4 before why
	cp "$file" "$work/kept.json"
	jq "$filter" "$work/kept.json" >"$file"
	fleet_commit "$fleet" "Without $link"
	run "$muster" -C "$fleet" apply --auto-approve
	[ "$status" -eq 0 ] || fail "$link is taken away" "$err" "$out"
	before=$(sandbox_get chat | jq length)
	emit 300000000003 eu-west-1 finding
	settled
	why=$(sandbox_get events | jq -r '.Events[-1] | .Stops[] | "\(.What) \(.At): \(.Why)"')
	is "without $link nothing arrives" "$(sandbox_get chat | jq length)" "$before"
	like "... and the trace names it" "$why" "$pattern"
	cp "$work/kept.json" "$file"
	fleet_commit "$fleet" "With $link"
	run "$muster" -C "$fleet" apply --auto-approve
	[ "$status" -eq 0 ] || fail "$link is put back" "$err" "$out"
}

without "the detector" recording '.Resources.Detector.Properties.Enable = false' 'GuardDuty detector is not enabled'
without "the rule that forwards" detection 'del(.Resources.FindingRule)' '300000000003:event-bus/default: no rule of the bus matches'
without "the rule's role" event-access 'del(.Resources.EventRole.Properties.Policies)' \
	"the target's role has no policy that allows the call"
without "the bus policy" notification 'del(.Resources.AccountsMaySend)' \
	'receiving bus has no policy that lets account 300000000003 put events'
without "the rule that posts" notification 'del(.Resources.FindingRule)' \
	'111111111111:event-bus/default: no rule of the bus matches'
without "the topic policy" notification 'del(.Resources.TopicPolicy.Properties.PolicyDocument.Statement[0])' \
	'topic policy does not let events.amazonaws.com publish'
without "the subscription" chat 'del(.Resources["Fn::ForEach::Topics"][2]["Subscription&{Region}"])' \
	'the topic has no subscriptions'
without "the function's permission" chat 'del(.Resources["Fn::ForEach::Topics"][2]["Permission&{Region}"])
	| del(.Resources["Fn::ForEach::Topics"][2]["Subscription&{Region}"].DependsOn)' "function's policy does not let sns.amazonaws.com invoke it"

# The chat itself is away: what could not be posted is in the queue, with the event.
kept=$MUSTER_CHAT_WEBHOOK
export MUSTER_CHAT_WEBHOOK=$AWS_ENDPOINT_URL/_sandbox/nowhere/T0PSECRET
run "$muster" -C "$fleet" apply --auto-approve
emit 300000000003 eu-west-1 finding
settled
why=$(sandbox_get events | jq -r '.Events[-1] | .Stops[] | "\(.What) \(.At): \(.Why)"')
like "when the chat refuses, the trace names the function" "$why" 'function:muster-chat.*(PostFailed|the chat answered)'
unlike "... without the URL" "$(sandbox_get events | jq -c '.Events[-1].Hops')" T0PSECRET
is "... and the event is among the dead letters" "$(sandbox_get dump | jq '[.["222222222222"]["us-east-1"].sqs | .. | strings
	| select(test("GuardDuty Finding"))] | length > 0')" true
export MUSTER_CHAT_WEBHOOK=$kept
run "$muster" -C "$fleet" apply --auto-approve
emit 300000000003 eu-west-1 finding
settled
like "with everything back, an event arrives" "$(sandbox_get chat | jq -r '.[-1].Message.text')" 'GuardDuty finding'
is "... once" "$(sandbox_get events | jq '.Events[-1].Delivered')" 1
done_testing
