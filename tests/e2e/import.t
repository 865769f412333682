#!/bin/bash
# state import of every type that can stand alone, by what Ref gives: what was forgotten is known again, nothing is
# changed in AWS, and the next plan finds all as it should be.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
allow() {
	jq -n --arg action "$1" --arg resource "$2" '{Version: "2012-10-17", Statement: [{Effect: "Allow", Action: $action, Resource: $resource}]}'
}
trust='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
	"Principal": {"Service": "lambda.amazonaws.com"}}]}'
jq -n --argjson read "$(allow s3:GetObject '*')" --argjson trust "$trust" --argjson keys "$(allow 'kms:*' '*')" '
def service(name): .Statement[0].Principal = {Service: name};
{
	Targets: {Accounts: ["app"], Regions: ["home"]},
	Resources: {
		Topic: {Type: "AWS::SNS::Topic"},
		TopicRules: {Type: "AWS::SNS::TopicPolicy", Properties: {Topics: [{Ref: "Topic"}],
			PolicyDocument: ($read | service("events.amazonaws.com") | .Statement[0].Action = "sns:Publish" | .Statement[0].Resource = {Ref: "Topic"})}},
		Queue: {Type: "AWS::SQS::Queue"},
		QueueRules: {Type: "AWS::SQS::QueuePolicy", Properties: {Queues: [{Ref: "Queue"}],
			PolicyDocument: ($read | service("sns.amazonaws.com") | .Statement[0].Action = "sqs:SendMessage")}},
		Subscription: {Type: "AWS::SNS::Subscription", Properties: {TopicArn: {Ref: "Topic"}, Protocol: "sqs", Endpoint: {"Fn::GetAtt": ["Queue", "Arn"]}}},
		Log: {Type: "AWS::Logs::LogGroup"},
		Managed: {Type: "AWS::IAM::ManagedPolicy", Properties: {Path: "/x/y/", PolicyDocument: $read}},
		Role: {Type: "AWS::IAM::Role", Properties: {Path: "/deep/er/", AssumeRolePolicyDocument: $trust}},
		Policy: {Type: "AWS::IAM::Policy", Properties: {PolicyName: "p", Roles: [{Ref: "Role"}], PolicyDocument: $read}},
		Inline: {Type: "AWS::IAM::RolePolicy", Properties: {PolicyName: "i", RoleName: {Ref: "Role"}, PolicyDocument: $read}},
		Linked: {Type: "AWS::IAM::ServiceLinkedRole", Properties: {AWSServiceName: "config.amazonaws.com"}},
		Passwords: {Type: "Muster::IAM::AccountPasswordPolicy", Properties: {MinimumPasswordLength: 20}},
		Group: {Type: "AWS::EC2::SecurityGroup", Properties: {GroupDescription: "x"}},
		Bus: {Type: "AWS::Events::EventBus", Properties: {Name: "mybus"}},
		Rule: {Type: "AWS::Events::Rule", Properties: {EventBusName: {Ref: "Bus"}, EventPattern: {source: ["aws.ec2"]}}},
		Authorization: {Type: "AWS::Config::AggregationAuthorization", Properties: {AuthorizedAccountId: "111111111111", AuthorizedAwsRegion: "eu-west-1"}},
		Aggregator: {Type: "AWS::Config::ConfigurationAggregator", Properties: {AccountAggregationSources: [{AccountIds: ["111111111111"], AllAwsRegions: true}]}},
		Analyzer: {Type: "AWS::AccessAnalyzer::Analyzer", Properties: {Type: "ACCOUNT"}},
		Hub: {Type: "AWS::SecurityHub::Hub", Properties: {}},
		Alarm: {Type: "AWS::CloudWatch::Alarm", Properties: {ComparisonOperator: "GreaterThanThreshold", EvaluationPeriods: 1,
			MetricName: "m", Namespace: "n", Period: 60, Statistic: "Sum", Threshold: 1}},
		Detector: {Type: "AWS::GuardDuty::Detector", Properties: {Enable: true}},
		Bucket: {Type: "AWS::S3::Bucket"},
		Key: {Type: "AWS::KMS::Key", Properties: {KeyPolicy: ($keys | .Statement[0].Principal = {AWS: {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}})}},
		Alias: {Type: "AWS::KMS::Alias", Properties: {AliasName: "alias/a", TargetKeyId: {Ref: "Key"}}},
		Parameter: {Type: "AWS::SSM::Parameter", Properties: {Type: "String", Value: "v"}}
	}
}' >"$specs/stacks/all.json"
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"
muster apply --auto-approve
is "one of each type" "$status $(jq '.Resources | length' "$specs/stacks/all.json")" "0 $("$muster" -C "$specs" state list | wc -l)"
before=$(sandbox_get dump | md5sum)

# What Ref gives, by the record.
ref_of() {
	local ref
	ref=$("$muster" types "$1" --json | jq -r .Ref)
	"$muster" -C "$specs" state show "$2" | jq -r --arg ref "$ref" '.Attributes[$ref] // .Properties[$ref] // .AccountId'
}
ours=0
for address in $("$muster" -C "$specs" state list); do
	type=$("$muster" -C "$specs" state show "$address" | jq -r .Type)
	id=$(ref_of "$type" "$address")
	muster state rm --auto-approve "$address"
	muster state import "$address" nothing-like-it
	is "$type: not by another id" "$status" 1
	muster state import "$address" "$id"
	is "$type: by $id" "$status" 0
	grep -q 'made by muster' <<<"$out" && ours=$((ours + 1))
done
is "generated names are known again" "$ours" 12
muster plan --detailed-exitcode
is "all is as the specs want it" "$status" 0
is "and nothing was changed" "$(sandbox_get dump | md5sum)" "$before"
done_testing
