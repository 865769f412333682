# The policy of fleet.rego with jq alone: a list of reasons not to apply, empty where there are none.
#
#   muster show --json plan.json | jq -e -f docs/policy/fleet.jq
#
# With -e jq's exit status is 1 where the last value is false: see the end.

def recording: ["AWS::CloudTrail::Trail", "AWS::Config::ConfigurationRecorder", "AWS::GuardDuty::Detector"];
def everybody: . == "*" or (type == "object" and (.AWS == "*" or (.AWS | type == "array" and index("*") != null)));

# A document may be an object or JSON text; null where it is neither.
def document: if type == "string" then (try fromjson catch null) else . end | if type == "object" then . else null end;
def statements: .Statement | if type == "array" then .[] elif type == "object" then . else empty end | objects;

# {"StringEquals": {}} holds for everybody, as no condition does.
def conditioned: .Condition | type == "object" and any(.[]; type == "object" and length > 0);

# Whether something in it is known only once it is made: true somewhere in after_unknown.
def unknown: any(.. | booleans; .);

[
	.resource_changes[]
	| .address as $address | .type as $type
	| (
		select((recording | index($type)) and (.change.actions | index("delete")))
		| "\($address): a \($type) would be deleted"
	), (
		select($type == "AWS::IAM::Role" and (.change.after | type == "object"))
		| .change.after.AssumeRolePolicyDocument as $written
		| if (.change.after_unknown | if type == "object" then .AssumeRolePolicyDocument else . end | unknown)
		  then "\($address): who could assume it is not known yet"
		  else ($written | document) as $document
			| if $document == null then "\($address): who could assume it cannot be read"
			  elif any($document | statements; .Effect == "Allow" and (.Principal | everybody) and (conditioned | not))
			  then "\($address): everybody could assume it"
			  else empty end
		  end
	)
] as $reasons
| ($reasons[], ($reasons | length == 0))
