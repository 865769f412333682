#!/bin/bash
# One plan in every format: text, markdown, JSON with its schema and a policy over it, and a page.
# shellcheck disable=SC2016 # jq's variables and ${each}
. "$(dirname "$0")/lib.sh"
fleet=$work/fleet
fleet_make "$fleet" 4
sandbox_start "$fleet/accounts.json"
schema=$root/specs/schema/plan.schema.json

# show FORMAT FILE
show() {
	run "$muster" show --format "$1" "$2"
}

run "$muster" -C "$fleet" plan --out "$work/create.json" --format markdown
is "a plan as markdown" "$status" 0
like "... has a title" "$out" '^### muster plan$'
like "... totals" "$out" '^\| \| create \|$'
like "... entries that are collapsed, with diffs" "$out" '^<details><summary><code>\+</code> <b>create</b> <code>recording/Trail</code>'
like "... and what it was made from" "$out" "<code>digest $(jq -r .muster.digest "$work/create.json")</code>"
at_most "... and fits a comment" "${#out}" 65536
planned=$out
show markdown "$work/create.json"
is "show tells the same" "$out" "$planned"
run "$muster" -C "$fleet" plan --format markdown
like "a plan that is not saved has a digest too" "$out" '<code>digest [0-9a-f]{64}</code>'

run "$muster" -C "$fleet" plan --format html
is "a plan as a page" "$status" 0
like "... is one" "$out" '^<!DOCTYPE html>$'
unlike "... that loads nothing" "$out" '(src|href)="(https?:)?//'
show html "$work/create.json"
is "... as show does it" "$status" 0
like "... with the same entries" "$out" '"t":"recording/Trail"'
run "$muster" -C "$fleet" plan --format xml
is "no such format" "$status" 1
like "... says which there are" "$err" 'text, markdown, json, html'
is "a full disk is no success" "$("$muster" show --format html "$work/create.json" 2>"$work/full" >/dev/full; echo $?)" 1
like "... and is said" "$(<"$work/full")" 'cannot write to stdout: No space left'
is "... of JSON neither" "$("$muster" show --format json "$work/create.json" 2>"$work/full" >/dev/full; echo $?)" 1

# -- A second plan: deletes, replaces, updates, a loop --
run "$muster" -C "$fleet" apply "$work/create.json"
is "the first is applied" "$status" 0
jq '.Resources.Trail.Properties.TrailName = "other"' "$fleet/stacks/recording.json" >"$work/new"
cp "$work/new" "$fleet/stacks/recording.json"
jq '.Accounts |= map(select(.Name != "app-4"))' "$fleet/accounts.json" >"$work/new"
cp "$work/new" "$fleet/accounts.json"
jq -n '{Targets: {Accounts: ["*"], Regions: ["home"]}, Transform: "AWS::LanguageExtensions", Resources: {
	"Fn::ForEach::Bridges": ["To", ["alpha", "beta", "gamma", "delta"],
		{"Bridge${To}": {Type: "AWS::SNS::Topic", Properties: {DisplayName: {"Fn::Sub": "to ${To}"}}}}]}}' \
	>"$fleet/stacks/bridges.json"
fleet_commit "$fleet" "Another name, an account less, bridges"
run "$muster" -C "$fleet" plan --out "$work/change.json"
is "the second is planned" "$status" 0
like "what a loop makes is one entry" "$out" '^\+ create bridges/Bridge\$\{each\} \(AWS::SNS::Topic\)'
like "... and its values a pattern" "$out" '\+ DisplayName: "to \$\{each\}"  # '
like "... which is explained" "$out" '# \$\{each\}: alpha, beta, (gamma, delta|delta, gamma)'
like "why a replacement is needed" "$out" '# forces replacement: TrailName'
# What changes of outputs is in the same order, in a section of its own.
is "destruction comes first" "$(sed '/^Outputs$/,$d' <<<"$out" | grep -oE '^[^ ]+ (delete|replace|update|create)' | cut -d' ' -f2 | uniq | tr '\n' ' ')" \
	"delete replace update create "
show markdown "$work/change.json"
is "markdown has the same entries" "$(grep -c '<b>' <<<"$out")" \
	"$("$muster" show "$work/change.json" | grep -cE '^[^ ]+ (delete|replace|update|create) ')"
like "... in the same order" "$(sed '/^#### Outputs$/,$d' <<<"$out" | grep -oE '<b>[a-z]+' | uniq | tr '\n' ' ')" '^<b>delete <b>replace <b>update <b>create $'
if command -v cmark-gfm >/dev/null; then
	page=$(cmark-gfm --unsafe -e table -e autolink -e strikethrough -e tagfilter <<<"$out")
	is "GitHub's own parser opens and closes as many details" \
		"$(grep -c '<details>' <<<"$page") $(grep -c '</details>' <<<"$page")" \
		"$(grep -c '^<details>' <<<"$out") $(grep -c '^<details>' <<<"$out")"
	is "... with a block of code in each" "$(grep -c '<pre' <<<"$page")" "$(grep -c '^<details>' <<<"$out")"
	is "... and a table" "$(grep -c '<table>' <<<"$page")" 1
else
	pass "GitHub's own parser reads it so # SKIP cmark-gfm is not installed"
fi
run env COLUMNS=60 "$muster" show "$work/change.json"
at_most "text keeps to the terminal's width" "$(grep -E '^ +[~+-] [A-Za-z]+: ' <<<"$out" | grep -vE '#|\.\.\.|"[^"]{40,}"' | awk '{ if (length > n) n = length } END { print n + 0 }')" 60

# -- JSON: the schema, and a policy --
cat >"$work/validate.py" <<'PY'
import json, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)

def described(value, part, path):
    """Members of our own that the schema says nothing of."""
    while "$ref" in part:
        part = schema["$defs"][part["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, dict) and "properties" in part:
        for name, member in value.items():
            if name not in part["properties"]:
                yield path + "." + name
            else:
                yield from described(member, part["properties"][name], path + "." + name)
    elif isinstance(value, dict) and isinstance(part.get("additionalProperties"), dict):
        for member in value.values():
            yield from described(member, part["additionalProperties"], path + ".*")
    elif isinstance(value, list) and isinstance(part.get("items"), dict):
        for item in value:
            yield from described(item, part["items"], path + "[]")

for name in sys.argv[2:]:
    plan = json.load(open(name))
    for error in validator.iter_errors(plan):
        print(f"{error.json_path}: {error.message[:200]}")
    for path in sorted(set(described(plan, schema, ""))):
        print(f"{path}: not in the schema")
    plan["resource_changes"] = {}
    if validator.is_valid(plan):
        print("the schema takes anything")
PY
if python3 -c 'import jsonschema' 2>/dev/null; then
	run python3 "$work/validate.py" "$schema" "$work/create.json" "$work/change.json"
	is "plan files are as their schema says, and it says all" "$out$err" ""
else
	pass "plan files are as their schema says # SKIP python3-jsonschema is not installed"
fi
run jq -r -e -f "$root/docs/policy/fleet.jq" "$work/create.json"
is "the example of a policy lets the first plan pass" "$status $out" "0 true"
run jq -r -e -f "$root/docs/policy/fleet.jq" "$work/change.json"
is "... and not the second" "$status" 1
like "... with reasons" "$out" '^app-4/eu-west-1/recording/Trail: a AWS::CloudTrail::Trail would be deleted$'
reasons=$(grep -v '^false$' <<<"$out" | sort)
if command -v opa >/dev/null; then
	is "the same policy in Rego says the same" "$(opa eval --data "$root/docs/policy/fleet.rego" --input "$work/change.json" \
		--format json 'data.main.deny' | jq -r '.result[0].expressions[0].value[]' | sort)" "$reasons"
else
	pass "the same policy in Rego says the same # SKIP opa is not installed"
fi
# roles_plan FILE JQ: a plan that creates one role, with the change as the filter makes it.
roles_plan() {
	jq -n --argjson open '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}}' \
		"{resource_changes: [{address: \"r\", type: \"AWS::IAM::Role\", change: ({actions: [\"create\"], before: null, after_unknown: {}} + ($2))}], muster: {notes: []}}" >"$1"
}

# refused NAME REASON JQ: both policies give that one reason; none where it is empty.
refused() {
	local wanted_status=1
	[ -n "$2" ] || wanted_status=0
	roles_plan "$work/role.json" "$3"
	run jq -r -e -f "$root/docs/policy/fleet.jq" "$work/role.json"
	is "the policy: $1" "$status $(grep -vE '^(true|false)$' <<<"$out")" "$wanted_status $2"
	if command -v opa >/dev/null; then
		is "... in Rego" "$(opa eval --data "$root/docs/policy/fleet.rego" --input "$work/role.json" --format json \
			'data.main.deny' | jq -r '.result[0].expressions[0].value[]')" "$2"
	fi
}

everybody="r: everybody could assume it"
refused "an open role" "$everybody" '{after: {AssumeRolePolicyDocument: $open}}'
refused "... written as JSON text" "$everybody" '{after: {AssumeRolePolicyDocument: ($open | tojson)}}'
refused "... for a list that has everybody" "$everybody" \
	'{after: {AssumeRolePolicyDocument: ($open | .Statement.Principal.AWS = ["111111111111", "*"] | tojson)}}'
refused "... with a condition that is empty" "$everybody" \
	'{after: {AssumeRolePolicyDocument: ($open | .Statement.Condition = {})}}'
refused "... with one that compares nothing" "$everybody" \
	'{after: {AssumeRolePolicyDocument: ($open | .Statement.Condition = {StringEquals: {}})}}'
refused "... with a condition" "" \
	'{after: {AssumeRolePolicyDocument: ($open | .Statement.Condition = {StringEquals: {"aws:PrincipalOrgID": "o-1"}})}}'
refused "a role of one account" "" \
	'{after: {AssumeRolePolicyDocument: ($open | .Statement.Principal.AWS = "111111111111" | tojson)}}'
refused "a document that is not known yet" "r: who could assume it is not known yet" \
	'{after: {}, after_unknown: {AssumeRolePolicyDocument: true}}'
refused "... in a part" "r: who could assume it is not known yet" \
	'{after: {AssumeRolePolicyDocument: {Statement: [{Effect: "Allow"}]}}, after_unknown: {AssumeRolePolicyDocument: {Statement: [{Principal: {AWS: true}}]}}}'
refused "a document that is no JSON" "r: who could assume it cannot be read" '{after: {AssumeRolePolicyDocument: "{"}}'
refused "a role that goes" "" '{actions: ["delete"], after: null}'
if command -v conftest >/dev/null; then
	run conftest test --no-color --policy "$root/docs/policy" "$work/change.json"
	like "conftest says so, too" "$out" 'would be deleted'
else
	pass "conftest says so, too # SKIP conftest is not installed"
fi
done_testing
