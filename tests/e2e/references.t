#!/bin/bash
# What refers to what: across accounts and regions, to values that nobody knows yet, and what a failure skips.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"
# clear: an empty fleet
clear_all() {
	muster apply --destroy --auto-approve
	rm -rf "$specs"/stacks/* "$specs/.muster"
	curl -sf -X POST "$AWS_ENDPOINT_URL/_sandbox/reset" >"$work/answer"
}
# display ACCOUNT-ID REGION NAME: a topic's display name
display() {
	sandbox_get dump | jq -r --arg a "$1" --arg r "$2" --arg n "$3" '.[$a][$r].sns.Topics[$n].Attributes.DisplayName'
}
# order: addresses in the order in which apply --json said that they were done
order() {
	jq -rs '[.[] | select(.type == "finished" and .status == "done") | .address] | join(" ")' <<<"$out"
}
# before NAME FIRST SECOND: in the order of the last apply
before() {
	local all
	all=" $(order) "
	case $all in *" $2 "*" $3 "*) pass "$1" ;; *) fail "$1" "order: $all" ;; esac
}

# -- Across accounts and regions --
stack source <<'JSON'
{ "Targets": { "Accounts": ["security"], "Regions": ["*"] },
  "Resources": { "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": "source" } },
    "Detector": { "Type": "AWS::GuardDuty::Detector", "Properties": { "Enable": true } } },
  "Outputs": { "Name": { "Value": { "Fn::GetAtt": ["Topic", "TopicName"] } }, "Detector": { "Value": { "Ref": "Detector" } } } }
JSON
stack sink <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["*"] },
  "Resources": {
    "Own": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "own",
      "DisplayName": { "Fn::GetStackOutput": { "StackName": "source", "OutputName": "Name" } } } },
    "Said": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "said",
      "DisplayName": { "Fn::GetStackOutput": { "StackName": "source", "OutputName": "Name", "Account": "security", "Region": "us-east-1" } } } },
    "Later": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "later",
      "DisplayName": { "Fn::GetStackOutput": { "StackName": "source", "OutputName": "Detector" } } } } } }
JSON
muster plan --out "$work/plan.json"
is "references across accounts and regions are planned" "$status" 0
like "... what follows from names is known" "$out" '\+ DisplayName: "source-Topic-'
like "... what the service picks is not" "$out" '\+ DisplayName: \(known after apply: [A-Za-z]+ of '
is "... and marked so for those who read Terraform's plans" \
	"$(planned "$work/plan.json" '.change.after_unknown.DisplayName == true' | wc -w)" 4
run "$muster" -C "$specs" apply --json "$work/plan.json"
is "... applied" "$status" 0
before "... the source first" security/eu-west-1/source/Detector app/eu-west-1/sink/Later
before "... in the region that is named" security/us-east-1/source/Topic web/eu-west-1/sink/Said
name=$("$muster" -C "$specs" state show security/us-east-1/source/Topic | jq -r .Attributes.TopicName)
is "a left-out region is the referrer's own" "$(display $app us-east-1 own)" "$name"
is "a region that is named is that one" "$(display $app eu-west-1 said)" "$name"
is "an unknown value is the one that came" "$(display $web us-east-1 later)" \
	"$("$muster" -C "$specs" state show security/us-east-1/source/Detector | jq -r .Attributes.Id)"
muster plan --detailed-exitcode
is "... and quiet afterwards" "$status" 0
muster plan --detailed-exitcode --no-refresh
is "... also without a refresh" "$status" 0

# What changes upstream changes downstream, in one apply.
edit stacks/source.json '.Resources.Topic.Properties.FifoTopic = false | .Resources.Topic.Properties.TopicName = "renamed"'
muster plan --out "$work/plan.json"
is "a change of the source reaches those who refer to it" \
	"$(planned "$work/plan.json" '.change.actions == ["update"]')" \
	"app/eu-west-1/sink/Own app/eu-west-1/sink/Said app/us-east-1/sink/Own app/us-east-1/sink/Said web/eu-west-1/sink/Own web/eu-west-1/sink/Said web/us-east-1/sink/Own web/us-east-1/sink/Said"
run "$muster" -C "$specs" apply --json "$work/plan.json"
is "... in one apply" "$status $(display $web us-east-1 own)" "0 renamed"
muster plan --detailed-exitcode
is "... and quiet afterwards" "$status" 0

# -- Replacement --
edit stacks/source.json 'del(.Resources.Topic.Properties.TopicName)'
muster apply --auto-approve
is "a generated name again" "$status" 0
old=$("$muster" -C "$specs" state show security/eu-west-1/source/Topic | jq -r .Attributes.TopicName)
edit stacks/source.json '.Resources.Topic.Properties.FifoTopic = true'
muster plan --out "$work/plan.json"
like "with a generated name the new one comes first" "$out" '^\+/- replace source/Topic'
is "... in Terraform's words" "$(planned "$work/plan.json" '.change.actions == ["create", "delete"]')" \
	"security/eu-west-1/source/Topic security/us-east-1/source/Topic"
edit stacks/source.json 'del(.Resources.Topic.Properties.FifoTopic) | .Resources.Topic.Properties.TopicName = "fixed"'
muster apply --auto-approve
edit stacks/source.json 'del(.Resources.Topic.Properties.TopicName)'
run "$muster" -C "$specs" apply --auto-approve --json
new=$("$muster" -C "$specs" state show security/eu-west-1/source/Topic | jq -r .Attributes.TopicName)
is "each replacement has another name" "$status $([ "$new" != "$old" ] && echo other)" "0 other"
is "... those who refer to it follow" "$(display $app eu-west-1 own)" "$new"
is "... the old one is gone" "$(topics | grep -cE "/(fixed|$old)$")" 0
muster plan --detailed-exitcode
is "... and quiet afterwards" "$status" 0
clear_all
stack queue <<'JSON'
{ "Targets": { "Accounts": ["app"], "Regions": ["home"] },
  "Resources": {
    "Queue": { "Type": "AWS::SQS::Queue", "Properties": { "QueueName": "jobs.fifo", "FifoQueue": true } },
    "Role": { "Type": "AWS::IAM::Role", "Properties": { "RoleName": "worker", "Path": "/a/",
      "Description": { "Fn::GetAtt": ["Queue", "Arn"] },
      "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "Service": "lambda.amazonaws.com" } }] } } },
    "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": { "Fn::GetAtt": ["Role", "RoleId"] } } } } }
JSON
muster apply --auto-approve
is "a role with a fixed name" "$status" 0
edit stacks/queue.json '.Resources.Role.Properties.Path = "/b/"'
muster plan --out "$work/plan.json"
like "with an explicit name that stays the old one goes first" "$out" '^-/\+ replace queue/Role'
like "... and the plan says so" "$out" 'first'
is "... in Terraform's words" "$(planned "$work/plan.json" '.change.actions == ["delete", "create"]')" app/eu-west-1/queue/Role
like "... what depends on its new id may change" "$out" '~ DisplayName: .*known after apply'
is "... what forces it is named" "$(jq -c '[.resource_changes[].change.replace_paths // empty]' "$work/plan.json")" '[[["Path"]]]'
muster apply "$work/plan.json"
is "... and so it is done" "$status" 0
is "... under the same name" "$(sandbox_get dump | grep -c 'role/b/worker')" 1
muster plan --detailed-exitcode
is "... and quiet afterwards" "$status" 0
clear_all

# -- One physical identity --
stack a <<'JSON'
{ "Targets": { "Accounts": ["app"], "Regions": ["*"] },
  "Resources": { "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "same" } },
    "Role": { "Type": "AWS::IAM::Role", "Properties": { "RoleName": "same", "AssumeRolePolicyDocument": {} } } } }
JSON
cp "$specs/stacks/a.json" "$specs/stacks/b.json"
edit stacks/b.json 'del(.Resources.Role)'
muster plan
is "two addresses with one physical identity are refused" "$status" 1
like "... two stacks with one topic" "$err" '^stacks/b.json:.*app/eu-west-1/b/Topic.* is the same AWS::SNS::Topic in AWS'
like "... two regions with one role" "$err" '^stacks/a.json:.*app/us-east-1/a/Role is the same AWS::IAM::Role in AWS'
rm "$specs"/stacks/*

# -- Blocked --
edit accounts.json '.Accounts[2].Regions = {Include: ["us-east-1"]}'
stack source <<'JSON'
{ "Targets": { "Accounts": ["web"], "Regions": ["*"] },
  "Resources": { "Topic": { "Type": "AWS::SNS::Topic" } }, "Outputs": { "Arn": { "Value": { "Ref": "Topic" } } } }
JSON
stack sink <<'JSON'
{ "Targets": { "Accounts": ["app"], "Regions": ["*"] },
  "Resources": {
    "Free": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "free" } },
    "Bound": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "bound", "DisplayName": { "Fn::Select": [3, { "Fn::Split": [":",
      { "Fn::GetStackOutput": { "StackName": "source", "OutputName": "Arn", "Account": "web", "Region": { "Ref": "AWS::Region" } } }] }] } } },
    "After": { "Type": "AWS::SNS::Topic", "DependsOn": "Bound", "Properties": { "TopicName": "after" } } } }
JSON
muster plan --out "$work/plan.json"
is "a reference to a target that is not there does not stop the plan" "$status" 0
like "... it is blocked, and named" "$out" 'app/eu-west-1: sink/Bound: '
like "... with what needs it" "$out" 'app/eu-west-1: sink/After: '
is "... the rest is planned" "$(planned "$work/plan.json" true)" \
	"app/eu-west-1/sink/Free app/us-east-1/sink/After app/us-east-1/sink/Bound app/us-east-1/sink/Free web/us-east-1/source/Topic"
muster apply "$work/plan.json"
is "... and done, with an exit status that tells" "$status $(topics | grep -c .)" "1 5"
edit accounts.json 'del(.Accounts[2].Regions)'
muster apply --auto-approve
is "when the target is there, so is the rest" "$status $(topics | grep -c .)" "0 8"
edit accounts.json '.Accounts[2].Regions = {Include: ["us-east-1"]}'
edit stacks/sink.json '.Resources.Bound.Properties.Tags = [{Key: "a", Value: "b"}]'
muster plan --out "$work/plan.json"
is "a blocked resource that is there stays unchanged" \
	"$(planned "$work/plan.json" '(.address | test("Bound")) and .change.actions != ["no-op"]')" app/us-east-1/sink/Bound
clear_all
edit accounts.json 'del(.Accounts[2].Regions)'

# -- --only --
stack a <<'JSON'
{ "Targets": { "Accounts": ["app"], "Regions": ["home"] },
  "Resources": { "Base": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "base" } },
    "User": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "user", "DisplayName": { "Fn::GetAtt": ["Base", "TopicName"] } } } } }
JSON
stack b <<'JSON'
{ "Targets": { "Accounts": ["app"], "Regions": ["home"] }, "DependsOn": ["a"],
  "Resources": { "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "b" } } } }
JSON
muster plan --only '*/User'
is "--only pulls in nothing: what needs something unapplied is refused" "$status" 1
like "... with both" "$err" 'app/eu-west-1/a/User needs app/eu-west-1/a/Base, which is not applied yet'
muster plan --only '*/b/*'
is "... also over a stack's DependsOn" "$status" 1
muster apply --auto-approve --only '*/Base'
is "what needs nothing is applied" "$status $(topics)" "0 $app/eu-west-1/base"
muster apply --auto-approve --only '*/User'
is "... and then what needs it" "$status $(topics | wc -l)" "0 2"
edit stacks/a.json '.Resources.Base.Properties.DisplayName = "new" | .Resources.User.Properties.Tags = [{Key: "a", Value: "b"}]'
muster plan --out "$work/plan.json" --only '*/User'
is "an update that is left out stands in nobody's way" "$status $(planned "$work/plan.json" true)" "0 app/eu-west-1/a/User"
muster plan --only '*/Nothing' --detailed-exitcode
unlike "a glob that matches nothing is not silently quiet" "$status$err$out" '^0No changes\. [0-9]'
clear_all

# -- A failure skips along the edges, and nothing else --
stack base <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["*"] },
  "Resources": { "Bad": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "base" } },
    "Beside": { "Type": "AWS::SQS::Queue", "Properties": { "QueueName": "beside" } } },
  "Outputs": { "Arn": { "Value": { "Ref": "Bad" } } } }
JSON
stack user <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["*"] },
  "Resources": { "User": { "Type": "AWS::SQS::Queue", "Properties": { "QueueName": "user", "Tags": [{ "Key": "arn", "Value":
    { "Fn::GetStackOutput": { "StackName": "base", "OutputName": "Arn" } } }] } },
    "Free": { "Type": "AWS::SQS::Queue", "Properties": { "QueueName": "free" } } } }
JSON
stack after <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["*"] }, "DependsOn": ["base"],
  "Resources": { "Queue": { "Type": "AWS::SQS::Queue", "Properties": { "QueueName": "after" } } } }
JSON
stack apart <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["*"] },
  "Resources": { "Queue": { "Type": "AWS::SQS::Queue", "Properties": { "QueueName": "apart" } } } }
JSON
sandbox_post fault '{"Faults": ["service=sns,operation=CreateTopic,account=222222222222,region=us-east-1,code=KMSOptInRequired,status=403,message=broken here"]}'
run "$muster" -C "$specs" apply --auto-approve --json
is "one topic of four fails" "$status $(jq -rs '[.[] | select(.status == "failed") | .address] | join(" ")' <<<"$out")" \
	"1 app/us-east-1/base/Bad"
is "... what waits for it in the same target is skipped" "$(jq -rs '[.[] | select(.status == "skipped") | .address] | sort | join(" ")' <<<"$out")" \
	"app/us-east-1/after/Queue app/us-east-1/user/User"
is "... the rest is done" "$(jq -s '.[-1].done' <<<"$out")" 21
is "... the summary says which" "$(jq -sc '.[-1].failures[0] | [.operation, .code, .count, .skipped]' <<<"$out")" \
	'["sns:CreateTopic","KMSOptInRequired",1,2]'
sandbox_post fault '{"Clear": true}'
run "$muster" -C "$specs" apply --auto-approve --json
is "the next apply does what is left" "$status $(jq -s '.[-1].done' <<<"$out")" "0 3"
before "DependsOn of a stack waits for the same target" app/us-east-1/base/Bad app/us-east-1/after/Queue

# The most specific match: the same account, else all.
cp "$specs"/stacks/{base,after}.json "$work"
clear_all
mv "$work"/{base,after}.json "$specs/stacks"
edit stacks/base.json '.Targets = {Accounts: ["security", "app"], Regions: ["us-east-1"]}'
edit stacks/after.json '.Targets = {Accounts: ["tag:project"], Regions: ["home"]}'
sandbox_post fault '{"Faults": ["service=sns,operation=CreateTopic,account=111111111111,code=KMSOptInRequired,status=403,message=broken here"]}'
run "$muster" -C "$specs" apply --auto-approve --json
is "DependsOn without the same target waits for the same account, else for all" \
	"$(jq -rs '[.[] | select(.status == "skipped") | .address] | join(" ")' <<<"$out")" web/eu-west-1/after/Queue
sandbox_post fault '{"Clear": true}'
muster apply --auto-approve
is "... and then all is done" "$status" 0

# -- Cycles --
stack after <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["home"] }, "DependsOn": ["base"],
  "Resources": { "Queue": { "Type": "AWS::SQS::Queue" } }, "Outputs": { "Name": { "Value": { "Fn::GetAtt": ["Queue", "QueueName"] } } } }
JSON
edit stacks/base.json '.DependsOn = ["after"]'
muster validate
is "stacks that wait for each other are refused" "$status" 1
like "... with the circle" "$err" 'base.*after.*base|after.*base.*after'

# -- Names, conditions and loops must be known --
stack after <<'JSON'
{ "Targets": { "Accounts": ["app"], "Regions": ["home"] },
  "Resources": { "Detector": { "Type": "AWS::GuardDuty::Detector", "Properties": { "Enable": true } },
    "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": { "Ref": "Detector" } } } } }
JSON
edit stacks/base.json 'del(.DependsOn)'
muster plan
is "a name that is not known yet is refused" "$status" 1
like "... with its place" "$err" '^stacks/after.json:3:[0-9]+: Resources.Topic.*must be known when planning'
done_testing
