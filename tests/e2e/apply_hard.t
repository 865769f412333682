#!/bin/bash
# What an apply must not get wrong: what is not forgotten, answers that were lost, plans that are not true any more or
# that nothing came of, accounts under another name.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
fleet_commit "$specs" "Nothing yet"
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"

one='"Targets": {"Accounts": ["app"], "Regions": ["us-east-1"]}'
start_again() {
	sandbox_post fault '{"Clear": true}'
	sandbox_post reset '{}'
	rm -rf "$specs/.muster" "$specs"/stacks/*
}

# -- A record that holds the only word of something is not dropped ------------------------------------------------------
topic() {
	echo "{$one, \"Resources\": {\"T\": {\"Type\": \"AWS::SNS::Topic\", \"DeletionPolicy\": \"Retain\",
		\"Properties\": {\"FifoTopic\": $1}}, \"U\": {\"Type\": \"AWS::SNS::Topic\"}}}" | stack s
}
topic false
muster apply --auto-approve
topic true
sandbox_post fault '{"Faults": ["service=sns,operation=DeleteTopic,code=AuthorizationError,status=403"]}'
muster apply --auto-approve
is "an old topic that cannot be deleted fails its replacement" "$status" 1
muster state show app/us-east-1/s/T
is "... and stays in the record" "$(jq '.Deposed | length' <<<"$out")" 1
echo "{$one, \"Resources\": {\"U\": {\"Type\": \"AWS::SNS::Topic\"}}}" | stack s
muster apply --auto-approve
is "it is still not deleted when its successor is taken out" "$status" 1
muster state list
like "... and the record that knows of it stays" "$out" '^app/us-east-1/s/T$'
sandbox_post fault '{"Clear": true}'
muster apply --auto-approve
is "once it can be deleted, it is" "$status" 0
muster state list
is "... and the record goes" "$out" app/us-east-1/s/U
is "... while what was to be retained stays" "$(topics | grep -c 's-T.*\.fifo\|/s-T')" 1
start_again

# -- A deletion whose answer was lost ------------------------------------------------------------------------------------
echo "{$one, \"Resources\": {
	\"Bucket\": {\"Type\": \"AWS::S3::Bucket\", \"Properties\": {\"BucketName\": \"hard-logs\"}},
	\"Allow\": {\"Type\": \"AWS::S3::BucketPolicy\", \"Properties\": {\"Bucket\": {\"Ref\": \"Bucket\"}, \"PolicyDocument\": {
		\"Version\": \"2012-10-17\", \"Statement\": [
		{\"Effect\": \"Allow\", \"Principal\": {\"Service\": \"cloudtrail.amazonaws.com\"}, \"Action\": \"s3:GetBucketAcl\",
			\"Resource\": \"arn:aws:s3:::hard-logs\"},
		{\"Effect\": \"Allow\", \"Principal\": {\"Service\": \"cloudtrail.amazonaws.com\"}, \"Action\": \"s3:PutObject\",
			\"Resource\": \"arn:aws:s3:::hard-logs/*\"}]}}},
	\"Trail\": {\"Type\": \"AWS::CloudTrail::Trail\", \"DependsOn\": \"Allow\", \"Properties\": {
		\"TrailName\": \"hard\", \"S3BucketName\": {\"Ref\": \"Bucket\"}, \"IsLogging\": true}}}}" | stack s
muster apply --auto-approve
is "a trail and its bucket are made" "$status" 0
sandbox_post fault '{"Faults": ["operation=DeleteTrail,action=lost-answer,count=1"]}'
muster apply --destroy --auto-approve
is "a deletion whose answer was lost is done nevertheless" "$status" 0
unlike "... and not called a failure" "$out$err" 'TrailNotFound|failed'
muster state list
is "... and what waited for it goes too" "$out" ""
start_again

# -- A plan of a deletion, and a new user --------------------------------------------------------------------------------
shared="{$one, \"Resources\": {\"T\": {\"Type\": \"AWS::SNS::Topic\", \"Properties\": {\"TopicName\": \"shared\"}}},
	\"Outputs\": {\"A\": {\"Value\": {\"Ref\": \"T\"}}}}"
stack s <<<"$shared"
muster apply --auto-approve
echo "{$one, \"Resources\": {\"X\": {\"Type\": \"AWS::SNS::Topic\"}}}" | stack z
rm "$specs/stacks/s.json"
muster plan --only '*/s/T' --out "$work/delete.json"
is "a deletion is planned" "$(planned "$work/delete.json" '.change.actions == ["delete"]')" app/us-east-1/s/T
stack s <<<"$shared"
echo "{$one, \"Resources\": {\"R\": {\"Type\": \"AWS::Events::Rule\", \"Properties\": {\"Name\": \"user\",
	\"EventPattern\": {\"source\": [\"aws.x\"]}, \"Targets\": [{\"Id\": \"a\",
	\"Arn\": {\"Fn::GetStackOutput\": {\"StackName\": \"s\", \"OutputName\": \"A\"}}}]}}}}" | stack z
muster apply --auto-approve
is "meanwhile something comes to use it" "$status" 0
muster apply "$work/delete.json"
is "then it is not deleted" "$status" 1
like "... and the user is named" "$err" 'app/us-east-1/s.* is used by app/us-east-1/z/R since the plan was made'
is "... and it is there" "$(topics)" "$app/us-east-1/shared"
start_again

# -- A plan of which nothing was done ------------------------------------------------------------------------------------
stack s <<<"$shared"
muster plan --out "$work/plan.json"
sandbox_post fault '{"Faults": ["operation=CreateTopic,code=AuthorizationError,status=403"]}'
muster apply "$work/plan.json"
is "a plan whose only call is refused fails" "$status" 1
sandbox_post fault '{"Clear": true}'
muster apply "$work/plan.json"
is "... and can be applied when it would not be" "$status" 0
muster apply "$work/plan.json"
is "... but then not once more" "$status" 1
start_again

# -- An account under another name ---------------------------------------------------------------------------------------
echo '{"Targets": {"Accounts": ["tag:project"], "Regions": ["us-east-1"]}, "Resources": {
	"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "named"}}}}' | stack s
muster apply --auto-approve
edit accounts.json '(.Accounts[] | select(.Name == "web")).Name = "site"'
muster apply --auto-approve
is "what was made under an account's old name goes" "$status" 0
muster state list
is "... and is made under the new one" "$(tr '\n' ' ' <<<"$out")" "app/us-east-1/s/T site/us-east-1/s/T "
is "... in the same account" "$(topics | tr '\n' ' ')" "$app/us-east-1/named $web/us-east-1/named "
muster plan --detailed-exitcode
is "... and that is all" "$status" 0
done_testing
