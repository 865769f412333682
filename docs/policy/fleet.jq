# The policy of fleet.rego with jq alone: a list of reasons not to apply, empty where there are none.
#
#   muster show --json plan.json | jq -e -f docs/policy/fleet.jq
#
# With -e jq's exit status is 1 where the last value is false: see the end.

def recording: ["AWS::CloudTrail::Trail", "AWS::Config::ConfigurationRecorder", "AWS::GuardDuty::Detector"];
def everybody: . == "*" or (type == "object" and (.AWS == "*" or (.AWS | type == "array" and index("*") != null)));
def statements: .Statement | if type == "array" then .[] elif type == "object" then . else empty end;

[
	.resource_changes[]
	| .address as $address | .type as $type
	| (
		select((recording | index($type)) and (.change.actions | index("delete")))
		| "\($address): a \($type) would be deleted"
	), (
		select($type == "AWS::IAM::Role")
		| [.change.after.AssumeRolePolicyDocument? | objects | statements
			| select(.Effect == "Allow" and (.Principal | everybody) and (has("Condition") | not))]
		| select(length > 0)
		| "\($address): everybody could assume it"
	)
] as $reasons
| ($reasons[], ($reasons | length == 0))
