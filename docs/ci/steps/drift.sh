#!/bin/sh
# drift.sh: looks for drift, and keeps one issue about it: opened when there is some, changed at each run, closed when
# there is none. Ends with 0 in both cases, and with 1 where the fleet could not be seen. Leaves drift.md and drift.json
# in $MUSTER_OUT.
. "$(dirname -- "$0")/lib.sh"
mkdir -p "$out"
# What was told last time is kept beside the state that it is about. Where that is a copy that cannot be written here,
# MUSTER_DRIFT_STATE is a directory of this user's own for both.
if [ -n "${MUSTER_DRIFT_STATE:-}" ]; then
	mkdir -p "$MUSTER_DRIFT_STATE"
	[ ! -f "$MUSTER_STATE/data.mdb" ] || {
		cp "$MUSTER_STATE/data.mdb" "$MUSTER_DRIFT_STATE/data.mdb.new"
		mv -f "$MUSTER_DRIFT_STATE/data.mdb.new" "$MUSTER_DRIFT_STATE/data.mdb"
	}
	MUSTER_STATE=$MUSTER_DRIFT_STATE
fi
state_link
aws_enter

status=0
"$muster" -C "$specs" drift --format markdown >"$out/drift.md" 2>"$out/drift.err" || status=$?
cat "$out/drift.err" >&2
case $status in 0 | 2) ;; *) die "drift could not be looked for" ;; esac

label=muster-drift mark='<!-- muster:drift -->'
case $forge in
github)
	pages "issues?state=open&labels=$label" "$tmp/issues"
	id=$(jq -r --arg mark "$mark" --arg bot "${MUSTER_BOT:-github-actions[bot]}" \
		'[.[] | select(.user.login == $bot and ((.body // "") | startswith($mark)))][0].number // empty' "$tmp/issues")
	;;
gitlab)
	api GET /user >"$tmp/user"
	pages "issues?state=opened&labels=$label" "$tmp/issues"
	id=$(jq -r --arg mark "$mark" --slurpfile me "$tmp/user" \
		'[.[] | select(.author.id == $me[0].id and ((.description // "") | startswith($mark)))][0].iid // empty' "$tmp/issues")
	;;
*) exit 0 ;;
esac
[ "$status" -ne 0 ] || [ -n "$id" ] || {
	say "no drift"
	exit 0
}
{
	printf '%s\n' "$mark"
	cat "$out/drift.md"
	printf '\nLooked for at %s by [this run](%s).\n' "$(date -u '+%Y-%m-%dT%H:%M:%SZ')" "$(run_url)"
} >"$tmp/text"
# GitLab calls the text a description, and closes by an event.
jq -Rs --arg tag "$label" --argjson found "$status" --arg forge "$forge" --arg id "$id" '
	{title: "Drift in the fleet"}
	+ (if $forge == "github" then {body: .} else {description: .} end)
	+ (if $id != "" then {} elif $forge == "github" then {labels: [$tag]} else {labels: $tag} end)
	+ (if $found == 2 then {} elif $forge == "github" then {state: "closed"} else {state_event: "close"} end)' \
	"$tmp/text" >"$tmp/issue"
case $forge in github) change=PATCH ;; *) change=PUT ;; esac
if [ -n "$id" ]; then
	api "$change" "issues/$id" "$tmp/issue" >/dev/null
	say "issue $id is up to date"
else
	api POST issues "$tmp/issue" >"$tmp/made"
	say "issue $(jq -r '.number // .iid' "$tmp/made") is opened"
fi
