#!/bin/bash
# make demo: the whole way on a local AWS, in a minute. Needs no account, no credentials, no network.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
build=${1:-build}
case $build in /*) ;; *) build=$root/$build ;; esac
demo=$build/demo
rm -rf "$demo"
mkdir -p "$demo"

say() {
	printf '\n\033[1m== %s\033[0m\n' "$1"
}
if [ ! -t 1 ] || [ -n "${NO_COLOR:-}" ]; then
	say() { printf '\n== %s\n' "$1"; }
fi
in_git() {
	printf '$ git'
	printf ' %q' "$@"
	printf '\n'
	git -C "$demo" -c user.name=demo -c user.email=demo@example.com "$@"
}
show() {
	printf '$ muster %s\n' "$*"
	"$build/muster" -C "$demo" "$@"
}

cp -R specs/baseline/. "$demo/"
git init -q -b main "$demo"

say "Only what is committed is applied"
in_git add -A
in_git commit -q -m "The baseline for four accounts"
say "A local AWS: four accounts, seventeen regions each"
"$build/muster-sandbox" --port 0 --roster "$demo/accounts.json" --latency-ms 20 >"$demo/.url" &
sandbox=$!
trap 'kill $sandbox 2>/dev/null; wait $sandbox 2>/dev/null || true' EXIT
while [ ! -s "$demo/.url" ]; do sleep 0.05; done
AWS_ENDPOINT_URL=$(head -1 "$demo/.url")
export AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID=AKIASANDBOX AWS_SECRET_ACCESS_KEY=sandbox-secret
export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
unset AWS_PROFILE AWS_SESSION_TOKEN
echo "$AWS_ENDPOINT_URL"

say "Is every account open to us?"
show access
say "What would have to change?"
show plan --out "$demo/plan.json"
say "The saved plan, as a reviewer reads it again"
# Two of its groups, whole, and the last paragraph.
show show "$demo/plan.json" | awk -v RS= '
	NR == 1 || $3 == "recording/Detector" { print $0 "\n" }
	{ last = $0 }
	END { print "...\n\n" last }'
say "Exactly that plan is applied"
show apply "$demo/plan.json" >"$demo/applied" 2>&1 || {
	cat "$demo/applied"
	exit 1
}
head -n 1 "$demo/applied"
echo "..."
tail -n 8 "$demo/applied"
say "A second plan is quiet"
show plan
say "What became of the commit"
in_git --no-pager log -1 --notes=muster | cut -c1-160
say "What is remembered"
show state list | head -n 6
echo "..."
show state show app-prod/eu-west-1/recording/Trail
say "Done. The specs of this demo are in ${demo#"$root"/}, the tool is ${build#"$root"/}/muster."
