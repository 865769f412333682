#!/bin/bash
# Every resource type through its life: in the sandbox, and in moto, a server that we did not write. What moto lacks or
# has wrong is left out there: tags of detectors and aggregators, UpdateEventBus, an answer of EnableKeyRotation that is
# no object, publishing destinations, most of Security Hub, Access Analyzer.
set -u
build=${MUSTER_BUILD:-build}
here=$(cd "$(dirname "$0")" && pwd)
driver=$build/driver/e2e/types_driver
work=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; rm -rf "$work"' EXIT
export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
unset AWS_PROFILE AWS_SESSION_TOKEN http_proxy HTTP_PROXY MUSTER_TYPES_PATH

if ! [ -x "$driver" ] || ! [ -x "$build/muster-sandbox" ]; then
	echo "1..0 # SKIP $driver is not built"
	exit 0
fi
count=0
status=0

# drive NAME ACCOUNT REGION ARGUMENT...: the driver's lines, numbered on.
drive() {
	local name=$1 account=$2 region=$3 line
	shift 3
	timeout 300 "$driver" "$account" "$region" "$here/types_cases.json" "$@" >"$work/out" 2>&1
	if [ $? -gt 1 ] || ! grep -q '^1\.\.[1-9]' "$work/out"; then
		echo "Bail out! $name: the driver did not end well"
		exit 1
	fi
	while IFS= read -r line; do
		case $line in
		ok\ * | not\ ok\ *)
			count=$((count + 1))
			[[ $line == not* ]] && status=1
			sed -E "s/ok [0-9]+ - /ok $count - $name: /" <<<"$line"
			;;
		1..*) ;;
		*) echo "# ${line#\# }" ;;
		esac
	done <"$work/out"
}

cat >"$work/accounts.json" <<'JSON'
{ "Accounts": [{ "Name": "security", "Id": "111111111111", "Tags": ["security"], "Access": { "Role": null } }],
  "Sandbox": { "Credentials": [
    { "AccessKeyId": "AKIATESTING", "SecretAccessKey": "testing", "Account": "111111111111", "User": "test" }] } }
JSON
export AWS_ACCESS_KEY_ID=AKIATESTING AWS_SECRET_ACCESS_KEY=testing
"$build/muster-sandbox" --port 0 --roster "$work/accounts.json" --lag-ms 1500 >"$work/url" &
pids=$!
for _ in $(seq 100); do [ -s "$work/url" ] && break; sleep 0.05; done
AWS_ENDPOINT_URL=$(cat "$work/url")
export AWS_ENDPOINT_URL
drive sandbox 111111111111 eu-west-1

if command -v moto_server >/dev/null; then
	port=$((20000 + RANDOM % 20000))
	MOTO_IAM_LOAD_MANAGED_POLICIES=true moto_server -p $port >/dev/null 2>&1 &
	pids="$pids $!"
	export AWS_ENDPOINT_URL=http://127.0.0.1:$port
	for _ in $(seq 150); do curl -fs "$AWS_ENDPOINT_URL/moto-api/" >/dev/null && break; sleep 0.2; done
	drive moto 123456789012 us-east-1 '!AWS::GuardDuty::*' '!AWS::KMS::*' '!AWS::Events::EventBus' \
		'!AWS::Config::ConfigurationAggregator' '!AWS::SecurityHub::*' '!AWS::AccessAnalyzer::*'
else
	count=$((count + 1))
	echo "ok $count - moto # SKIP moto_server is not installed"
fi
echo "1..$count"
exit $status
