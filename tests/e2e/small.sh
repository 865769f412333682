# What the tests of single rules share, on top of lib.sh: a fleet of three accounts and two regions whose stacks the
# test writes itself, and a way to do things behind muster's back.
# shellcheck shell=bash disable=SC2034,SC2154

specs=$work/specs
security=111111111111
app=222222222222
web=333333333333

# specs_make DIRECTORY: settings and roster, no stacks yet.
specs_make() {
	local directory=$1
	mkdir -p "$directory/stacks"
	cat >"$directory/muster.json" <<-'JSON'
		{
		  "Version": 1,
		  "HomeRegion": "eu-west-1",
		  "Lineage": "01SMALLFLEET0000000000000",
		  "Access": {
		    "Chain": ["arn:aws:iam::111111111111:role/security-admin"],
		    "Role": "arn:aws:iam::${AccountId}:role/from-security"
		  }
		}
	JSON
	cat >"$directory/accounts.json" <<-'JSON'
		{ "Accounts": [
		  { "Name": "security", "Id": "111111111111", "Tags": ["security"], "Access": { "Role": null } },
		  { "Name": "app", "Id": "222222222222", "Tags": ["project"] },
		  { "Name": "web", "Id": "333333333333", "Tags": ["project"] }
		] }
	JSON
}

# stack NAME, with the JSON on stdin
stack() {
	cat >"$specs/stacks/$1.json"
}

# edit FILE JQ-FILTER
edit() {
	jq "$2" "$specs/$1" >"$work/edited" && cp "$work/edited" "$specs/$1"
}

# For sandbox_start --config: two regions; besides the usual key one in each account, for outsider.
jq -n '{
	Regions: {Enabled: ["eu-west-1", "us-east-1"]},
	Credentials: ([{AccessKeyId: "AKIASANDBOX", SecretAccessKey: "sandbox-secret", User: "jump"}] + [
		("111111111111", "222222222222", "333333333333")
		| {AccessKeyId: "AKIA\(.)", SecretAccessKey: "outsider-secret", Account: ., User: "outsider"}])
}' >"$work/sandbox.json"

# sandbox_post CONTROL BODY: config, fault
sandbox_post() {
	curl -sf -X POST "$AWS_ENDPOINT_URL/_sandbox/$1" -d "$2" >/dev/null
}

# outsider ACCOUNT-ID REGION SERVICE NAME=VALUE...: one call of a query service (sns, iam, sts), behind muster's back.
outsider() {
	local account=$1 region=$2 service=$3 word
	local -a form=()
	shift 3
	for word; do form+=(--data-urlencode "$word"); done
	curl -sS --aws-sigv4 "aws:amz:$region:$service" --user "AKIA$account:outsider-secret" "${form[@]}" "$AWS_ENDPOINT_URL/"
}

# "account-id/region/name" of every topic that the sandbox holds.
topics() {
	sandbox_get dump | grep -oE '"arn:aws:sns:[a-z0-9-]+:[0-9]+:[A-Za-z0-9_-]+"' | sort -u |
		awk -F'[:"]' '{ print $6 "/" $5 "/" $7 }' | sort
}

# planned FILE JQ-FILTER-OVER-ONE-CHANGE: addresses of a saved plan's changes for which it holds.
planned() {
	jq -r "[.resource_changes[] | select($2) | .address] | join(\" \")" "$1"
}

# muster COMMAND...: in the small fleet, as run does it.
muster() {
	run "$muster" -C "$specs" "$@"
}
