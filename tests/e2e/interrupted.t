#!/bin/bash
# Runs that are cut off, answers that are lost, services that are slow: nothing is made twice and nothing forgotten.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
stack things <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["*"] },
  "Resources": {
    "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": "1" } },
    "Policy": { "Type": "AWS::SNS::TopicPolicy", "Properties": { "Topics": [{ "Ref": "Topic" }], "PolicyDocument": {
      "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Principal": { "AWS": { "Ref": "AWS::AccountId" } },
        "Action": "sns:Publish", "Resource": { "Ref": "Topic" } }] } } },
    "Detector": { "Type": "AWS::GuardDuty::Detector", "Properties": { "Enable": true } },
    "Key": { "Type": "AWS::KMS::Key", "Properties": { "Description": "1", "KeyPolicy": { "Version": "2012-10-17", "Statement": [{
      "Effect": "Allow", "Principal": { "AWS": { "Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root" } }, "Action": "kms:*", "Resource": "*" }] } } },
    "Log": { "Type": "AWS::Logs::LogGroup", "Properties": { "RetentionInDays": 7 } } } }
JSON
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"

# held: what the sandbox has of these types, as "account region id"; keys that are about to be deleted do not count.
held() {
	sandbox_get dump | jq -r '
		to_entries[] | .key as $a | .value | to_entries[] | .key as $r | .value |
		((.sns.Topics // {} | keys[]), (.guardduty.Detectors // {} | keys[]), (.logs.LogGroups // .logs.Groups // {} | keys[]),
		 (.kms.Keys // {} | to_entries[] | select(.value | has("DeletionMs") | not) | .key))
		| "\($a) \($r) \(.)"' | sort
}
# recorded: the same out of the state.
recorded() {
	local address
	for address in $("$muster" -C "$specs" state list | grep -v /Policy$); do
		"$muster" -C "$specs" state show "$address" | jq -r '"\(.AccountId) \(.Address | split("/")[1]) \(
			.Attributes.TopicName // .Attributes.KeyId // .Attributes.Id // .Properties.LogGroupName)"'
	done | sort
}
# settled NAME: an apply that nobody disturbs ends well, and then the state knows exactly what there is.
settled() {
	muster apply --auto-approve
	if [ "$status" -ne 0 ]; then
		fail "$1" "status $status" "$out" "$err"
		return
	fi
	is "$1" "$(diff <(held) <(recorded))" ""
	muster plan --detailed-exitcode
	is "... and a plan is quiet" "$status" 0
}

# -- Killed --
sandbox_post config '{"LatencyMs": 50}'
RANDOM=${SEED:-20}
cut=0
for round in $(seq 10); do
	# Changed in place, replaced, taken away, and made again as it goes.
	case $((round % 5)) in
	1) edit stacks/things.json ".Resources.Topic.Properties.DisplayName = \"$round\"" ;;
	2) edit stacks/things.json ".Resources.Key.Properties.Description = \"$round\" | .Resources.Log.Properties.RetentionInDays = 14" ;;
	3) edit stacks/things.json ".Resources.Topic.Properties.TopicName = \"fixed-$round\"" ;;
	4) edit stacks/things.json 'del(.Resources.Topic.Properties.TopicName)' ;;
	0) edit stacks/things.json '.Targets.Regions = (if .Targets.Regions == ["*"] then ["home"] else ["*"] end)' ;;
	esac
	commit_before "$specs"
	"$muster" -C "$specs" apply --auto-approve >"$work/out" 2>"$work/err" &
	pid=$!
	sleep "0.$(printf %03d $((150 + RANDOM % 650)))"
	kill -9 $pid 2>/dev/null && cut=$((cut + 1))
	wait $pid 2>/dev/null
done
sandbox_post config '{"LatencyMs": 0}'
at_most "killed at ten moments, some at least before the end" 3 "$cut"
edit stacks/things.json '.Targets.Regions = ["*"]'
settled "... the state knows exactly what there is"
is "... as many as there should be" "$(held | wc -l)" 16

# A run that was cut off is reported by plan, which does nothing about it, and settled by the next apply.
sandbox_post config '{"LatencyMs": 400}'
edit stacks/things.json '.Resources.Topic.Properties.DisplayName = "cut"'
sets=$(sandbox_calls '.Operation["sns:SetTopicAttributes"]')
commit_before "$specs"
"$muster" -C "$specs" apply --auto-approve >"$work/out" 2>"$work/err" &
pid=$!
for _ in $(seq 200); do
	[ "$(sandbox_calls '.Operation["sns:SetTopicAttributes"]')" -gt "$sets" ] && break
	sleep 0.02
done
kill -9 $pid
wait $pid 2>/dev/null
sandbox_post config '{"LatencyMs": 0}'
muster plan
like "plan says what was left open" "$out" 'Left open by a run that was cut off'
like "... where" "$out" 'things/Topic'
run "$muster" -C "$specs" apply --auto-approve --json
like "apply settles it first, and says so" "$(jq -c 'select(.type == "recovered") | .address' <<<"$out")" 'things/Topic'
muster plan
unlike "... once" "$out" 'cut off'

# -- Ctrl-C --
# interrupt TIMES: an apply of something new in all targets, so often told to stop; sets status, out, err.
interrupt() {
	local i
	sandbox_post config '{"LatencyMs": 300}'
	commit_before "$specs"
	"$muster" -C "$specs" apply --auto-approve --parallelism 2 >"$work/out" 2>"$work/err" &
	pid=$!
	for _ in $(seq 200); do
		[ "$(sandbox_calls '.Operation["logs:CreateLogGroup"] // 0')" -gt "$groups" ] && break
		sleep 0.02
	done
	for i in $(seq "$1"); do
		[ "$i" -gt 1 ] && sleep 0.05
		kill -INT $pid
	done
	wait $pid
	status=$?
	out=$(<"$work/out")
	err=$(<"$work/err")
	sandbox_post config '{"LatencyMs": 0}'
}
# Background jobs of a script ignore SIGINT unless it has job control.
set -m
groups=$(sandbox_calls '.Operation["logs:CreateLogGroup"]')
edit stacks/things.json '.Resources.Log2 = .Resources.Log | .Resources.Log3 = .Resources.Log'
interrupt 1
is "interrupted once, it fails" "$status" 1
like "... says what was not started" "$out" 'not started'
like "... and that it was interrupted" "$out$err" '[Ii]nterrupt'
is "... what was under way is recorded" "$(diff <(held) <(recorded))" ""
muster plan
unlike "... and nothing is left open" "$out" 'cut off'
groups=$(sandbox_calls '.Operation["logs:CreateLogGroup"]')
interrupt 2
is "interrupted twice, it stops at once" "$status" 1
muster plan
like "... and says what it left open" "$out" 'cut off'
settled "... which the next run finds"
is "... all of it is there" "$(held | wc -l)" 24
set +m

# -- Lost answers --
edit stacks/things.json 'del(.Resources.Log2, .Resources.Log3) | .Resources.Topic2 = {Type: "AWS::SNS::Topic"}
	| .Resources.Key2 = .Resources.Key | .Resources.Log4 = .Resources.Log'
sandbox_post fault '{"Faults": ["operation=Create*,action=lost-answer,every=2", "operation=Delete*,action=lost-answer,every=3"]}'
muster apply --auto-approve
muster apply --auto-approve
sandbox_post fault '{"Clear": true}'
settled "answers are lost: nothing is made twice, nothing forgotten"
is "... all of it is there" "$(held | wc -l)" 28
edit stacks/things.json '.Resources.Topic2.Properties.DisplayName = "2" | .Resources.Log4.Properties.RetentionInDays = 30'
sandbox_post fault '{"Faults": ["operation=[SP]*,action=drop,every=2", "operation=Set*,action=drop,every=2", "operation=Put*,action=lost-answer,every=2"]}'
muster apply --auto-approve
is "connections break during updates: they are made again" "$status" 0
sandbox_post fault '{"Clear": true}'
settled "... and all is as it should be"

# -- Throttling --
edit stacks/things.json '.Resources += ([range(6) | {key: "More\(.)", value: {Type: "AWS::SNS::Topic"}}] | from_entries)'
sandbox_post config '{"Rate": 10}'
run "$muster" -C "$specs" apply --auto-approve --json
is "throttling is no failure" "$status $(jq -s '.[-1] | .failed + .skipped' <<<"$out")" "0 0"
like "... it happened" "$(sandbox_calls .Throttled)$(sandbox_get stats)" '[Tt]hrottl'
sandbox_post config '{"Rate": 0}'
settled "... and all is there"
muster apply --destroy --auto-approve
is "all of it goes" "$status $(held)" "0 "

# -- Read-after-write lag --
stack things <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["home"] },
  "Resources": {
    "Role": { "Type": "AWS::IAM::Role", "Properties": { "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [{
      "Effect": "Allow", "Principal": { "Service": "config.amazonaws.com" }, "Action": "sts:AssumeRole" }] },
      "ManagedPolicyArns": ["arn:aws:iam::aws:policy/service-role/AWS_ConfigRole"] } },
    "Recorder": { "Type": "AWS::Config::ConfigurationRecorder", "Properties": { "RoleARN": { "Fn::GetAtt": ["Role", "Arn"] },
      "Muster::Recording": false } },
    "Bucket": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": { "Fn::Sub": "trail-${AWS::AccountId}" } } },
    "BucketPolicy": { "Type": "AWS::S3::BucketPolicy", "Properties": { "Bucket": { "Ref": "Bucket" }, "PolicyDocument": {
      "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "Service": "cloudtrail.amazonaws.com" }, "Action": "s3:GetBucketAcl", "Resource": { "Fn::GetAtt": ["Bucket", "Arn"] } },
        { "Effect": "Allow", "Principal": { "Service": "cloudtrail.amazonaws.com" }, "Action": "s3:PutObject", "Resource": { "Fn::Sub": "${Bucket.Arn}/*" } }] } } },
    "Trail": { "Type": "AWS::CloudTrail::Trail", "DependsOn": "BucketPolicy", "Properties": { "IsLogging": true, "S3BucketName": { "Ref": "Bucket" } } } } }
JSON
sandbox_post config '{"LagMs": 1500}'
run "$muster" -C "$specs" apply --auto-approve --json
is "roles and policies that are seen late are waited for" "$status $(jq -s '.[-1].done' <<<"$out")" "0 10"
muster plan --detailed-exitcode
is "... and quiet afterwards" "$status" 0
sandbox_post config '{"LagMs": 0}'

# -- Sessions that expire --
edit stacks/things.json '.Resources += ([range(8) | {key: "T\(.)", value: ({Type: "AWS::SNS::Topic"} + if . > 0 then {DependsOn: "T\(. - 1)"} else {} end)}] | from_entries)'
sandbox_post config '{"SessionSeconds": 2, "LatencyMs": 200}'
run "$muster" -C "$specs" apply --auto-approve --json
is "sessions that expire in the middle are renewed" "$status $(jq -s '.[-1].done' <<<"$out")" "0 16"
sandbox_post config '{"SessionSeconds": 0, "LatencyMs": 0}'
muster apply --destroy --auto-approve
is "and all of it goes" "$status $("$muster" -C "$specs" state list)" "0 "
done_testing
