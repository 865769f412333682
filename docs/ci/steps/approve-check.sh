#!/bin/sh
# approve-check.sh [PLAN]: adds the signatures in the pull request's comments to the plan, and sets the commit status
# "muster/approval" of the pull request: whether apply would take the plan. Without PLAN it is the newest that was made
# of what is checked out. Needs no way into AWS.
. "$(dirname -- "$0")/lib.sh"
mkdir -p "$out"
number=$(pull_number)
[ -n "$number" ] || die "this is about no pull request"
state_link

# set_status STATE TEXT: on the newest commit of the pull request
set_status() {
	case $forge in
	github)
		api GET "pulls/$number" >"$tmp/pull"
		sha=$(jq -r .head.sha "$tmp/pull")
		place=statuses/$sha
		;;
	gitlab)
		sha=${CI_MERGE_REQUEST_SOURCE_BRANCH_SHA:-}
		[ -n "$sha" ] || sha=$CI_COMMIT_SHA
		place=statuses/$sha
		;;
	esac
	jq -n --arg state "$1" --arg text "$2" --arg url "$(run_url)" '{state: $state, description: ($text | .[:140]),
		target_url: $url, context: "muster/approval", name: "muster/approval"}' >"$tmp/status"
	api POST "$place" "$tmp/status" >/dev/null
}
case $forge in gitlab) failure=failed ;; *) failure=failure ;; esac

if [ -n "${1:-}" ]; then
	cp "$1" "$tmp/candidate-1.json"
else
	tree=$(specs_tree)
	candidates_find "$tree" "$number"
	if [ "$candidates" -eq 0 ]; then
		set_status "$failure" "there is no plan of tree $tree; run the plan again"
		die "there is no plan of tree $tree"
	fi
fi
plan=$tmp/candidate-1.json
signatures_add "$plan" "$number"
approve_check "$plan"
cat "$tmp/check"
case $check in
refused)
	set_status "$failure" "$(sed -n 's/^error: //p' "$tmp/check" | head -1)"
	exit 1
	;;
*) set_status success "$(sed -n 's/^  approvals */approvals: /p' "$tmp/check")" ;;
esac
