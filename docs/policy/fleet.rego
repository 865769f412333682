# A policy for plans of muster, as conftest and OPA read it (Rego v1). Each message of `deny` is a reason not to apply,
# each of `warn` something to look at. fleet.jq says the same with jq alone.
#
#   muster plan --out plan.json
#   conftest test --policy docs/policy plan.json
#   opa eval --data docs/policy/fleet.rego --input plan.json 'data.main.deny'
package main

import rego.v1

# Types that record what happens: without them nobody sees what follows.
recording := {
	"AWS::CloudTrail::Trail",
	"AWS::Config::ConfigurationRecorder",
	"AWS::GuardDuty::Detector",
}

# Nothing that records may go.
deny contains message if {
	some change in input.resource_changes
	change.type in recording
	"delete" in change.change.actions
	message := sprintf("%s: a %s would be deleted", [change.address, change.type])
}

# Who may assume a role is never everybody.
deny contains message if {
	some change in roles
	some statement in statements(document(change.change.after.AssumeRolePolicyDocument))
	statement.Effect == "Allow"
	everybody(statement.Principal)
	not conditioned(statement)
	message := sprintf("%s: everybody could assume it", [change.address])
}

# ... and what cannot be looked at may be that.
deny contains message if {
	some change in roles
	not change.address in unknown_roles
	not document(change.change.after.AssumeRolePolicyDocument)
	message := sprintf("%s: who could assume it cannot be read", [change.address])
}

deny contains message if {
	some address in unknown_roles
	message := sprintf("%s: who could assume it is not known yet", [address])
}

# A plan that did not see all of the fleet is no plan for all of it.
warn contains message if {
	some note in input.muster.notes
	note.kind == "unreachable"
	message := sprintf("not reached: %s %s", [object.get(note, "account", ""), object.get(note, "text", "")])
}

# Roles that will be there.
roles contains change if {
	some change in input.resource_changes
	change.type == "AWS::IAM::Role"
	is_object(change.change.after)
}

# Those with something in their document that is known only once it is made: true somewhere in after_unknown.
unknown_roles contains change.address if {
	some change in roles
	change.change.after_unknown == true
}

unknown_roles contains change.address if {
	some change in roles
	walk(change.change.after_unknown.AssumeRolePolicyDocument, [_, true])
}

# A document may be an object or JSON text; undefined where it is neither.
document(written) := written if is_object(written)

document(written) := parsed if {
	is_string(written)
	json.is_valid(written)
	parsed := json.unmarshal(written)
	is_object(parsed)
}

# {"StringEquals": {}} holds for everybody, as no condition does.
conditioned(statement) if {
	some operator in statement.Condition
	is_object(operator)
	count(operator) > 0
}

# A policy has one statement or a list of them.
statements(policy) := policy.Statement if is_array(policy.Statement)

statements(policy) := [policy.Statement] if is_object(policy.Statement)

everybody(principal) if principal == "*"

everybody(principal) if principal.AWS == "*"

everybody(principal) if "*" in principal.AWS
