#!/bin/bash
# The event path of the sandbox, built with boto3: an event in one account becomes one chat message by way of two others,
# and when any link of the way is missing, the event's trace names it.
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
  { "Name": "network", "Id": "222222222222", "Tags": ["network"] },
  { "Name": "app-prod", "Id": "333333333333", "Tags": ["project"] } ],
  "Sandbox": { "Regions": { "OptIn": ["ap-east-1"] } } }
JSON
mkdir "$dir/tmp"
TMPDIR=$dir/tmp "$sandbox" --port 0 --roster "$dir/accounts.json" >"$dir/url" &
pid=$!
for _ in $(seq 100); do
	[ -s "$dir/url" ] && break
	sleep 0.05
done
url=$(cat "$dir/url")
[ -n "$url" ] || { echo "1..0 # the sandbox did not start"; exit 1; }

export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export PYTHONDONTWRITEBYTECODE=1
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL http_proxy HTTP_PROXY
python3 "$here/sandbox_events.py" "$url"
status=$?

kill -TERM "$pid"
wait "$pid"
ended=$?
pid=
[ $ended -eq 0 ] || { echo "Bail out! the sandbox ended with status $ended"; exit 1; }
left=$(ls -A "$dir/tmp")
[ -z "$left" ] || { echo "Bail out! functions left files behind: $left"; exit 1; }
exit $status
