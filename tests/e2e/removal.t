#!/bin/bash
# What is recorded and no longer wanted, or no longer to be seen: deleted, kept, or left in AWS, and never silently.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"

# topic_stack NAME ACCOUNTS REGIONS [JQ-FILTER-OVER-THE-RESOURCE]: one topic called as the stack.
topic_stack() {
	jq -n --arg name "$1" --argjson accounts "$2" --argjson regions "$3" '{
		Targets: {Accounts: $accounts, Regions: $regions},
		Resources: {Topic: ({Type: "AWS::SNS::Topic", Properties: {TopicName: $name, DisplayName: "ours"}} | '"${4:-.}"')},
		Outputs: {Arn: {Value: {Ref: "Topic"}}}
	}' >"$specs/stacks/$1.json"
}
recorded() {
	"$muster" -C "$specs" state list | tr '\n' ' '
}
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"

topic_stack one '["tag:project"]' '["*"]'
topic_stack kept '["tag:project"]' '["home"]' '.DeletionPolicy = "Retain"'
topic_stack safe '["app"]' '["home"]' '.Protect = true'
muster apply --auto-approve
is "a fleet to take things from" "$status $(topics | wc -l)" "0 7"

# -- Deleted or changed behind muster's back --
outsider $app us-east-1 sns Action=DeleteTopic TopicArn=arn:aws:sns:us-east-1:$app:one >"$work/answer"
outsider $web us-east-1 sns Action=SetTopicAttributes TopicArn=arn:aws:sns:us-east-1:$web:one \
	AttributeName=DisplayName AttributeValue=theirs >"$work/answer"
muster plan --no-refresh --detailed-exitcode
is "without a refresh nobody knows" "$status" 0
muster plan --detailed-exitcode
is "what was changed behind muster's back is planned" "$status" 2
like "... what is gone as create" "$out" '^\+ create one/Topic'
like "... saying why" "$out" 'it is gone from AWS'
like "... what differs as update, to what the spec says" "$out" '~ DisplayName: "theirs" -> "ours"'
like "... saying why" "$out" "AWS has other values than were recorded"
muster apply --auto-approve
is "... and put back" "$status $(topics | wc -l)" "0 7"
like "... the change, too" "$(outsider $web us-east-1 sns Action=GetTopicAttributes TopicArn=arn:aws:sns:us-east-1:$web:one)" \
	'<value>ours</value>'
muster plan --detailed-exitcode
is "... and quiet afterwards" "$status" 0

# -- A property leaves the spec --
edit stacks/one.json '.Resources.Topic.Properties.Tags = [{Key: "a", Value: "1"}]'
muster apply --auto-approve
outsider $app us-east-1 sns Action=TagResource ResourceArn=arn:aws:sns:us-east-1:$app:one \
	Tags.member.1.Key=theirs Tags.member.1.Value=2 >"$work/answer"
edit stacks/one.json 'del(.Resources.Topic.Properties.DisplayName, .Resources.Topic.Properties.Tags)'
muster plan
like "a property that leaves the spec is taken away" "$out" '- DisplayName: "ours"'
muster apply --auto-approve
is "... in AWS as well" "$status $(sandbox_get dump | grep -c '"DisplayName": "ours"')" "0 3"
muster plan --detailed-exitcode
is "... and quiet afterwards" "$status" 0

# -- A region leaves a selector --
topic_stack one '["tag:project"]' '["home"]'
muster plan --out "$work/plan.json"
is "a region that leaves a selector: what was there is deleted" \
	"$(planned "$work/plan.json" '.change.actions == ["delete"]')" "app/us-east-1/one/Topic web/us-east-1/one/Topic"
like "... and why" "$out" 'no longer in the specs'
muster apply "$work/plan.json"
is "... and so it is" "$status $(topics | grep -c us-east-1)" "0 0"

# -- A stack goes; Retain --
rm "$specs/stacks/kept.json"
muster plan --out "$work/plan.json"
is "Retain: nothing is deleted when the stack goes" "$(planned "$work/plan.json" '.change.actions == ["delete"]')" ""
like "... it is said to be left" "$out" 'kept/Topic: left in AWS: its DeletionPolicy is Retain'
muster apply "$work/plan.json"
is "... the records go, the topics stay" "$status $(recorded)$(topics | grep -c kept)" \
	"0 app/eu-west-1/one/Topic app/eu-west-1/safe/Topic web/eu-west-1/one/Topic 2"

# -- Protect --
rm "$specs/stacks/safe.json"
muster plan
is "Protect: a plan that would delete is refused" "$status" 1
like "... with the way out" "$err" 'app/eu-west-1/safe/Topic would be deleted, but it is protected; apply it with "Protect": false first'
topic_stack safe '["app"]' '["home"]' '.Protect = true | .Properties.TopicName = "safer"'
muster plan
is "... and one that would replace" "$status" 1
like "... with the way out" "$err" 'safe/Topic would be replaced, but it is protected; take "Protect" off'
topic_stack safe '["app"]' '["home"]' '.Properties.TopicName = "safer"'
muster apply --auto-approve
is "... also when Protect goes together with the reason to replace" "$status" 1
muster plan --destroy
is "... and --destroy" "$status" 1
topic_stack safe '["app"]' '["home"]' '.Protect = true | .Properties.DisplayName = "new"'
muster apply --auto-approve
is "a protected one can be updated" "$status $(grep -c '1 updated' <<<"$out")" "0 1"
topic_stack safe '["app"]' '["home"]' '.Properties.DisplayName = "new"'
muster plan --out "$work/plan.json"
like "lifting Protect is an apply of its own" "$out" 'only the record changes, nothing in AWS'
like "... shown as what it is" "$out" '~ Protect: true -> false'
like "... and what it allows" "$out" 'Protect is lifted: the next generation may delete or replace it'
muster apply "$work/plan.json"
is "... that changes nothing in AWS" "$status $(sandbox_get dump | grep -c '"DisplayName": "new"')" "0 1"
rm "$specs/stacks/safe.json"
muster apply --auto-approve
is "... after which it may go" "$status $(topics | grep -c safe)" "0 0"
topic_stack safe '["app"]' '["home"]'
muster apply --auto-approve
topic_stack safe '["app"]' '["home"]' '.Protect = true | .Properties.TopicName = "safer"'
muster plan
is "Protect holds in the plan that brings it" "$status" 1
rm "$specs/stacks/safe.json"
muster apply --auto-approve

# -- UpdateReplacePolicy --
topic_stack moved '["app"]' '["home"]' '.UpdateReplacePolicy = "Retain"'
muster apply --auto-approve
topic_stack moved '["app"]' '["home"]' '.UpdateReplacePolicy = "Retain" | .Properties.TopicName = "elsewhere"'
muster plan
like "UpdateReplacePolicy: Retain is said" "$out" 'left in AWS|stays|kept'
muster apply --auto-approve
is "... the old one is left in AWS" "$status $(topics | grep -cE 'moved|elsewhere')" "0 2"
topic_stack moved '["app"]' '["home"]' '.Properties.TopicName = "third"'
muster apply --auto-approve
is "without it the old one goes" "$status $(topics | grep -cE 'elsewhere|third')" "0 1"
rm "$specs/stacks/moved.json"
muster apply --auto-approve

# -- An account that cannot be entered --
# entry ACTION TRUSTED-ACCOUNT: the role by which web is entered here.
entry() {
	outsider $web us-east-1 iam "Action=$1" RoleName=entry Version=2010-05-08 "$2={\"Version\": \"2012-10-17\",
		\"Statement\": [{\"Effect\": \"Allow\", \"Principal\": {\"AWS\": \"$3\"}, \"Action\": \"sts:AssumeRole\"}]}" >"$work/answer"
}
entry CreateRole AssumeRolePolicyDocument $security
outsider $web us-east-1 iam Action=AttachRolePolicy RoleName=entry Version=2010-05-08 \
	PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess >"$work/answer"
edit accounts.json '.Accounts[2].Access.Role = "arn:aws:iam::333333333333:role/entry"'
muster plan --detailed-exitcode
is "an account may have a way in of its own" "$status" 0
entry UpdateAssumeRolePolicy PolicyDocument 999999999998
rm "$specs/stacks/one.json"
topic_stack two '["app"]' '["home"]'
muster plan --out "$work/plan.json"
is "an account that cannot be entered does not stop the plan" "$status" 0
is "... nothing is planned there" "$(planned "$work/plan.json" '.address | startswith("web/")')" ""
like "... it is named" "$out" 'web.*not authorized to perform: sts:AssumeRole'
muster apply "$work/plan.json"
is "... its records stay, and the exit status says so" "$status $(recorded)" \
	"1 app/eu-west-1/two/Topic web/eu-west-1/one/Topic "
entry UpdateAssumeRolePolicy PolicyDocument $security
muster apply --auto-approve
is "... and go once it can be entered" "$status $(recorded)" "0 app/eu-west-1/two/Topic "

# A service that cannot be asked is not an empty one.
sandbox_post fault '{"Faults": ["service=sns,operation=GetTopicAttributes,code=AuthorizationError,status=403,message=not today"]}'
muster plan --out "$work/plan.json"
is "a service that refuses to be read is no absence" "$status $(planned "$work/plan.json" true)" "0 "
like "... it is named" "$out" 'app/eu-west-1.*not today'
sandbox_post fault '{"Clear": true}'

# Regions cannot be found out: the remembered ones are used.
sandbox_post fault '{"Faults": ["service=ec2,operation=DescribeRegions,account=222222222222,code=UnauthorizedOperation,status=403,message=no regions"]}'
topic_stack two '["app"]' '["*"]'
muster plan
like "regions that cannot be asked for are the remembered ones" "$out" '1 to create'
like "... and the plan says so" "$out" 'Regions could not be asked for: the remembered ones are used'
sandbox_post fault '{"Clear": true}'

# -- A region is switched off --
muster apply --auto-approve
is "two regions" "$status $(recorded)" "0 app/eu-west-1/two/Topic app/us-east-1/two/Topic "
sandbox_stop
jq '.Regions["222222222222"] = {Enabled: ["eu-west-1"]}' "$work/sandbox.json" >"$work/one-region.json"
sandbox_start "$specs/accounts.json" --config "$work/one-region.json"
outsider $app eu-west-1 sns Action=CreateTopic Name=two Attributes.entry.1.key=DisplayName \
	Attributes.entry.1.value=ours >"$work/answer"
muster plan --out "$work/plan.json"
is "a region that is switched off: nothing is planned there" "$status $(planned "$work/plan.json" true)" "0 "
like "... it is named" "$out" 'us-east-1.*not enabled'
muster apply --auto-approve
is "... the record stays" "$(recorded)" "app/eu-west-1/two/Topic app/us-east-1/two/Topic "
rm "$specs/stacks/two.json"
muster apply --auto-approve
is "... also when the spec has gone, as long as the region is off" "$(recorded)" "app/us-east-1/two/Topic "
sandbox_stop
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"
muster apply --auto-approve
is "the region is back, the topic is not: the record goes" "$status $(recorded)" "0 "

# -- An account leaves the roster --
edit accounts.json 'del(.Accounts[2].Access)'
topic_stack one '["tag:project"]' '["*"]'
muster apply --auto-approve
edit accounts.json '.Accounts |= map(select(.Name != "web"))'
muster plan --out "$work/plan.json"
is "an account that leaves the roster: what was there is deleted" \
	"$status $(planned "$work/plan.json" '.change.actions == ["delete"]')" "0 web/eu-west-1/one/Topic web/us-east-1/one/Topic"
muster apply "$work/plan.json"
is "... by the access that it had" "$status $(topics | grep -c $web)" "0 0"
muster plan --detailed-exitcode
is "... and quiet afterwards" "$status" 0

# -- Order of deletion --
stack users <<'JSON'
{ "Targets": { "Accounts": ["app"], "Regions": ["*"] }, "Resources": { "Policy": { "Type": "AWS::SNS::TopicPolicy", "Properties": {
  "Topics": [{ "Fn::GetStackOutput": { "StackName": "one", "OutputName": "Arn" } }],
  "PolicyDocument": { "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Principal": { "AWS": "222222222222" },
    "Action": "sns:Publish", "Resource": { "Fn::GetStackOutput": { "StackName": "one", "OutputName": "Arn" } } }] } } } } }
JSON
muster apply --auto-approve
is "a stack that uses another" "$status" 0
rm "$specs"/stacks/*
run "$muster" -C "$specs" apply --auto-approve --json
is "both go, without their specs" "$status $(recorded)" "0 "
order=$(jq -rs '[.[] | select(.type == "finished" and (.address | startswith("app/eu-west-1"))) | .address] | join(" ")' <<<"$out")
is "... the user first, then what it used" "$order" "app/eu-west-1/users/Policy app/eu-west-1/one/Topic"
done_testing
