#!/bin/bash
# The sandbox against clients that we did not write: boto3 and the AWS CLI. Every operation is called at least once;
# errors, signatures, trust, expiry, limits, latency and lag are as AWS has them.
build=${MUSTER_BUILD:-build}
sandbox=$build/muster-sandbox
here=$(cd "$(dirname "$0")" && pwd)

skip() {
	echo "1..0 # SKIP $1"
	exit 0
}
[ -x "$sandbox" ] || skip "$sandbox is not built"
python3 -c 'import boto3' 2>/dev/null || skip "boto3 is not installed"

dir=$(mktemp -d)
trap '[ -n "$pid" ] && kill "$pid" 2>/dev/null; rm -rf "$dir"' EXIT
cat >"$dir/accounts.json" <<'JSON'
{ "Accounts": [
  { "Name": "security", "Id": "111111111111", "Tags": ["security"], "Access": { "Role": null } },
  { "Name": "app-prod", "Id": "333333333333", "Tags": ["project", "prod"] },
  { "Name": "app-test", "Id": "444444444444", "Tags": ["project"] } ],
  "Sandbox": {
    "Roles": [
      { "Account": "333333333333", "Name": "ci", "Trust": ["web-identity"] },
      { "Account": "333333333333", "Name": "no-sns", "Trust": ["111111111111"], "Deny": ["sns:*"] } ],
    "Vpcs": [{ "Account": "333333333333", "Region": "eu-north-1", "VpcId": "vpc-0aa", "Subnets": ["subnet-0cc"] }],
    "Regions": { "OptIn": ["ap-east-1"], "444444444444": { "NotOptedIn": ["ap-east-1"], "OptIn": ["me-south-1"] } } } }
JSON
"$sandbox" --port 0 --roster "$dir/accounts.json" >"$dir/url" &
pid=$!
for _ in $(seq 100); do
	[ -s "$dir/url" ] && break
	sleep 0.05
done
url=$(cat "$dir/url")
[ -n "$url" ] || { echo "1..0 # the sandbox did not start"; exit 1; }

export PYTHONDONTWRITEBYTECODE=1
export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL http_proxy HTTP_PROXY
python3 "$here/sandbox_clients.py" "$url"
status=$?

kill -TERM "$pid"
wait "$pid"
ended=$?
pid=
[ $ended -eq 0 ] || { echo "Bail out! the sandbox ended with status $ended"; exit 1; }
exit $status
